"""MXNet's parameter files: every version is read, every damage is a sentence, and memory is bounded."""

import random
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import params_writer
import pytest

from inference.errors import ModelInvalid, ModelNotFound
from inference.formats.mxnet_params import read_params

FORMATS = Path(__file__).resolve().parent.parent / "data" / "formats"
ARRAYS = {"arg:w": np.arange(12, dtype="f4").reshape(3, 4), "aux:m": np.array([1, -2], "i8")}


def written(folder: Path, content: bytes) -> Path:
    path = folder / "net-0000.params"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_each_version_is_read(tmp_path: Path, version: int) -> None:
    found = read_params(written(tmp_path, params_writer.params(ARRAYS, version)))
    assert list(found) == ["w", "m"]
    for name, value in ARRAYS.items():
        np.testing.assert_array_equal(found[name[4:]], value)


@pytest.mark.parametrize("dtype", sorted(params_writer.CODES))
def test_each_type_of_elements_is_read(tmp_path: Path, dtype: str) -> None:
    value = np.array([0, 1, 1, 0], dtype)
    (found,) = read_params(written(tmp_path, params_writer.params({"a": value}))).values()
    assert found.dtype == value.dtype
    np.testing.assert_array_equal(found, value)


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    halves = (np.array([1.5, -2.0], "<f4").view("<u4") >> 16).astype("<u2").tobytes()
    content = params_writer.header((2,), 2) + struct.pack("<iii", 1, 0, 12) + halves
    (found,) = read_params(written(tmp_path, params_writer.listed([content], ["a"]))).values()
    np.testing.assert_array_equal(found, [1.5, -2.0])


def test_what_mxnet_itself_wrote_is_read() -> None:
    found = read_params(FORMATS / "v2.params")
    np.testing.assert_array_equal(found["a"], [[1, 2, 3]])
    np.testing.assert_array_equal(found["b"], [4, 5])
    np.testing.assert_array_equal(found["c"], [0.5, -2])
    assert (found["b"].dtype, found["c"].dtype) == (np.int64, np.float16)


def test_numpy_shapes_of_mxnet_itself_are_read() -> None:
    found = read_params(FORMATS / "v3.params")
    assert found["scalar"].shape == ()
    assert found["scalar"] == 3.5
    np.testing.assert_array_equal(found["row"], [0, 1, 2])


def test_an_array_on_a_graphics_processor_is_read(tmp_path: Path) -> None:
    content = params_writer.header((1,), 2) + struct.pack("<iii", 2, 3, 0) + struct.pack("<f", 7)
    assert read_params(written(tmp_path, params_writer.listed([content], ["a"])))["a"] == [7]


GOOD = params_writer.params(ARRAYS)
ONE = params_writer.array(np.zeros(2, "f4"))


def with_header(shape: tuple[int, ...]) -> bytes:
    return params_writer.listed([params_writer.header(shape, 2) + struct.pack("<iii", 1, 0, 0)], ["a"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\x12\x01", "is truncated"),
        (b"\x13" + GOOD[1:], "is no MXNet parameter file: it begins with 0x113"),
        (GOOD[:-3], "is truncated: name 1 needs"),
        (GOOD[:80], "is truncated: array 0 of shape"),
        (struct.pack("<QQQ", 0x112, 0, 2**60), "claims 1152921504606846976 arrays"),
        (struct.pack("<QQQ", 0x112, 0, 0) + struct.pack("<Q", 2**61), "claims 2305843009213693952 names"),
        (GOOD[:-13] + struct.pack("<Q", 2**63) + b"x", "name 1 claims 9223372036854775808 bytes"),
        (with_header((2**40, 2**40)), r"array 0 of shape \(1099511627776, 1099511627776\) needs"),
        (with_header((2**62, 4, 4)), "is truncated"),
        (with_header((-1, 4)), "with a negative size"),
        (params_writer.listed([struct.pack("<Iii", 0xF993FAC9, 0, 99)], ["a"]), "claims 99 dimensions"),
        (params_writer.listed([struct.pack("<I", 77)], ["a"]), "claims 77 dimensions"),
        (params_writer.listed([struct.pack("<Ii", 0xF993FAC9, 1)], ["a"]), "row_sparse"),
        (params_writer.listed([struct.pack("<Ii", 0xF993FAC9, 9)], ["a"]), "unknown storage 9"),
        (
            params_writer.listed([params_writer.header((1,), 2) + struct.pack("<iii", 1, 0, 40)], ["a"]),
            "type 40",
        ),
        (params_writer.listed([ONE, ONE], ["a"]), "2 arrays and 1 names"),
        (params_writer.listed([ONE, ONE], ["a", "arg:a"]), "names the array 'a' twice"),
        (GOOD + b"more", "goes on for 4 bytes"),
    ],
    ids=lambda value: value.split(",")[0] if isinstance(value, str) else "",
)
def test_a_damaged_params_file_is_refused_with_its_name(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ModelInvalid, match=sentence) as caught:
        read_params(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"none\.params does not exist"):
        read_params(tmp_path / "none.params")


def test_a_huge_claim_takes_no_memory(tmp_path: Path) -> None:
    claims = [
        struct.pack("<QQQ", 0x112, 0, 2**40),
        with_header((2**33,)),
        GOOD[:-13] + struct.pack("<Q", 2**40),
    ]
    for claim in claims:
        path = written(tmp_path, claim)
        tracemalloc.start()
        with pytest.raises(ModelInvalid):
            read_params(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20


def mutated(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(changed))
        if draw.random() < 0.2:
            del changed[at:]
            break
        changed[at] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)])
        if not changed:
            break
    return bytes(changed)


@pytest.mark.parametrize("seed", range(10))
def test_no_mutation_of_a_params_file_is_more_than_a_sentence(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    original: Any = params_writer.params(ARRAYS, seed % 4)
    for _ in range(60):
        refusal = "net-0000.params"
        try:
            read_params(written(tmp_path, mutated(original, draw)))
        except ModelInvalid as error:
            refusal = str(error)
        assert "net-0000.params" in refusal
