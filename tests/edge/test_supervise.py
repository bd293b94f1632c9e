"""Child processes: handshake, log lines, endings, restarts, and that no child outlives us."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.errors import RunFailed
from edge.supervise import Child, stop_all

HEAD = "import sys, time, os\nfrom edge.supervise import ready"
Starter = Callable[..., Child]


def wait_for(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starter]:
    """Makes a Child of a module with the given text; all are stopped at the end."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made: list[Child] = []

    def make(text: str, *arguments: str, **options: object) -> Child:
        module = f"child_{len(made)}"
        (tmp_path / f"{module}.py").write_text(f"{HEAD}\n{text}")
        made.append(Child(module, arguments, name="the child", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    stop_all(made)


def test_a_child_hands_over_its_word_when_it_is_ready(child: Starter) -> None:
    made = child("ready('mqtt://' + sys.argv[1]); time.sleep(60)", "here")
    assert made.start() == "mqtt://here"
    assert made.alive


def test_a_child_that_ends_before_it_is_ready_is_said_with_its_last_words(child: Starter) -> None:
    made = child("sys.exit('the cupboard is bare')")
    with pytest.raises(RunFailed, match=r"the child did not start: exit code 1: the cupboard is bare"):
        made.start()
    assert not made.alive


def test_a_child_that_is_never_ready_is_ended_and_said(child: Starter) -> None:
    made = child("time.sleep(60)")
    with pytest.raises(RunFailed, match=r"not ready within 0.5 s"):
        made.start(patience=0.5)
    assert not made.alive


def test_log_lines_are_forwarded_at_their_own_level(child: Starter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    text = "import logging; logging.getLogger('x').error('broken\\npipe'); ready(); time.sleep(60)"
    child(text).start()
    assert wait_for(lambda: len(caplog.records) == 2)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [("ERROR", "the child: x: broken"), ("ERROR", "the child: pipe")]


def test_a_child_is_asked_to_end_before_it_is_killed(child: Starter, tmp_path: Path) -> None:
    text = "import signal; signal.signal(15, lambda *_: sys.exit(7)); ready(); time.sleep(60)"
    made = child(text)
    made.start()
    made.stop()
    assert made.returncode == 7


def test_a_child_that_does_not_listen_is_killed_after_the_grace(child: Starter) -> None:
    made = child("import signal; signal.signal(15, signal.SIG_IGN); ready(); time.sleep(60)", grace=0.2)
    made.start()
    began = time.monotonic()
    made.stop()
    assert made.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 1.0


def test_ctrl_c_is_left_to_the_parent(child: Starter) -> None:
    made = child("ready(str(os.getsid(0) == os.getpid())); time.sleep(60)")
    assert made.start() == "True"  # a session of its own: the terminal's Ctrl-C goes elsewhere
    assert made.pid is not None
    os.kill(made.pid, signal.SIGINT)
    time.sleep(0.2)
    assert made.alive


def test_a_child_that_ends_by_itself_is_started_again_as_often_as_promised(
    child: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    made = child("ready(); time.sleep(0.05); sys.exit(3)", restarts=2, backoff=0.01)
    made.start()
    assert wait_for(lambda: "not started again" in caplog.text)
    assert made.restarted == 2
    assert "the child ended (exit code 3); it starts again in 0.01 s (1 of 2)." in caplog.text


def test_a_restart_uses_the_newest_arguments(child: Starter, tmp_path: Path) -> None:
    text = "ready(); open(sys.argv[1], 'w').close(); time.sleep(60)"
    made = child(text, str(tmp_path / "first"), restarts=1, backoff=0.01)
    made.start()
    assert wait_for((tmp_path / "first").exists)
    made.arguments = [str(tmp_path / "second")]
    assert made.pid is not None
    os.kill(made.pid, signal.SIGKILL)
    assert wait_for((tmp_path / "second").exists)


def test_a_child_that_was_stopped_is_not_started_again(child: Starter) -> None:
    made = child("ready(); time.sleep(60)", restarts=3, backoff=0.01)
    made.start()
    made.stop()
    time.sleep(0.1)
    assert not made.alive
    assert made.restarted == 0


def test_what_a_child_started_ends_with_it(child: Starter) -> None:
    text = "import subprocess; ready(str(subprocess.Popen(['sleep', '60']).pid)); time.sleep(60)"
    made = child(text)
    grandchild = int(made.start())
    assert running(grandchild)
    assert made.pid is not None
    os.kill(made.pid, signal.SIGKILL)
    assert wait_for(lambda: not running(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_a_child_never_outlives_its_parent(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(f"{HEAD}\nready(); time.sleep(60)")
    script = (
        "from edge.supervise import Child; import time; child = Child('sleeper', name='the child')\n"
        "child.start(); print(child.pid, flush=True); time.sleep(60)"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert running(pid)
        parent.kill()
    assert wait_for(lambda: not running(pid))
