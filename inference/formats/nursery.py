"""A process that has imported the readers of models and waits, so that the child that reads one is a fork of it.

To start Python and import a reader costs a third of a second of processor time, which a running loop feels; a fork
of a process that did it before costs a hundredth. `opened` keeps one while several models are to be read; without,
each child starts from nothing. The waiting process looks at no model itself, and ends with whoever opened it.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

LONGEST_ANSWER = 1 << 16  # bytes
_STARTED = 30.0  # seconds that the process may take to be ready
_MORE = 2.0  # seconds beyond a child's own that its keeper may take to answer
_TOO_SLOW = "too slow"


class Ended(NamedTuple):
    """How a child ended. returncode: below 0 the number of the signal. answer: what it said."""

    returncode: int
    answer: bytes


class Nursery:
    """The waiting process, started when it is first needed. One thread at a time uses it; others wait."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(
        self, command: Sequence[str], environ: Mapping[str, str], arguments: Sequence[str], seconds: float
    ) -> Ended | None:
        """Have a fork work on `arguments`; None where the process is of no use: then a child of one's own is needed.

        command, environ: how the process is started. Raises TimeoutError after `seconds`; the fork is gone then.
        """
        with self._lock:
            try:
                return self._asked(command, environ, arguments, seconds)
            except (OSError, ValueError, TypeError, KeyError) as error:
                self._end()
                if isinstance(error, TimeoutError):
                    raise
                return None

    def rest(self) -> None:
        """End the process; the next model starts another. Returns when it is gone."""
        with self._lock:
            self._end()

    def _asked(
        self, command: Sequence[str], environ: Mapping[str, str], arguments: Sequence[str], seconds: float
    ) -> Ended | None:
        process = self._process
        if process is None or process.poll() is not None:
            self._end()
            self._process = process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=dict(environ),
                start_new_session=True,
            )
            _ready(process)
        assert process.stdin is not None
        process.stdin.write(json.dumps([list(arguments), seconds]).encode() + b"\n")
        process.stdin.flush()
        said = json.loads(_line(process, time.monotonic() + seconds + _MORE))
        if said["returncode"] == _TOO_SLOW:
            raise TimeoutError
        return Ended(int(said["returncode"]), str(said["answer"]).encode())

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a fork that is still at work, too
        process.wait()
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()


_open: list[Nursery] = []


@contextlib.contextmanager
def opened() -> Iterator[Nursery]:
    """Children are forks of one waiting process while inside, on whichever thread; it is gone afterwards."""
    nursery = Nursery()
    _open.append(nursery)
    try:
        yield nursery
    finally:
        _open.remove(nursery)
        nursery.rest()


def current() -> Nursery | None:
    """The one that was opened last; None if none is."""
    return _open[-1] if _open else None


def wait_for_work(work: Callable[[Sequence[str], int], object]) -> NoReturn:
    """The whole life of the waiting process: forks a child for each line that comes, until no more can come.

    work: what the child does with the arguments and the number of the file that its answer goes to.
    """
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    asked = os.fdopen(os.dup(0), "rb")
    for standard in (0, 1):
        os.dup2(nowhere, standard)
    os.write(answers, b"ready\n")
    for line in asked:
        arguments, seconds = json.loads(line)
        said = _tended(work, arguments, float(seconds), (answers, asked.fileno()))
        os.write(answers, json.dumps(said).encode() + b"\n")
    os._exit(0)


def _tended(
    work: Callable[[Sequence[str], int], object],
    arguments: Sequence[str],
    seconds: float,
    ours: Sequence[int],
) -> dict[str, Any]:
    """What a fork says and how it ends, or that it took too long; `ours`, open files, are none of its business."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        for number in (reading, *ours):
            os.close(number)
        try:
            work(arguments, writing)
        finally:
            os._exit(1)
    os.close(writing)
    answer = _heard(reading, time.monotonic() + seconds)
    os.close(reading)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    code: int | str = _TOO_SLOW if answer is None else os.waitstatus_to_exitcode(status)
    return {"returncode": code, "answer": (answer or b"").decode(errors="replace")}


def _heard(number: int, deadline: float) -> bytes | None:
    """All that comes until the other end is closed, of which no more is kept than an answer has; None if too late."""
    kept = b""
    while True:
        ready, _, _ = select.select([number], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        block = os.read(number, LONGEST_ANSWER)
        if not block:
            return kept
        kept = (kept + block)[:LONGEST_ANSWER]


def _ready(process: "subprocess.Popen[bytes]") -> None:
    """Waits until it has started. Raises ValueError."""
    try:
        word = _line(process, time.monotonic() + _STARTED)
    except TimeoutError:
        word = b""
    if word != b"ready\n":
        raise ValueError("the process did not start")


def _line(process: "subprocess.Popen[bytes]", deadline: float) -> bytes:
    """The next line. Raises TimeoutError, ValueError for an end or a line that is too long."""
    assert process.stdout is not None
    number, kept = process.stdout.fileno(), b""
    while not kept.endswith(b"\n"):
        ready, _, _ = select.select([number], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        block = os.read(number, LONGEST_ANSWER)
        kept += block
        if not block or len(kept) > 8 * LONGEST_ANSWER:
            raise ValueError("no line")
    return kept
