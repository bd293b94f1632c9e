"""A replay beside a running loop: in a process of its own, behind it in priority, lest it slow the run."""

import json
import shutil
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from edge.config import Config
from edge.errors import RunFailed
from edge.exits import FAILED, GOOD

SECONDS = 600.0
NICE = "10"
TOLD = ("same", "project", "frames", "first", "stages", "identity", "changed_files", "notes")
MOST_TEXT = 200  # letters of a value in the answer
_ONE = threading.Lock()


def start(path: Path, config: Config, *, seconds: float = SECONDS) -> "Future[dict[str, Any]]":
    """Replay a recording with the recorded project, as it is now: `same` and the heads of `lensracer.replay/1`.

    config: of the run; its file is given to the child. The future raises RunFailed with a sentence where nothing could
    be compared, or not within so many seconds.
    """
    answer: Future[dict[str, Any]] = Future()
    if not _ONE.acquire(blocking=False):
        answer.set_exception(RunFailed("another replay is under way"))
        return answer

    def work() -> None:
        try:
            found = replayed(path, config, seconds)
        except Exception as error:
            _ONE.release()
            answer.set_exception(error)
        else:
            _ONE.release()
            answer.set_result(found)

    threading.Thread(target=work, name="replay", daemon=True).start()
    return answer


def replayed(path: Path, config: Config, seconds: float) -> dict[str, Any]:
    """Raises RunFailed."""
    try:
        done = subprocess.run(
            words(path, config),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise RunFailed(f"{path.name} was not replayed within {seconds:g} s") from None
    except OSError as error:
        raise RunFailed(f"no replay could be started: {error.strerror}") from error
    if done.returncode not in (GOOD, FAILED) or not done.stdout.strip():
        raise RunFailed(done.stderr.strip().rpartition("\n")[2].removeprefix("edge: ") or "the replay broke")
    told = json.loads(done.stdout)
    return {key: shortened(told[key]) for key in TOLD}


def words(path: Path, config: Config) -> list[str]:
    behind = ["nice", "-n", NICE] if shutil.which("nice") else []
    given = ["-c", str(config.file)] if config.file is not None else []
    return [*behind, sys.executable, "-m", "edge", "replay", str(path), "--json", "--log", "error", *given]


def shortened(value: Any) -> Any:
    """The same with long texts cut, for an answer has little room."""
    if isinstance(value, dict):
        return {key: shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value]
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return f"{value[: MOST_TEXT - 3]}..."
    return value
