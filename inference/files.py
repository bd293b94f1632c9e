"""Model files: whether they can be a model at all, and the digest of all of them.

A file is looked at before a vendor's reader gets it: readers answer text and pictures with riddles, or with
pages of messages on stderr.
"""

import hashlib
import re
from pathlib import Path

from inference.errors import ModelInvalid, ModelNotFound
from inference.formats.kinds import KINDS, SAVED_MODEL, files_of, kind_of

_HEAD = 4096
_FOREIGN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"\x7fELF": "a program",
    b"version https://git-lfs": "a Git LFS pointer to the model; `git lfs pull` fetches the model itself",
}
_TEXTS = (".xml", ".json", ".prototxt")
_IR_VERSION = re.compile(rb"<net\b[^>]*?\bversion\s*=\s*[\"'](\d{1,9})[\"']")
_OLDEST_IR = 10


def check_file(path: Path) -> None:
    """Refuses what cannot be a model: ModelNotFound, ModelInvalid, naming the file and what was expected."""
    if not path.exists() and not path.suffix:
        raise ModelNotFound(f"the model {path} does not exist")
    expected = KINDS[kind_of(path)]
    parts = files_of(path)
    for part in parts:
        if part.is_dir():
            raise ModelInvalid(f"{part} is a folder; the file of {expected} was expected")
        if not part.exists():
            raise ModelNotFound(_missing(part, path))
        if not part.is_file():
            raise ModelInvalid(f"{part} is a device, a pipe or a socket; a file was expected")
    for part in parts if kind_of(path) in ("mxnet", "caffe") else parts[:1]:
        _check_head(part, expected)


def model_files(path: Path) -> tuple[Path, ...]:
    """The files that make the model up; see inference.formats.files_of."""
    return files_of(path)


def sha256_of(path: Path) -> str:
    """The SHA-256 of the model's files one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for part in files_of(path):
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _check_head(path: Path, expected: str) -> None:
    head = _head(path)
    if not head:
        raise ModelInvalid(f"{path} is empty; {expected} was expected")
    found = _foreign(path, head)
    if found:
        raise ModelInvalid(f"{path} is {found}; {expected} was expected")
    version = _IR_VERSION.search(head) if path.suffix.lower() == ".xml" else None
    if version is not None and int(version[1]) < _OLDEST_IR:
        raise ModelInvalid(
            f"{path} is an OpenVINO IR of version {int(version[1])}; only versions from {_OLDEST_IR} on are read."
            " Take the network that it was made from (MXNet, Caffe, TensorFlow and ONNX are read as they are), or"
            " convert that anew"
        )


def _missing(part: Path, path: Path) -> str:
    if part == path:
        return f"the model {path} does not exist"
    if part.name == SAVED_MODEL:
        return f"{part} does not exist; it describes the network of {path}"
    return f"{part} does not exist; it holds the weights of {path} and must lie beside it"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise ModelInvalid(f"{path} cannot be read: {error.strerror}") from error


def _foreign(path: Path, head: bytes) -> str | None:
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            return name
    suffix = path.suffix.lower()
    if suffix in _TEXTS:
        return _foreign_text(suffix, head)
    if suffix == ".tflite" and head[4:8] != b"TFL3":
        return "no TensorFlow Lite model (it lacks their mark TFL3)"
    return "a text file" if _is_text(head) else None


def _foreign_text(suffix: str, head: bytes) -> str | None:
    if suffix == ".xml":
        return None if b"<net" in head else "no OpenVINO IR (it has no <net> element)"
    if b"\0" in head:
        return "no text"
    if suffix == ".json" and not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return "no JSON"
    return None


def _is_text(head: bytes) -> bool:
    """Protocol buffers hold control characters within their first bytes, text does not."""
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head[:64])
