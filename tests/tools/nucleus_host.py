"""What a nucleus does with a component's process: starts it, watches it, and gives it up when it fails."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nucleus import Nucleus
from witness import wait_until

MOST_ERRORS = 3  # within an hour, by both nuclei: then the component is BROKEN


class Host:
    """One component on one nucleus. root: where work and artifacts lie, as below /greengrass/v2.

    states: what became of it, in order: STARTING, RUNNING, ERRORED, BROKEN, FINISHED.
    """

    def __init__(self, nucleus: Nucleus, root: Path, component: str, environ: Mapping[str, str]) -> None:
        self.nucleus, self.root, self.component = nucleus, root, component
        self.work = root / "work" / component
        self.work.mkdir(parents=True, exist_ok=True)
        self.states: list[str] = []
        self.errors = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._environ = dict(environ)

    def start(self, command: list[str], thing: str = "cam-1") -> None:
        """Start the process with a token of its own; its output goes to the component's log."""
        environ = self._environ | self.nucleus.environment(self.component, thing)
        self.states.append("STARTING")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.work, env=environ, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def log(self) -> Path:
        return self.root / f"{self.component}.log"

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def reported(self, state: str, timeout: float = 30.0) -> None:
        """Wait until the component has said so of itself. Raises AssertionError with its log."""
        told = self.nucleus.components[self.component].states
        self.until(lambda: state in told, timeout)

    def until(self, happened: Callable[[], Any], timeout: float = 30.0) -> None:
        try:
            wait_until(happened, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; the component said:\n{self.text[-3000:]}") from None

    def ended(self, timeout: float = 10.0) -> int:
        """Wait for the end of the process; its exit code. An error is counted as the nucleus counts it."""
        assert self.process is not None
        code = self.process.wait(timeout)
        if code != 0:
            self.errors += 1
            self.states.append("BROKEN" if self.errors >= MOST_ERRORS else "ERRORED")
        else:
            self.states.append("FINISHED")
        return code

    def stop(self, patience: float = 5.0) -> float:
        """As the classic nucleus stops: SIGTERM, five seconds, SIGKILL. Seconds that it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
