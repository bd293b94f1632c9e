"""The systemd unit, as systemd itself reads it."""

import shutil
import subprocess
from pathlib import Path

import edge_process

UNIT = edge_process.REPOSITORY / "packaging" / "lensracer.service"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Where systemd is not installed, that the keys are there by which it is started and watched."""
    text = UNIT.read_text()
    assert {"Type=notify", "WatchdogSec=60", "Restart=always"} <= set(text.splitlines())
    verify = shutil.which("systemd-analyze")
    if verify is not None:
        unit = tmp_path / UNIT.name  # with a program and a user that exist here
        unit.write_text(
            text.replace("/opt/lensracer/bin/edge", "/bin/true").replace("User=lensracer", "User=root")
        )
        done = subprocess.run(
            [verify, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
        )
        told = [line for line in done.stderr.splitlines() if UNIT.name in line]
        assert not told, done.stderr
