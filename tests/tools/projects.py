"""Small projects on disk: a model whose answers are known, a clip, and settings that leave the machine alone."""

import os
from pathlib import Path

import models
import pictures


def colour_sorter(folder: Path, more: str = "", *, labels: str = "[red, green, blue]") -> Path:
    """A project folder whose classifier tells which colour a picture has most of; its clip has 12 pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    models.classifier(folder / "model.onnx", softmax=True)
    pictures.clip(folder / "clip.avi", 12, size=(64, 48))
    (folder / "project.yaml").write_text(
        f"name: colour-sorter\ntask: classification\nmodel: model.onnx\nlabels: {labels}\n"
        f"input: {{color: rgb, scale: 255}}\noutput: {{softmax: false, top_k: 3}}\nclip: clip.avi\n{more}"
    )
    return folder


def quiet_environ() -> dict[str, str]:
    """This process's environment without any setting of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")}


FAKE = """\
name: fake-finder
task: detection
model: fake:detection:3:{size}
labels: [compost, landfill, recycling]
publish: {{every: 1}}
"""


def fake_finder(folder: Path, more: str = "", *, size: str = "64x48") -> Path:
    """A project that needs no model file and answers at once."""
    place = folder / "fake-finder"
    place.mkdir(exist_ok=True)
    (place / "project.yaml").write_text(FAKE.format(size=size) + more)
    return place
