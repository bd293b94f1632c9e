"""`edge model pull`: projects from the catalogue, files by digest; resumed, checked, and never half there."""

import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import edge_process
import models
import pytest
from file_server import FileServer
from projects import colour_sorter

from edge import cli, pull
from edge.progress import Progress
from edge.validate import check
from inference import catalogue

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("inference.fetch.time.sleep", lambda seconds: None)


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    return models.classifier(tmp_path / "made.onnx", softmax=True).read_bytes()


@pytest.fixture
def server(model: bytes) -> Iterator[FileServer]:
    with FileServer(model) as found:
        yield found


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    code = cli.run(["model", "pull", *map(str, words)])
    out = capsys.readouterr()
    return code, out.out + out.err


def kept(tmp_path: Path) -> list[Path]:
    return sorted(Path(os.environ["XDG_CACHE_HOME"]).rglob("*.*"))


def listed(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


# the catalogue


def test_the_list_tells_name_task_size_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "--list")
    assert code == 0
    assert "nanodet-int8       detection       1.0 MB    Apache-2.0" in said
    code, said = run(capsys, "--list", "--json")
    assert [row["name"] for row in json.loads(said)] == [entry.name for entry in catalogue.entries()]


def test_a_model_of_the_catalogue_becomes_a_project_that_is_good_to_run(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FileServer((shared_data / "models" / "nanodet" / "nanodet_m.onnx").read_bytes()) as server:
        server.behaviour.cut_after, server.behaviour.cuts = 1_000_000, 2
        code, said = run(capsys, "nanodet", "--from", server.url(), "--insecure")
    assert code == 0, said
    assert [request[1] for request in server.requests] == [None, "bytes=1000000-", "bytes=2000000-"]
    assert listed(Path("nanodet")) == ["labels.txt", "object_detection_nanodet_2022nov.onnx", "project.yaml"]
    assert check("nanodet", environ={}, overrides={"source": "synthetic:"}) == []


def test_another_file_than_the_catalogue_means_is_refused(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, "nanodet", "--from", server.url(), "--insecure")
    assert code == 1
    assert "3,800,954 were expected" in said
    assert listed(Path()) == []
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nanodte"], "did you mean nanodet?"),
        ([], "name a model of the catalogue"),
        (["https://models.invalid/m.onnx"], "an address needs --sha256"),
        (["nanodet", "--sha256", "0" * 64], "--sha256 is for addresses"),
        (["nanodet", "--task", "detection"], "--task is for addresses"),
        (["file:/a", "--sha256", "0" * 64, "--from", "file:/b"], "one is enough"),
        (["http://models.invalid/m.onnx", "--sha256", "0" * 64], "not encrypted"),
        (["ftp://models.invalid/m.onnx", "--sha256", "0" * 64], "not an address of"),
        (["file:/none.onnx", "--sha256", "0" * 64], "does not exist"),
        (["file:/none.onnx", "--sha256", "12"], "64 hexadecimal digits"),
        (["http://169.254.169.254/m", "--insecure", "--sha256", "0" * 64], "a link-local address"),
    ],
)
def test_a_mistake_is_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, text = run(capsys, *words)
    assert (code, listed(Path()), kept(tmp_path)) == (2, [], [])
    assert said in text


# addresses


