"""Makes the bundled samples: `python edge/samples/maker/make.py --sample trash-sorter`.

Needs torch, onnx, onnxruntime, av, opencv-python-headless and numpy (see README.md here); the product needs no torch.
"""

import argparse
import importlib
from pathlib import Path

from recipe import Place

HERE = Path(__file__).resolve().parent
SAMPLES = {
    "trash-sorter": "trash_sorter",
    "trash-finder": "trash_finder",
    "track-view": "track_view",
    "figures": "figures",
}
STEPS = ("teach", "shoot", "card")


def main() -> None:
    asked = _asked()
    for name in SAMPLES if asked.sample == "all" else [asked.sample]:
        recipe = importlib.import_module(SAMPLES[name])
        folder = asked.out / name
        folder.mkdir(parents=True, exist_ok=True)
        asked.work.mkdir(parents=True, exist_ok=True)
        for step in asked.steps:
            print(f"{name}: {step}")
            getattr(recipe, step)(Place(folder, asked.work, asked.clips, asked.quick))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the bundled samples, from their seeds.")
    parser.add_argument("--sample", choices=[*SAMPLES, "all"], required=True)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--out", type=Path, default=HERE.parent, help="where the sample folders are")
    parser.add_argument(
        "--work", type=Path, default=Path("build/samples"), help="pictures and weights between runs"
    )
    parser.add_argument("--clips", type=Path, help="a folder of real videos, to count false finds in")
    parser.add_argument(
        "--quick", action="store_true", help="a rough model in a few minutes, to try a change"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
