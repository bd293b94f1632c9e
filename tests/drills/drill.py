"""`make drill`: long trials of the whole program, each with what must hold and the figures that it gave.

`--json FILE` writes `[{"drill", "held", "figures"}]`. Names on the command line choose some of them.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "tools"), str(HERE)]

import bad_network  # noqa: E402  # the path above comes first
import camera  # noqa: E402
import disk  # noqa: E402
import greengrass  # noqa: E402
import kills  # noqa: E402
import offline  # noqa: E402
import power_cut  # noqa: E402
import reserved  # noqa: E402
import samples  # noqa: E402
import spool_speed  # noqa: E402
import swap  # noqa: E402
import viewers  # noqa: E402

Drill = Callable[[Path], tuple[bool, dict[str, Any]]]
DRILLS: dict[str, Drill] = {
    **bad_network.DRILLS,
    **camera.DRILLS,
    **disk.DRILLS,
    **greengrass.DRILLS,
    **kills.DRILLS,
    **power_cut.DRILLS,
    **reserved.DRILLS,
    **samples.DRILLS,
    **offline.DRILLS,
    **spool_speed.DRILLS,
    **swap.DRILLS,
    **viewers.DRILLS,
}


def run(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        held, figures = DRILLS[name](Path(folder))
    words = ", ".join(f"{key} {value}" for key, value in figures.items())
    sys.stdout.write(f"{'held  ' if held else 'BROKEN'}  {name}: {words}\n")
    sys.stdout.flush()
    return {"drill": name, "held": held, "figures": figures}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*DRILLS, []], metavar="DRILL")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [run(name) for name in asked.names or DRILLS]
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if all(row["held"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
