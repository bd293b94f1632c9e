import hashlib
import os
from pathlib import Path

import pytest

from inference.errors import ModelInvalid, ModelNotFound
from inference.files import check_file, sha256_of

NET = b'<?xml version="1.0"?>\n<net name="m" version="11"></net>'


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"model\.onnx does not exist") as caught:
        check_file(tmp_path / "model.onnx")
    assert isinstance(caught.value, FileNotFoundError)


def test_weights_must_lie_beside_the_xml(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"m\.bin does not exist; it holds the weights of .*m\.xml"):
        check_file(written(tmp_path / "m.xml", NET))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.onnx", b"", "is empty; an ONNX model was expected"),
        ("m.onnx", b"name: sorter\ntask: classification\n", "is a text file; an ONNX model was expected"),
        ("m.onnx", b"\x89PNG\r\n\x1a\n", "is a PNG picture; an ONNX model"),
        ("m.pb", b"\xff\xd8\xff\xe0", "is a JPEG picture; a TensorFlow frozen graph"),
        ("m.onnx", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("m.onnx", b"PK\x03\x04rest", "zip archive; unpack it first"),
        ("m.tflite", b"\x00\x01\x02\x03nope", "lacks their mark TFL3"),
        ("m.xml", b"<html></html>", "no <net> element"),
        ("m.jpg", b"\xff\xd8\xff\xe0", r"no model format has the ending '\.jpg'"),
        ("m", b"\x08\x07", "no model format has the ending ''"),
    ],
)
def test_what_cannot_be_a_model_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = written(tmp_path / name, content)
    written(path.with_suffix(".bin"), b"")
    with pytest.raises(ModelInvalid, match=sentence) as caught:
        check_file(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").mkdir()
    with pytest.raises(ModelInvalid, match="is a folder"):
        check_file(tmp_path / "m.onnx")


def test_what_may_be_a_model_passes(tmp_path: Path) -> None:
    written(tmp_path / "m.bin", b"")
    check_file(written(tmp_path / "m.xml", NET))
    check_file(written(tmp_path / "m.onnx", b"\x08\x09\x12\x04test"))
    check_file(written(tmp_path / "m.TFLITE", b"\x1c\x00\x00\x00TFL3"))


def test_the_digest_covers_the_weights(tmp_path: Path) -> None:
    onnx = written(tmp_path / "m.onnx", b"abc")
    assert sha256_of(onnx) == hashlib.sha256(b"abc").hexdigest()
    xml = written(tmp_path / "m.xml", b"abc")
    written(tmp_path / "m.bin", b"def")
    assert sha256_of(xml) == hashlib.sha256(b"abcdef").hexdigest()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.onnx")
    with pytest.raises(ModelInvalid, match=r"m\.onnx is a device, a pipe or a socket"):
        check_file(tmp_path / "m.onnx")
