"""S3 addresses by the real boto3, which asks a web server of ours; and a sentence where boto3 is not installed."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer

from inference.errors import AddressRefused, ExtraMissing, FetchFailed
from inference.fetch import Limits, fetch

CONTENT = bytes(range(256)) * 1024
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FileServer]:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FileServer(CONTENT) as found:
        settings = {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{found.port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield found


def get(uri: str, into: Path, sha256: str = SHA) -> Path:
    return fetch(uri, sha256, into, limits=Limits(patience=2, tries=2), sleep=lambda seconds: None)


def refused(uri: str, into: Path, kind: type[Exception]) -> str:
    with pytest.raises(kind) as found:
        get(uri, into)
    assert not into.exists()
    return str(found.value)


def test_a_file_of_a_bucket_comes_whole(server: FileServer, tmp_path: Path) -> None:
    assert get("s3://models/a/m.onnx", tmp_path / "m").read_bytes() == CONTENT
    assert server.requests[0][0].startswith("/models/a/m.onnx")


def test_a_cut_is_gone_on_with_where_it_happened(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.cut_after, server.behaviour.cuts = 100_000, 1
    assert get("s3://models/m.onnx", tmp_path / "m").read_bytes() == CONTENT
    assert server.requests[1][1] is not None
    assert server.requests[1][1].startswith("bytes=")


def test_a_file_that_is_not_there_is_told_at_once(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.status = 404
    told = refused("s3://models/gone.onnx", tmp_path / "m", FetchFailed)
    assert "s3://models/gone.onnx" in told
    assert "404" in told
    assert len(server.requests) == 1


def test_without_keys_it_is_told_what_is_missing(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "credentials" in refused("s3://models/m.onnx", tmp_path / "m", AddressRefused)


def test_a_bucket_without_a_key_is_refused(server: FileServer, tmp_path: Path) -> None:
    assert "s3://bucket/key is a file in one" in refused("s3://models/", tmp_path / "m", AddressRefused)


def test_without_boto3_a_sentence_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked: dict[str, Any] = {"boto3": None}
    monkeypatch.delitem(sys.modules, "inference.fetch_s3", raising=False)
    for name, module in blocked.items():
        monkeypatch.setitem(sys.modules, name, module)
    told = refused("s3://models/m.onnx", tmp_path / "m", ExtraMissing)
    assert "pip install 'lensracer[cloud]'" in told
