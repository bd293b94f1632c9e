"""Child processes: each is a Python module that starts, says it is ready, is watched, and never outlives us.

A child runs as `python -m edge.supervise --parent PID MODULE ARGUMENTS`, so that it can arrange its own end
before the module starts: doing that between fork and exec (`preexec_fn`) is not safe beside our threads.

Linux kills the child when the *thread* that started it ends. Therefore the thread that starts a child is the
one that waits for it, for as long as the child lives.
"""

import collections
import contextlib
import ctypes
import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO

from edge.errors import RunFailed

log = logging.getLogger(__name__)

READY = (
    "ready"  # the first word of the line of standard output that is the handshake; the rest is the child's
)
GRACE = 0.4  # seconds between SIGTERM and SIGKILL
LAST_LINES = 5  # kept for the sentence that says why a child ended
LOG_FORMAT = "%(levelname)s %(name)s: %(message)s"
LEVELS = {name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}
PR_SET_PDEATHSIG = 1


class Child:
    """A Python module as a child process, in a session of its own that Ctrl-C of our terminal does not reach.

    module: dotted name, run as `python -m` would.
    arguments: of the next start; may be replaced at any time (a restart then uses the new ones).
    name: what it is called in log lines.
    restarts: how often at most it is started again when it ends by itself.
    backoff: seconds before the first restart; doubled for each further one.
    environ: added to our own environment.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        name: str,
        restarts: int = 0,
        backoff: float = 0.5,
        grace: float = GRACE,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.module = module
        self.arguments = list(arguments)
        self.name = name
        self.restarted = 0
        self.returncode: int | None = None
        self._restarts = restarts
        self._backoff = backoff
        self._grace = grace
        self._environ = dict(environ or {})
        self._process: subprocess.Popen[str] | None = None
        self._word: str | None = None
        self._stopping = threading.Event()
        self._settled = threading.Event()  # the first handshake came, or never will
        self._spawning = threading.Lock()
        self._last: collections.deque[str] = collections.deque(maxlen=LAST_LINES)
        self._keeper = threading.Thread(target=self._keep, name=f"keeper of {name}", daemon=True)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stopping.is_set()

    def start(self, patience: float = 10.0) -> str:
        """Start and wait for the line `ready ...`; returns what stood behind `ready`.

        Raises RunFailed, and leaves nothing running, when the child ends or `patience` seconds pass first.
        """
        self._keeper.start()
        in_time = self._settled.wait(patience)
        if self._word is not None:
            return self._word
        why = self._why() if in_time else f"it was not ready within {patience:g} s"
        self.stop()
        raise RunFailed(f"{self.name} did not start: {why}")

    def terminate(self) -> None:
        """Ask it to end, and do not wait; it is not started again."""
        self._stopping.set()
        self._settled.set()
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL after the grace. Returns when it is gone; may be called twice."""
        self.terminate()
        if not self._keeper.is_alive():
            return
        self._keeper.join(self._grace)
        while self._keeper.is_alive():
            self._signal(signal.SIGKILL)
            self._keeper.join(0.1)

    def _keep(self) -> None:
        """Start, listen and wait, for as long as there shall be a child."""
        while not self._stopping.is_set():
            self._run_once()
            if self._stopping.is_set() or not self._again():
                break
        self._settled.set()

    def _run_once(self) -> None:
        with self._spawning:  # a stop() that comes meanwhile finds the process to signal
            if self._stopping.is_set():
                return
            self._last.clear()
            process = self._process = self._spawn()
        listener = threading.Thread(target=self._listen, args=(process.stdout,), daemon=True)
        listener.start()
        wait_unreaped(process.pid)
        kill_group(process.pid, signal.SIGKILL)  # what it started itself ends with it
        self.returncode = process.wait()
        listener.join(1.0)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _spawn(self) -> "subprocess.Popen[str]":
        boot = [sys.executable, "-P", "-u", "-m", "edge.supervise", "--parent", str(os.getpid())]
        return subprocess.Popen(
            [*boot, self.module, *self.arguments],
            stdin=subprocess.PIPE,  # never written to: its end tells the child that we are gone
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self._environ},
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    def _again(self) -> bool:
        if self.restarted >= self._restarts or self._word is None:
            if self._word is not None:
                log.error("%s ended (%s) and is not started again.", self.name, self._why())
            return False
        pause = self._backoff * 2**self.restarted
        self.restarted += 1
        counted = f"{self.restarted} of {self._restarts}"
        log.warning("%s ended (%s); it starts again in %g s (%s).", self.name, self._why(), pause, counted)
        return not self._stopping.wait(pause)

    def _why(self) -> str:
        code = self.returncode
        told = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return ": ".join([told, *[line for line in self._last if line][-1:]])

    def _listen(self, lines: IO[str]) -> None:
        level = logging.INFO
        for line in lines:
            text = line.rstrip()
            word, _, rest = text.partition(" ")
            if word == READY:
                self._word = rest
                self._settled.set()
            elif text:
                level = self._forward(text, level)

    def _forward(self, text: str, level: int) -> int:
        """Log a line at the level it names; a line that names none continues the one before."""
        word, _, rest = text.partition(" ")
        told = word in LEVELS
        if told:
            level, text = LEVELS[word], rest
        if not told or level >= logging.WARNING:
            self._last.append(text)
        log.log(logging.DEBUG if self.stopping else level, "%s: %s", self.name, text)
        return level

    def _signal(self, number: int) -> None:
        with self._spawning:
            if self._process is not None and self._process.poll() is None:
                kill_group(self._process.pid, number)


def stop_all(children: Sequence[Child]) -> None:
    """End several at once: all are asked, the last one first, before any is waited for."""
    for child in reversed(children):
        child.terminate()
    for child in children:
        child.stop()


def wait_unreaped(pid: int) -> None:
    """Wait until our child has ended, and leave it unreaped: its number stays its own until it is reaped."""
    if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def kill_group(pid: int, number: int) -> None:
    """Signal a process that leads its own session, and what it started; nothing happens when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def ready(word: str = "") -> None:
    """Called in a child: tell the parent that the work can begin, and a word with it (an address, say)."""
    sys.stdout.write(f"{READY} {word}\n")
    sys.stdout.flush()


def die_with(parent: int) -> None:
    """Called in a child: end when the parent does, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it was gone before we asked
            os._exit(1)
    else:
        threading.Thread(target=_wait_for_end_of_input, daemon=True).start()


def _wait_for_end_of_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(1)


def log_to_parent(level: int = logging.INFO) -> None:
    """Called in a child: log lines carry their level, so that the parent can log them at the same one."""
    logging.basicConfig(stream=sys.stdout, format=LOG_FORMAT, level=level)


def main(arguments: Sequence[str]) -> None:
    """`--parent PID MODULE ARGUMENTS...`: become MODULE, as a child that ends with its parent."""
    _, parent, module, *rest = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone answers Ctrl-C
    die_with(int(parent))
    log_to_parent()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
