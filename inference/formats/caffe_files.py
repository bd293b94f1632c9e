"""Which files a Caffe network consists of: NAME.prototxt and NAME.caffemodel."""

from pathlib import Path
from typing import NamedTuple

from inference.errors import ModelInvalid, ModelNotFound

_WHAT = {".caffemodel": "holds the weights", ".prototxt": "describes the network"}


class CaffeFiles(NamedTuple):
    """The description and the weights."""

    prototxt: Path
    weights: Path


def caffe_files(path: Path) -> CaffeFiles:
    """The two files, from either: the other has the same name, or is the only one of its kind beside it.

    Raises ModelNotFound, and ModelInvalid where there are several to choose from.
    """
    if path.suffix.lower() == ".prototxt":
        return CaffeFiles(path, _beside(path, ".caffemodel"))
    return CaffeFiles(_beside(path, ".prototxt"), path)


def _beside(path: Path, ending: str) -> Path:
    same = path.with_suffix(ending)
    if same.exists():
        return same
    others = sorted(path.parent.glob(f"*{ending}"))
    if len(others) == 1:
        return others[0]
    if not others:
        raise ModelNotFound(f"{same} does not exist; it {_WHAT[ending]} of {path}")
    names = ", ".join(other.name for other in others[:6])
    raise ModelInvalid(
        f"{path} has no {same.name} beside it, and {names} to choose from; name one {same.name}"
    )
