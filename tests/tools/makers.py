"""The modules that draw the bundled samples' pictures, and the samples' clips; no module used here needs PyTorch."""

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge import project

FOLDER = Path(__file__).resolve().parents[2] / "edge" / "samples" / "maker"


@contextmanager
def maker(*names: str) -> Iterator[SimpleNamespace]:
    """Modules of the maker by name, imported as its own scripts do, and its `folder`."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield SimpleNamespace(folder=FOLDER, **{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(FOLDER))


def clip_pictures(sample: str) -> Iterator[NDArray[np.uint8]]:
    """All pictures (h, w, 3) BGR of a sample's clip."""
    capture = cv2.VideoCapture(str(project.find(sample) / "clip.mp4"))
    while True:
        good, picture = capture.read()
        if not good:
            return
        yield picture


def label_track(sample: str) -> list[dict[str, Any]]:
    """The frames of a sample's clip.json."""
    document = json.loads((project.find(sample) / "clip.json").read_text(encoding="utf-8"))
    return list(document["frames"])
