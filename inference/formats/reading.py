"""From a model's path to an OpenVINO model, whatever the format."""

from pathlib import Path
from typing import Any

from inference.errors import ModelInvalid
from inference.files import check_file
from inference.formats.kinds import KINDS, folder_of, kind_of
from inference.formats.openvino_library import core, guarded


def openvino_model(path: Path) -> Any:
    """The `openvino.Model` of a file (for a SavedModel, a folder) of any kind of KINDS.

    Raises ModelNotFound and ModelInvalid with a sentence that names the file, BackendUnavailable where OpenVINO
    cannot be used.
    """
    check_file(path)
    kind = kind_of(path)
    if kind == "mxnet":
        from inference.formats.mxnet import mxnet_model

        return mxnet_model(path)
    if kind == "caffe":
        from inference.formats.caffe import caffe_model

        return caffe_model(path)
    place = folder_of(path) if kind == "saved-model" else path
    return guarded(lambda: core().read_model(place), ModelInvalid, f"{path} is not readable as {KINDS[kind]}")