def test_a_bare_model_with_a_task_becomes_a_project(
    server: FileServer, model: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--sha256", sha(model), "--insecure", "--task", "classification", "--json")
    code, said = run(capsys, server.url("/My%20Sorter.onnx?key=x"), *words)
    assert code == 0, said
    told = json.loads(said)
    assert told["project"] == str(Path("my-sorter/project.yaml").absolute())
    assert (told["sha256"], told["bytes"]) == (sha(model), len(model))
    assert check("my-sorter", environ={}, overrides={"source": "synthetic:"}) == []


def test_a_bare_model_without_a_task_lies_there_alone(
    server: FileServer, model: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, server.url(), "--sha256", sha(model), "--insecure", "-o", "place")
    assert code == 0
    assert "with --task a project.yaml is written" in said
    assert listed(Path("place")) == ["model.onnx"]


def test_what_was_pulled_once_is_not_asked_for_again(
    server: FileServer, model: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for place in ("one", "two"):
        assert run(capsys, server.url(), "--sha256", sha(model), "--insecure", "-o", place)[0] == 0
    assert len(server.requests) == 1
    cache = Path(os.environ["XDG_CACHE_HOME"]) / pull.CACHE
    assert cache.stat().st_mode & 0o077 == cache.parent.stat().st_mode & 0o077 == 0
    Path("one/model.onnx").write_bytes(b"changed")
    assert (cache / sha(model)).read_bytes() == model


def test_a_cache_folder_that_others_may_write_is_refused(
    server: FileServer, model: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cache = Path(os.environ["XDG_CACHE_HOME"]) / pull.CACHE
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    code, said = run(capsys, server.url(), "--sha256", sha(model), "--insecure")
    assert code == 1
    assert "is open to others" in said


def test_a_wrong_digest_is_refused_and_what_came_is_removed(
    server: FileServer, model: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, said = run(capsys, server.url(), "--sha256", "0" * 64, "--insecure")
    assert code == 1
    assert f"has the SHA-256 {sha(model)}, not {'0' * 64}; what came was removed" in said
    assert (listed(Path()), kept(tmp_path)) == ([], [])


def test_a_page_that_says_it_is_gone_is_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    page = b"<html>gone</html>"
    with FileServer(page) as server:
        code, said = run(capsys, server.url(), "--sha256", sha(page), "--insecure")
    assert code == 2
    assert "model.onnx is a text file; an ONNX model was expected" in said
    assert listed(Path()) == []


def test_a_folder_with_something_in_it_is_refused_before_anything_is_asked(
    server: FileServer, model: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model").mkdir()
    Path("model/mine").write_text("mine")
    words = (server.url(), "--sha256", sha(model), "--insecure")
    code, said = run(capsys, *words)
    assert (code, server.requests) == (2, [])
    assert "--force replaces files of the same names" in said
    assert run(capsys, *words, "--force")[0] == 0
    assert listed(Path("model")) == ["mine", "model.onnx"]


# archives


def packed(folder: Path, name: str, kind: str) -> bytes:
    data = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(data, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, f"{name}{path.name}")
    else:
        with tarfile.open(fileobj=data, mode="w:gz") as archive_:
            for path in sorted(folder.iterdir()):
                archive_.add(path, f"{name}{path.name}")
    return data.getvalue()


@pytest.mark.parametrize(("ending", "name"), [("zip", ""), ("zip", "sorter/"), ("tar.gz", "sorter/")])
def test_an_archive_of_a_project_is_unpacked(
    ending: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = packed(colour_sorter(tmp_path / "sorter"), name, ending.partition(".")[0])
    with FileServer(content) as server:
        code, said = run(capsys, server.url(f"/s.{ending}"), "--sha256", sha(content), "--insecure")
    assert code == 0, said
    assert listed(Path("s")) == ["clip.avi", "model.onnx", "project.yaml"]
    assert check("s", environ={}) == []


def test_an_archive_of_one_model_becomes_a_project_with_a_task(
    model: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "m.onnx").write_bytes(model)
    content = packed(tmp_path / "inside", "deep/", "zip")
    (tmp_path / "a.zip").write_bytes(content)
    address = (tmp_path / "a.zip").as_uri()
    code, said = run(capsys, address, "--sha256", sha(content), "--task", "classification")
    assert code == 0, said
    assert "model: deep/m.onnx" in Path("a/project.yaml").read_text().replace('"', "")
    assert check("a", environ={}, overrides={"source": "synthetic:"}) == []


def test_an_archive_that_leads_out_of_its_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("../out.txt", "out")
    (tmp_path / "a.zip").write_bytes(data.getvalue())
    code, said = run(capsys, (tmp_path / "a.zip").as_uri(), "--sha256", sha(data.getvalue()))
    assert code == 2, said
    assert said.startswith("edge: a.zip is refused: '../out.txt'")
    assert listed(Path()) == []
    assert not (tmp_path / "out.txt").exists()


# progress, and being killed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_how_far_it_is(server: FileServer, model: bytes, tmp_path: Path) -> None:
    out = Terminal()
    wanted = pull.of_address(server.url(), sha(model), None)
    pull.pull(
        wanted,
        Path("place"),
        insecure=True,
        progress=Progress(out),
        environ={"XDG_CACHE_HOME": str(tmp_path)},
    )
    assert f"model  0 bytes of {len(model)} bytes  0 %" in out.getvalue()
    assert out.getvalue().endswith("\r\x1b[K")


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path) -> None:
    content = b"\x08\x09" + bytes(range(256)) * 4096
    folder = tmp_path / "work"
    with FileServer(content, block=1 << 14, pause=0.05) as server:
        words: list[Any] = ["model", "pull", server.url(), "--sha256", sha(content), "--insecure"]
        cache = str(tmp_path / "cache")
        process = edge_process.start(*words, folder=folder, XDG_CACHE_HOME=cache)
        try:
            _until(lambda: server.sent > 300_000, process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=20)
        assert listed(folder) == []
        (part,) = (tmp_path / "cache" / pull.CACHE).glob("*.part")
        before = part.stat().st_size
        assert 0 < before < len(content)
        server.behaviour.pause = 0.0
        done = edge_process.edge(*words, folder=folder, XDG_CACHE_HOME=cache)
        assert done.code == 0, done.output
        assert server.requests[-1][1] == f"bytes={before}-"
    assert (folder / "model" / "model.onnx").read_bytes() == content
    assert listed(tmp_path / "cache" / pull.CACHE) == [sha(content)]


def _until(true: Any, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 30
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ctrl_c_ends_it_at_once_with_130(tmp_path: Path) -> None:
    content = b"\x08\x09" + bytes(range(256)) * 4096
    with FileServer(content, block=1 << 12, pause=0.05) as server:
        words: list[Any] = ["model", "pull", server.url(), "--sha256", sha(content), "--insecure"]
        process = edge_process.start(*words, folder=tmp_path / "work", XDG_CACHE_HOME=str(tmp_path / "cache"))
        _until(lambda: server.sent > 50_000, process)
        done = edge_process.finish(process)
    assert (done.code, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr
    assert listed(tmp_path / "work") == []
