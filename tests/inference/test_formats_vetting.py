"""A model that was never seen is read in a child process, under limits, and reaches nothing outside its folder."""

import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import models
import onnx
import pytest

from inference.errors import ModelInvalid, ModelNotFound
from inference.formats import vetting
from inference.formats.onnx_data import external_files
from inference.formats.vetting import confine, vet

ENOUGH = {"memory_bytes": 3 << 30, "seconds": 60.0}


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The commands of the children that were started."""
    started: list[Any] = []
    run = vetting.subprocess.run

    def noted(command: Any, **more: Any) -> Any:
        started.append((command, more))
        return run(command, **more)

    monkeypatch.setattr(vetting.subprocess, "run", noted)
    return started


def instead(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Has the child run other code than the reader."""
    monkeypatch.setattr(vetting, "_BEGINNING", code)


def test_a_good_model_is_read_once_and_remembered(tmp_path: Path, children: list[Any]) -> None:
    path, cache = models.classifier(tmp_path / "m.onnx"), tmp_path / "cache"
    vet(path, **ENOUGH, cache=cache)
    vet(path, **ENOUGH, cache=cache)
    assert len(children) == 1
    (record,) = (cache / "vetted").iterdir()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE((cache / "vetted").stat().st_mode) == 0o700


def test_a_changed_model_is_read_again(tmp_path: Path, children: list[Any]) -> None:
    path, cache = models.classifier(tmp_path / "m.onnx"), tmp_path / "cache"
    vet(path, **ENOUGH, cache=cache)
    models.classifier(path, seed=8)
    vet(path, **ENOUGH, cache=cache)
    assert len(children) == 2


def test_the_child_gets_no_secrets(
    tmp_path: Path, children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    vet(models.classifier(tmp_path / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")
    ((_, more),) = children
    assert "hidden" not in str(more["env"])
    assert set(more["env"]) <= {*vetting._PASSED_ON, "LANG", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS"}


def test_a_damaged_model_is_refused_by_its_name_and_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(models.classifier(tmp_path / "good.onnx").read_bytes()[:-40])
    with pytest.raises(ModelInvalid, match=r"m\.onnx is not readable as an ONNX model"):
        vet(path, **ENOUGH, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_model_that_is_missing_is_named_without_a_child(tmp_path: Path, children: list[Any]) -> None:
    with pytest.raises(ModelNotFound, match=r"m\.onnx does not exist"):
        vet(tmp_path / "m.onnx", **ENOUGH, cache=tmp_path / "cache")
    assert not children


def test_a_crash_of_the_reader_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})")
    with pytest.raises(ModelInvalid, match=r"m\.onnx made its reader crash \(SIGSEGV\)"):
        vet(models.classifier(tmp_path / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")


def test_a_reader_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "import time; time.sleep(60)")
    path, begin = models.classifier(tmp_path / "m.onnx"), time.monotonic()
    with pytest.raises(
        ModelInvalid, match=r"m\.onnx could not be read within 0\.5 s; its reader was stopped"
    ):
        vet(path, memory_bytes=3 << 30, seconds=0.5, cache=tmp_path / "cache")
    assert time.monotonic() - begin < 5


def test_too_little_memory_is_a_sentence(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    with pytest.raises(ModelInvalid, match=r"m\.onnx cannot be read within 100 MB of memory"):
        vet(path, memory_bytes=100 << 20, seconds=60, cache=tmp_path / "cache")


@pytest.mark.parametrize("answer", ["", "[]", "{}", "pages of messages " * 5000])
def test_an_answer_that_makes_no_sense_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    instead(monkeypatch, f"print({answer[:18]!r} * {len(answer) // 18 or 1})")
    with pytest.raises(ModelInvalid, match=r"m\.onnx made its reader end with code 0 and no answer"):
        vet(models.classifier(tmp_path / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")


def test_the_child_can_write_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; sys.path.insert(0, __import__('json').loads(sys.argv[1])[0])\n"
    code += "from inference.formats import vetting\n"
    code += f"vetting._read = lambda path: open({str(tmp_path / 'evil')!r}, 'wb', 0).write(b'x' * 100)\n"
    instead(monkeypatch, code + "vetting.child(sys.argv[2:])")
    with pytest.raises(ModelInvalid, match="File too large"):
        vet(models.classifier(tmp_path / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")
    assert (tmp_path / "evil").stat().st_size == 0


def with_external(path: Path, location: str) -> Path:
    """A model whose only tensor lies in another file."""
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[2])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:], [tensor])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../secret.bin", "a/../../secret.bin", "..\\secret.bin", ""]
)
def test_external_data_outside_the_folder_is_refused_before_reading(
    tmp_path: Path, location: str, children: list[Any]
) -> None:
    path = with_external(tmp_path / "m.onnx", location)
    with pytest.raises(ModelInvalid, match="outside its own folder"):
        vet(path, **ENOUGH, cache=tmp_path / "cache")
    assert not children


def test_external_data_in_a_subgraph_is_found(tmp_path: Path) -> None:
    inner = onnx.load(with_external(tmp_path / "m.onnx", "../up.bin"), load_external_data=False).graph
    node = onnx.helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    outer = onnx.helper.make_model(onnx.helper.make_graph([node], "o", [], []))
    (tmp_path / "m.onnx").write_bytes(outer.SerializeToString())
    with pytest.raises(ModelInvalid, match=r"'\.\./up\.bin', outside its own folder"):
        external_files(tmp_path / "m.onnx")


def test_external_data_within_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(bytes(8))
    path = with_external(tmp_path / "m.onnx", "data/w.bin")
    assert external_files(path) == (tmp_path / "data" / "w.bin",)
    vet(path, **ENOUGH, cache=tmp_path / "cache")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, children: list[Any]) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "w.bin").symlink_to(tmp_path / "elsewhere.bin")
    (tmp_path / "elsewhere.bin").write_bytes(bytes(8))
    path = with_external(tmp_path / "inner" / "m.onnx", "w.bin")
    with pytest.raises(ModelInvalid, match=r"w\.bin leads to .*elsewhere\.bin, outside the model's folder"):
        vet(path, **ENOUGH, cache=tmp_path / "cache")
    assert not children


def test_the_weights_of_an_ir_must_not_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "ir").mkdir()
    (tmp_path / "ir" / "m.xml").write_text("<net/>")
    (tmp_path / "ir" / "m.bin").symlink_to("../m.bin")
    with pytest.raises(ModelInvalid, match=r"m\.bin leads to"):
        confine(tmp_path / "ir" / "m.xml")


def test_a_link_within_the_folder_and_a_linked_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    models.classifier(tmp_path / "real" / "v2.onnx")
    (tmp_path / "real" / "m.onnx").symlink_to("v2.onnx")
    (tmp_path / "current").symlink_to("real")
    confine(tmp_path / "current" / "m.onnx")


def test_a_script_folder_cannot_change_what_the_child_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inference.py").write_text("raise SystemExit(3)")
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    vet(models.classifier(Path(os.fspath(tmp_path)) / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")
