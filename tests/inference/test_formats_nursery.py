"""A process that waits with the readers imported: its forks read under the same limits, and nothing outlives it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import models
import pytest
import swap_models
from witness import wait_until

from inference.errors import ModelInvalid
from inference.formats import nursery, vetting
from inference.formats.nursery import Nursery
from inference.formats.vetting import vet

ENOUGH: dict[str, Any] = {"memory_bytes": 3 << 30, "seconds": 60.0}


@pytest.fixture(scope="module")
def waiting() -> Iterator[Nursery]:
    """One for all tests of this file: to start it costs more than they do."""
    with nursery.opened() as kept:
        yield kept


def started(kept: Nursery) -> Any:
    process = kept._process
    assert process is not None
    return process


def test_one_process_serves_for_many_models(waiting: Nursery, tmp_path: Path) -> None:
    vet(models.classifier(tmp_path / "a.onnx"), **ENOUGH, cache=tmp_path / "cache")
    number = started(waiting).pid
    vet(models.classifier(tmp_path / "b.onnx", seed=5), **ENOUGH, cache=tmp_path / "cache")
    assert started(waiting).pid == number
    assert len(list((tmp_path / "cache" / "vetted").iterdir())) == 2


def test_a_crash_and_a_refusal_leave_it_as_it_is(waiting: Nursery, tmp_path: Path) -> None:
    vet(models.classifier(tmp_path / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")
    number = started(waiting).pid
    swap_models.crasher(tmp_path / "crasher.onnx")
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "m.onnx").read_bytes()[:-40])
    with pytest.raises(ModelInvalid, match=r"crasher\.onnx made its reader crash \(SIGFPE\)"):
        vet(tmp_path / "crasher.onnx", **ENOUGH, cache=tmp_path / "cache")
    with pytest.raises(ModelInvalid, match=r"cut\.onnx is not readable as an ONNX model"):
        vet(tmp_path / "cut.onnx", **ENOUGH, cache=tmp_path / "cache")
    assert started(waiting).pid == number


def test_a_fork_has_its_own_limits(waiting: Nursery, tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    with pytest.raises(ModelInvalid, match="cannot be read within 100 MB of memory"):
        vet(path, memory_bytes=100 << 20, seconds=60, cache=tmp_path / "cache")
    vet(path, **ENOUGH, cache=tmp_path / "cache")


def test_it_is_gone_when_it_is_closed_or_left_alone() -> None:
    command = vetting._command("import time; print('ready', flush=True); time.sleep(60)")
    with nursery.opened() as kept:
        with pytest.raises(TimeoutError):
            kept.run(command, {}, ["m.onnx"], 0.0)
        assert kept._process is None
    assert nursery.current() is not kept


@pytest.mark.parametrize("code", ["", "print('ready')", "print('something else', flush=True); input()"])
def test_where_it_does_not_start_a_child_of_its_own_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(vetting, "_WAITING", code)
    with nursery.opened():
        vet(models.classifier(tmp_path / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")
    assert list((tmp_path / "cache" / "vetted").iterdir())


def test_a_fork_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, time; from inference.formats import nursery\n"
    note = tmp_path / "number"
    code += (
        f"def work(arguments, answers): open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)\n"
    )
    monkeypatch.setattr(vetting, "_WAITING", vetting._PLACES + "\n" + code + "nursery.wait_for_work(work)")
    with nursery.opened(), pytest.raises(ModelInvalid, match=r"could not be read within 0\.5 s"):
        vet(models.classifier(tmp_path / "m.onnx"), memory_bytes=3 << 30, seconds=0.5, cache=tmp_path / "c")
    wait_until(lambda: gone(int(note.read_text())))


def test_it_ends_with_whoever_started_it(waiting: Nursery, tmp_path: Path) -> None:
    vet(models.classifier(tmp_path / "m.onnx"), **ENOUGH, cache=tmp_path / "cache")
    process = started(waiting)
    process.stdin.close()
    began = time.monotonic()
    assert process.wait(10) == 0
    assert time.monotonic() - began < 10
    waiting.rest()


def gone(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False
