from pathlib import Path

import numpy as np
import pytest

from inference.backends import Shape, TensorSpec
from inference.errors import ModelMismatch
from inference.manifest import InputSpec, Manifest
from inference.picture import PictureInput, arrange, picture_input
from kernels.formats import PixelFormat

FLOAT, BYTES = np.dtype(np.float32), np.dtype(np.uint8)


def manifest(**keys: object) -> Manifest:
    return Manifest("m", "classification", Path("m.onnx"), input=InputSpec(**keys))  # type: ignore[arg-type]


def spec(*shape: int, dtype: np.dtype = FLOAT) -> TensorSpec:
    return TensorSpec("picture", shape, dtype)


@pytest.mark.parametrize(
    ("keys", "shape", "expected"),
    [
        ({}, (1, 3, 24, 32), (1, 3, 24, 32)),
        ({"size": (32, 24)}, (1, 3, 24, 32), (1, 3, 24, 32)),
        ({}, (8, 3, 24, 32), (1, 3, 24, 32)),
        ({"size": (32, 24)}, (-1, 3, -1, -1), (1, 3, 24, 32)),
        ({"size": (32, 24)}, (-1, -1, -1, 3), (1, 24, 32, 3)),
        ({"size": (32, 24)}, (-1, -1, -1, -1), (1, 3, 24, 32)),
        ({"size": (32, 24), "color": "gray"}, (-1, -1, -1, -1), (1, 1, 24, 32)),
        ({"size": (32, 24), "layout": "NHWC"}, (-1, -1, -1, -1), (1, 24, 32, 3)),
        ({"layout": "NHWC"}, (1, 3, 3, 3), (1, 3, 3, 3)),
    ],
)
def test_the_input_gets_one_static_shape(keys: dict[str, object], shape: Shape, expected: Shape) -> None:
    assert arrange(manifest(**keys), (spec(*shape),), {}) == (expected,)


def test_metadata_sizes_what_the_model_and_the_manifest_leave_open() -> None:
    metadata = {"orig_width": "32", "orig_height": "24"}
    assert arrange(manifest(), (spec(1, 3, -1, -1),), metadata) == ((1, 3, 24, 32),)
    assert arrange(manifest(size=(64, 48)), (spec(1, 3, -1, -1),), metadata) == ((1, 3, 48, 64),)
    assert arrange(manifest(), (spec(1, 3, 10, 10),), metadata) == ((1, 3, 10, 10),)


@pytest.mark.parametrize(
    ("keys", "specs", "key", "sentence"),
    [
        ({"size": (32, 32)}, [spec(1, 3, 24, 32)], "input.size", r"\[32, 32\], but .* is \[32, 24\]"),
        ({}, [spec(1, 3, -1, -1)], "input.size", "leaves the size of its input .* open"),
        ({}, [spec(1, 4, 24, 32)], "input.layout", "has 4 channels"),
        ({}, [spec(1, 3, 24, 32), spec(1, 2)], "task", "one picture as input"),
        ({}, [spec(1, 10)], "task", "one picture as input"),
        ({}, [], "task", "one picture as input.* has none"),
        ({}, [spec(1, 3, 8, 8, dtype=np.dtype(np.int64))], "task", "int64; pictures can be put in as uint8"),
    ],
)
def test_a_model_that_no_picture_fits_is_refused_with_the_key_to_look_at(
    keys: dict[str, object], specs: list[TensorSpec], key: str, sentence: str
) -> None:
    with pytest.raises(ModelMismatch, match=sentence) as caught:
        arrange(manifest(**keys), tuple(specs), {})
    assert caught.value.key == key


def test_the_manifest_comes_before_metadata_and_metadata_before_defaults() -> None:
    metadata = {"mean_values": "1 2 3", "pad_value": "7", "resize_type": "crop"}
    settled = picture_input(manifest(pad=9, scale=(2.0,)), spec(1, 3, 24, 32), metadata)
    assert settled == PictureInput(
        (24, 32), PixelFormat.RGB, "crop", "centre", 9, (1.0, 2.0, 3.0), (2.0, 2.0, 2.0), "NCHW"
    )


def test_a_pad_of_zero_is_a_pad() -> None:
    assert picture_input(manifest(pad=0), spec(1, 3, 24, 32), {}).pad == 0


def test_one_channel_is_gray() -> None:
    assert picture_input(manifest(), spec(1, 1, 24, 32), {}).color is PixelFormat.GRAY


@pytest.mark.parametrize(
    ("keys", "shape", "dtype", "key"),
    [
        ({"color": "gray"}, (1, 3, 24, 32), FLOAT, "input.color"),
        ({"color": "rgb"}, (1, 1, 24, 32), FLOAT, "input.color"),
        ({"mean": (1.0, 2.0, 3.0)}, (1, 1, 24, 32), FLOAT, "input.mean"),
        ({"scale": (255.0,)}, (1, 3, 24, 32), BYTES, "input.scale"),
        ({"mean": (127.0,)}, (1, 24, 32, 3), BYTES, "input.mean"),
    ],
)
def test_what_contradicts_the_model_is_refused(
    keys: dict[str, object], shape: Shape, dtype: np.dtype, key: str
) -> None:
    with pytest.raises(ModelMismatch) as caught:
        picture_input(manifest(**keys), spec(*shape, dtype=dtype), {})
    assert caught.value.key == key


def test_a_picture_is_written_as_settled() -> None:
    settled = picture_input(manifest(mean=(100.0,), scale=(50.0,)), spec(1, 3, 2, 2), {})
    tensor = np.empty((3, 2, 2), np.float32)
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 200
    placement = settled.write(blue, PixelFormat.BGR, tensor)
    np.testing.assert_allclose(tensor[:, 0, 0], [-2, -2, 2])
    assert (placement.source_height, placement.scale_y) == (4, 0.5)
