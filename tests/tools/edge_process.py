"""Runs the `edge` command as a user does: a process of its own, its output and exit code kept."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str
    report: dict[str, Any] | None

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "edge", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")}
    # Any free port for the pictures: whatever else runs on this machine may hold the usual one.
    return inherited | {"PYTHONPATH": str(REPOSITORY), "EDGE_HTTP__PORT": "0"} | more


def edge(*arguments: str | Path, folder: Path, timeout: float = 60, **env: str) -> Done:
    """Run to the end in `folder` (where the state goes too); the report is read if `--report` was among the words."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(XDG_STATE_HOME=str(folder / "state"), **env),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Done(done.returncode, done.stdout, done.stderr, report_in(arguments, folder))


def report_in(arguments: tuple[str | Path, ...], folder: Path) -> dict[str, Any] | None:
    words = list(map(str, arguments))
    if "--report" not in words:
        return None
    path = folder / words[words.index("--report") + 1]
    return json.loads(path.read_text()) if path.exists() else None


def start(*arguments: str | Path, folder: Path, **env: str) -> "subprocess.Popen[str]":
    """Start in a session of its own; end it with `finish`."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(XDG_STATE_HOME=str(folder / "state"), **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]", number: int = signal.SIGINT, timeout: float = 20) -> Done:
    """Send a signal, wait, and kill what does not end by itself."""
    process.send_signal(number)
    with process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
    return Done(process.returncode, stdout, stderr, None)
