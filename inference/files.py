"""Model files: which kinds there are, whether a file can be one at all, and its digest.

A file is looked at before a vendor's reader gets it: readers answer text and pictures with riddles, or with
pages of messages on stderr.
"""

import hashlib
from pathlib import Path

from inference.errors import ModelInvalid, ModelNotFound

KINDS = {
    ".xml": "an OpenVINO IR",
    ".onnx": "an ONNX model",
    ".pb": "a TensorFlow frozen graph",
    ".tflite": "a TensorFlow Lite model",
}
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


def check_file(path: Path) -> None:
    """Refuses what cannot be a model: ModelNotFound, ModelInvalid, naming the file and what was expected."""
    expected = _expected(path)
    for part in model_files(path):
        if part.is_dir():
            raise ModelInvalid(f"{part} is a folder; the file of {expected} was expected")
        if not part.exists():
            raise ModelNotFound(_missing(part, path))
    head = _head(path)
    if not head:
        raise ModelInvalid(f"{path} is empty; {expected} was expected")
    found = _foreign(path, head)
    if found:
        raise ModelInvalid(f"{path} is {found}; {expected} was expected")


def model_files(path: Path) -> tuple[Path, ...]:
    """The files that make the model up: an IR has its weights in a .bin beside the .xml."""
    return (path, path.with_suffix(".bin")) if path.suffix.lower() == ".xml" else (path,)


def sha256_of(path: Path) -> str:
    """The SHA-256 of the model's files one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for part in model_files(path):
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _expected(path: Path) -> str:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(f"{suffix} ({kind})" for suffix, kind in KINDS.items())
        raise ModelInvalid(f"{path}: no model format has the ending {path.suffix!r}; known are {known}")
    return kind


def _missing(part: Path, path: Path) -> str:
    if part == path:
        return f"the model {path} does not exist"
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
    if suffix == ".xml":
        return None if b"<net" in head else "no OpenVINO IR (it has no <net> element)"
    if suffix == ".tflite" and head[4:8] != b"TFL3":
        return "no TensorFlow Lite model (it lacks their mark TFL3)"
    return "a text file" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """Protocol buffers hold control characters within their first bytes, text does not."""
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head[:64])
