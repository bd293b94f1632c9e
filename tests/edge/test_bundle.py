"""A project is packed and signed so that any tool can check it, and what cannot be a bundle is refused."""

import base64
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import swap_models

from edge import bundle, cli
from edge.errors import ConfigInvalid
from edge.signing import private_key, public_keys


def openssl(folder: Path, *words: str) -> str:
    done = subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "release.key")
    openssl(folder, "ec", "-in", "release.key", "-pubout", "-out", "release.pub")
    openssl(folder, "genpkey", "-algorithm", "ed25519", "-out", "other.key")
    openssl(folder, "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "wide.key")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return swap_models.project(tmp_path / "sorter", swap_models.good)


def written(folder: Path) -> tuple[Path, dict[str, Any]]:
    [archive] = folder.glob("*.tar.gz")
    signature: dict[str, Any] = json.loads(archive.with_name(archive.name + ".sig").read_text())
    return archive, signature


def test_the_command_writes_archive_and_signature_and_openssl_agrees(
    place: Path, keys: Path, tmp_path: Path
) -> None:
    (place / ".hidden").write_text("secret")
    (place / "__pycache__").mkdir()
    (place / "__pycache__" / "hook.pyc").write_bytes(b"")
    words = [
        "bundle",
        str(place),
        "--key",
        str(keys / "release.key"),
        "--version",
        "1.4",
        "--into",
        str(tmp_path / "out"),
    ]
    assert cli.run(words) == 0
    archive, signature = written(tmp_path / "out")
    assert archive.name == "sorter-1.4.tar.gz"
    with tarfile.open(archive) as packed:
        assert packed.getnames() == ["model.onnx", "project.yaml"]
    digest = openssl(tmp_path, "dgst", "-sha256", "-r", str(archive)).split()[0]
    (tmp_path / "text").write_text(f"lensracer.bundle/1\nsorter\n1.4\n{digest}\n")
    (tmp_path / "der").write_bytes(base64.b64decode(signature["signature"]))
    said = openssl(
        tmp_path, "dgst", "-sha256", "-verify", str(keys / "release.pub"), "-signature", "der", "text"
    )
    assert said.strip() == "Verified OK"
    assert bundle.verified(signature, public_keys(keys / "release.pub")) == ("sorter", "1.4", digest)


def test_the_same_folder_gives_the_same_archive(place: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        bundle.pack(place, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--version": "../1"}, "expected numbers parted by dots"),
        ({"--key": "other.key"}, "not on the curve P-256"),
        ({"--key": "wide.key"}, "not on the curve P-256"),
        ({"--key": "release.pub"}, "has no -----BEGIN EC PRIVATE KEY-----"),
        ({"--key": "gone.key"}, "cannot be read"),
        ({"--into": "inside"}, "would be packed too"),
    ],
)
def test_what_cannot_be_packed_is_refused_with_2(
    place: Path,
    keys: Path,
    tmp_path: Path,
    change: dict[str, str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {"--key": "release.key", "--version": "1", "--into": str(tmp_path / "out"), **change}
    given["--key"] = str(keys / given["--key"])
    given["--into"] = str(place / "inside") if given["--into"] == "inside" else given["--into"]
    options = [word for pair in given.items() for word in pair]
    assert cli.run(["bundle", str(place), *options]) == 2
    assert words in capsys.readouterr().err


def test_a_project_that_needs_a_file_elsewhere_is_refused(place: Path, keys: Path, tmp_path: Path) -> None:
    from edge import project

    (place / "model.onnx").rename(tmp_path / "model.onnx")
    (place / "project.yaml").write_text(
        (place / "project.yaml").read_text().replace("model.onnx", "../model.onnx")
    )
    with pytest.raises(ConfigInvalid, match="which is not in the project's folder"):
        bundle.write(project.load(place), "1", private_key(keys / "release.key"), tmp_path / "out")


@pytest.mark.parametrize(
    ("model", "files", "words"),
    [
        ("net-symbol.json", ["net-symbol.json"], "net"),
        ("net.params", ["net.params"], "net"),
        ("deploy.prototxt", ["deploy.prototxt"], "deploy"),
        ("net.caffemodel", [], "net.caffemodel"),
        ("gone.onnx", [], "gone.onnx does not exist"),
    ],
)
def test_a_project_whose_model_is_not_whole_is_refused_at_its_key(
    place: Path, keys: Path, tmp_path: Path, model: str, files: list[str], words: str
) -> None:
    from edge import project

    for name in files:
        (place / name).write_text("{}")
    text = (place / "project.yaml").read_text()
    (place / "project.yaml").write_text(text.replace("model.onnx", model))
    with pytest.raises(ConfigInvalid, match=rf"project\.yaml.*model.*{words}"):
        bundle.write(project.load(place), "1", private_key(keys / "release.key"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_versions_are_compared_as_numbers() -> None:
    def order(version: str) -> tuple[int, ...]:
        return bundle.Statement("x", version, "0" * 64).order

    assert order("1.9") < order("1.10") < order("2") == order("2.0")


def test_a_ledger_that_cannot_be_read_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken.json").write_text("{")
    with pytest.raises(bundle.BundleRefused, match="no version can be told to be new"):
        bundle.Ledger(tmp_path / "taken.json").check(bundle.Statement("x", "1", "0" * 64))
