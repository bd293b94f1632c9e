"""A model that is loaded ahead belongs to who takes it; one that nobody wants keeps nobody waiting."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from witness import wait_until

import inference
from edge import exits, signals
from edge.ahead import Ahead
from edge.errors import EdgeError
from inference.manifest import Manifest
from inference.model import Model

NEVER = 600  # seconds
# `edge`, with a model whose compiling takes for ever inside of a library, as nothing in Python interrupts it.
COMPILING = f"""
import ctypes, sys
from edge import cli, engine

def ready(config, manifest):
    print("compiling", flush=True)
    ctypes.CDLL(None).poll(None, 0, {NEVER * 1000})

engine.ready = ready
cli.main(sys.argv[1:])
"""


@pytest.fixture
def model() -> Iterator[Model]:
    manifest = Manifest(name="made-up", task="classification", model=Path("fake:classification:3"))
    made = inference.load(manifest)
    yield made
    made.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    text = "name: made-up\ntask: classification\nmodel: fake:classification:3\nlabels: [a, b, c]\n"
    (tmp_path / "project.yaml").write_text(text)
    return tmp_path


def is_closed(model: Model) -> bool:
    try:
        model.collect()
    except RuntimeError as error:
        return "closed" in str(error)
    return False


def late(model: Model, go: threading.Event) -> Callable[[], Model]:
    def load() -> Model:
        assert go.wait(NEVER)
        return model

    return load


def test_who_takes_a_model_waits_for_it_and_owns_it(model: Model) -> None:
    go = threading.Event()
    ahead = Ahead(late(model, go))
    threading.Timer(0.05, go.set).start()
    assert ahead.take() is model
    ahead.close()
    assert not is_closed(model)


def test_what_goes_wrong_while_loading_is_raised_where_the_model_is_taken() -> None:
    def load() -> Model:
        raise EdgeError("no such model")

    ahead = Ahead(load)
    with pytest.raises(EdgeError, match="no such model"):
        ahead.take()
    ahead.close()


def test_a_model_that_nobody_took_is_closed(model: Model) -> None:
    ahead = Ahead(lambda: model)
    ahead.close()
    assert is_closed(model)
    ahead.close()


def test_a_model_that_comes_after_nobody_wants_it_any_more_is_closed(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exits, "_left_behind", [])
    go = threading.Event()
    ahead = Ahead(late(model, go))
    ahead.close()
    assert not is_closed(model)
    go.set()
    wait_until(lambda: is_closed(model))


def test_a_ctrl_c_that_was_swallowed_ends_the_waiting(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    swallowed, go = threading.Event(), threading.Event()
    monkeypatch.setattr(signals, "_INTERRUPTED", swallowed)
    monkeypatch.setattr(exits, "_left_behind", [])
    ahead = Ahead(late(model, go))
    swallowed.set()
    with pytest.raises(KeyboardInterrupt):
        ahead.take()
    ahead.close()
    go.set()
    wait_until(lambda: is_closed(model))


def started(project: Path, *words: str) -> subprocess.Popen[str]:
    """`edge run`, at the moment when its model is being compiled."""
    command = [sys.executable, "-c", COMPILING, "run", str(project), *words]
    command += ["--set", f"spool.path={project / 'state'}", "--set", "http.enabled=false"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "compiling\n"
    return process


@pytest.mark.parametrize("after", [0.0, 1.5], ids=["at once", "while it waits for the model"])
def test_ctrl_c_ends_a_start_whose_model_is_being_compiled(project: Path, after: float) -> None:
    process = started(project, "--source", "synthetic:")
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "Traceback" not in told


def test_a_kill_ends_a_start_whose_model_is_being_compiled(project: Path) -> None:
    process = started(project, "--source", "synthetic:")
    process.terminate()
    assert process.wait(30) == -signal.SIGTERM
    process.communicate()


def test_a_start_that_fails_does_not_wait_for_its_model(project: Path) -> None:
    process = started(project, "--source", str(project / "nowhere.mp4"))
    _, told = process.communicate(timeout=30)
    assert process.returncode == 2, told
    assert "nowhere.mp4" in told
