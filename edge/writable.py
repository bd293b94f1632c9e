"""Whether a folder can be written before anything is written there."""

import os
from pathlib import Path


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def can_be_written(folder: Path) -> bool:
    """Whether a folder can be written, or made where the nearest one above it can be."""
    place = nearest(folder)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
