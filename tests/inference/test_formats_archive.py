"""The one unpacker: what it takes, what it refuses, and that a refusal leaves nothing."""

import gzip
import io
import os
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from inference.errors import ModelInvalid, ModelNotFound
from inference.formats.archive import Limits, unpack

FILES = {"model/net.xml": b"<net/>", "model/net.bin": bytes(range(256)) * 40, "labels.txt": "käse\n".encode()}


def tarred(members: Sequence[tuple[Any, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def zipped(members: Sequence[tuple[Any, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return made.getvalue()


def made(folder: Path, content: bytes, name: str = "in/model.archive") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def link(name: str, kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


GOOD: dict[str, Callable[[], bytes]] = {
    "tar": lambda: tarred(list(FILES.items())),
    "gnu tar": lambda: tarred(list(FILES.items()), tarfile.GNU_FORMAT),
    "ustar": lambda: tarred(list(FILES.items()), tarfile.USTAR_FORMAT),
    "tar.gz": lambda: gzip.compress(tarred(list(FILES.items()))),
    "zip": lambda: zipped(list(FILES.items())),
    "stored zip": lambda: zipped(list(FILES.items()), zipfile.ZIP_STORED),
}


@pytest.mark.parametrize("kind", GOOD)
def test_an_archive_is_unpacked_into_a_folder_of_its_own(place: Path, kind: str) -> None:
    files = unpack(made(place, GOOD[kind]()), place / "out")
    assert {str(path.relative_to(place / "out")): path.read_bytes() for path in files} == FILES
    assert sorted(path.name for path in place.iterdir()) == ["in", "out"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_folders_are_unpacked(place: Path, form: int) -> None:
    folder = tarfile.TarInfo("./deep")
    folder.type = tarfile.DIRTYPE
    name = "deep/" + "/".join(["folder" * 10] * 4) + "/é.bin"
    (path,) = unpack(made(place, tarred([(folder, b""), (name, b"x" * 1000)], form)), place / "out")
    assert path == place / "out" / name
    assert path.read_bytes() == b"x" * 1000


OUTSIDE = "would be written outside its folder"
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "absolute tar": (lambda: tarred([("/tmp/evil", b"x")]), OUTSIDE),
    "absolute zip": (lambda: zipped([("/tmp/evil", b"x")]), OUTSIDE),
    "upward tar": (lambda: tarred([("a/../../evil", b"x")]), OUTSIDE),
    "upward zip": (lambda: zipped([("../evil", b"x")]), OUTSIDE),
    "backslash": (lambda: zipped([("..\\evil", b"x")]), OUTSIDE),
    "drive": (lambda: zipped([("C:/evil", b"x")]), OUTSIDE),
    "control": (lambda: tarred([("a\nb", b"x")]), "control character"),
    "long": (lambda: tarred([("x" * 300, b"x")]), "is too long"),
    "deep": (lambda: tarred([("a/" * 40 + "b", b"x")]), "is too long"),
    "symbolic link": (lambda: tarred([(link("a", tarfile.SYMTYPE), b"")]), "'a' is a symbolic link"),
    "hard link": (lambda: tarred([(link("a", tarfile.LNKTYPE), b"")]), "'a' is a hard link"),
    "device": (lambda: tarred([(link("a", tarfile.CHRTYPE), b"")]), "'a' is a device"),
    "pipe": (lambda: tarred([(link("a", tarfile.FIFOTYPE), b"")]), "'a' is a pipe"),
    "link in a zip": (lambda: zipped([(zip_link("a"), b"/etc/passwd")]), "'a' is a link or device"),
    "twice": (lambda: tarred([("a", b"x"), ("a", b"y")]), "holds 'a' twice"),
    "twice but for case": (lambda: zipped([("a", b"x"), ("A", b"y")]), "holds 'A' twice"),
    "file in a file": (lambda: tarred([("a", b"x"), ("a/b", b"y")]), "cannot be unpacked"),
    "nothing": (lambda: tarred([]), "holds no files|is no archive"),
    "empty": (lambda: b"", "is no archive that is read here"),
    "text": (lambda: b"hello" * 200, "is no archive that is read here"),
    "truncated tar": (lambda: tarred([("a", b"x" * 5000)])[:2000], "truncated"),
    "truncated gzip": (lambda: gzip.compress(os.urandom(9000))[:4000], "cannot be unpacked"),
    "gzip of something else": (lambda: gzip.compress(b"hello" * 200), "a header"),
    "truncated zip": (lambda: zipped([("a", os.urandom(5000))])[:3000], "cannot be unpacked"),
    "bzip2 in a zip": (lambda: zipped([("a", b"x")], zipfile.ZIP_BZIP2), "packed in a way not read here"),
    "bomb": (lambda: gzip.compress(tarred([("a", bytes(40 << 20))])), "grows too large"),
    "zip bomb": (lambda: zipped([("a", bytes(40 << 20))]), "grows too large"),
    "too many": (lambda: tarred([(f"f{index}", b"") for index in range(300)]), "more than 200 files"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_leaves_nothing(place: Path, kind: str) -> None:
    content, sentence = REFUSED[kind]
    archive = made(place, content())
    with pytest.raises(ModelInvalid, match=sentence) as caught:
        unpack(archive, place / "out" / "model", Limits(files=200, ratio=20))
    assert str(archive) in str(caught.value)
    assert not list((place / "out").iterdir())
    assert not (place / "evil").exists()


def test_a_tar_that_claims_a_huge_header_takes_no_memory(place: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = b"x", 8 << 30
    archive = made(place, gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))
    with pytest.raises(ModelInvalid, match="a header goes on for 8589934592 bytes; at most 65536 are read"):
        unpack(archive, place / "out")


def test_the_directory_of_a_zip_is_not_read_when_it_is_too_large(place: Path) -> None:
    archive = made(place, zipped([("n" * 200 + str(index), b"") for index in range(600)]))
    with pytest.raises(ModelInvalid, match="holds more than 10 files; it is not unpacked"):
        unpack(archive, place / "out", Limits(files=10))


def test_the_size_is_limited_as_a_whole(place: Path) -> None:
    archive = made(place, tarred([("a", bytes(600)), ("b", bytes(600))]))
    with pytest.raises(ModelInvalid, match="grows too large when unpacked: 'b'"):
        unpack(archive, place / "out", Limits(size=1000))


def test_a_folder_that_is_there_is_not_touched(place: Path) -> None:
    (place / "out").mkdir()
    with pytest.raises(ModelInvalid, match="exists already"):
        unpack(made(place, GOOD["zip"]()), place / "out")


def test_a_missing_archive_is_named(place: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"none\.tar does not exist"):
        unpack(place / "none.tar", place / "out")


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
@pytest.mark.parametrize("seed", range(5))
def test_no_mutation_writes_outside_or_is_more_than_a_sentence(place: Path, kind: str, seed: int) -> None:
    draw = random.Random(seed)
    original = GOOD[kind]()
    for count in range(40):
        changed = bytearray(original)
        for _ in range(draw.randint(1, 6)):
            changed[draw.randrange(len(changed))] = draw.choice(
                [0, 0x2F, 0x2E, 0x32, 0xFF, draw.randrange(256)]
            )
        archive = made(place, bytes(changed[: draw.randrange(1, len(changed)) if count % 5 == 0 else None]))
        folder = place / "out" / str(count)
        refusal, files = "", ()
        try:
            files = unpack(archive, folder)
        except ModelInvalid as error:
            refusal = str(error)
        assert all(path.is_relative_to(folder) for path in files)
        assert bool(files) == folder.exists()
        assert bool(files) or str(archive) in refusal
    assert sorted(path.name for path in place.iterdir()) == ["in", "out"]
    assert not [path for path in (place / "out").iterdir() if path.name.startswith(".")]
