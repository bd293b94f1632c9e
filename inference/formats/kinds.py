"""Which kinds of model there are, which kind a path names, and which files make a model up."""

from pathlib import Path

from inference.errors import ModelInvalid
from inference.formats.caffe_files import caffe_files
from inference.formats.mxnet_files import SYMBOL, mxnet_files
from inference.formats.onnx_data import external_files

KINDS = {
    "ir": "an OpenVINO IR",
    "onnx": "an ONNX model",
    "tensorflow": "a TensorFlow frozen graph",
    "saved-model": "a TensorFlow SavedModel",
    "tflite": "a TensorFlow Lite model",
    "paddle": "a PaddlePaddle model",
    "mxnet": "an MXNet network",
    "caffe": "a Caffe network",
}
ENDINGS = {
    ".xml": "ir",
    ".onnx": "onnx",
    ".pb": "tensorflow",
    ".tflite": "tflite",
    ".pdmodel": "paddle",
    SYMBOL: "mxnet",
    ".params": "mxnet",
    ".prototxt": "caffe",
    ".caffemodel": "caffe",
}
SAVED_MODEL = "saved_model.pb"
_MOST_FILES = 10_000


def kind_of(path: Path) -> str:
    """The key of KINDS, from the name alone (and for a folder from what lies in it).

    Raises ModelInvalid, naming the endings that are known.
    """
    if path.name == SAVED_MODEL or (path.is_dir() and (path / SAVED_MODEL).is_file()):
        return "saved-model"
    for ending, kind in ENDINGS.items():
        if path.name.lower().endswith(ending):
            return kind
    if path.is_dir():
        raise ModelInvalid(f"{path} is a folder without {SAVED_MODEL}, so it is no TensorFlow SavedModel")
    known = ", ".join(f"{ending} ({KINDS[kind]})" for ending, kind in ENDINGS.items())
    raise ModelInvalid(
        f"{path}: no model format has the ending {path.suffix!r}; known are {known}, and the folder of"
        f" {KINDS['saved-model']}"
    )


def files_of(path: Path) -> tuple[Path, ...]:
    """All the files that make the model up, in an order that does not change.

    An IR has its weights in a .bin beside the .xml; an ONNX model may have some in files that it names; MXNet
    and Caffe have a description and weights, either of which may be given. Files of one kind alone need not
    exist. Raises ModelNotFound and ModelInvalid.
    """
    kind = kind_of(path)
    if kind == "ir":
        return (path, path.with_suffix(".bin"))
    if kind == "paddle":
        return (path, path.with_suffix(".pdiparams"))
    if kind == "saved-model":
        return _saved_model(folder_of(path))
    if kind == "onnx" and path.is_file() and path.stat().st_size:
        return (path, *external_files(path))
    if kind == "mxnet":
        return tuple(part for part in mxnet_files(path) if part is not None)
    return tuple(caffe_files(path)) if kind == "caffe" else (path,)


def folder_of(path: Path) -> Path:
    """The folder of a SavedModel, which may be given by its saved_model.pb."""
    return path.parent if path.name == SAVED_MODEL else path


def _saved_model(folder: Path) -> tuple[Path, ...]:
    found = [folder / SAVED_MODEL]
    for name in ("variables", "assets"):
        found += sorted(part for part in (folder / name).rglob("*") if not part.is_dir())
    if len(found) > _MOST_FILES:
        raise ModelInvalid(f"{folder} holds {len(found)} files; a SavedModel has at most {_MOST_FILES}")
    return tuple(found)
