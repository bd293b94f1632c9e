"""Records what a running loop does: `start`, `stop`, at most one recording at a time."""

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from edge import build, engine, redaction, version
from edge import config as configuration
from edge.config.origin import DEFAULT
from edge.errors import AlreadyThere, RecordingRefused
from edge.project import Project
from edge.recording import Bounds, Session
from edge.watch import files_of
from streams import clock as wall
from streams import envelope
from streams.recording import SUFFIX, Writer

FOLDER = "recordings"  # in the state folder of the thing
MAX_BYTES = 1 << 30
LEAST_BYTES = 64 << 10
MOST_SECONDS = 3600.0  # of a recording that is asked for from outside
MOST_KEPT = 2 << 30  # bytes of all that were asked for from outside
PATIENCE = 10.0  # seconds that the writer may take for what waits
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Wish(NamedTuple):
    """What `edge record` is asked. seconds: None for as long as the run lasts."""

    path: Path
    seconds: float | None = None
    max_bytes: int = MAX_BYTES


class Recorder:
    """The recordings of one run. `start`, `stop` and `status` may be called on any thread."""

    def __init__(self, runtime: build.Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._asked = False  # whether a recording is what this run is for
        self._folder = runtime.config.spool.folder(runtime.config.thing) / FOLDER

    def start(self, seconds: float, name: str) -> str:
        """Record from now on, for so many seconds at most; the path of the file.

        name: small letters, digits, `_` and `-`, at most 64; the file is `recordings/NAME.recording` in the thing's
        state folder. The file may take 1 GiB, all in that folder together 2 GiB, and half of what the disk has free.
        Raises RecordingRefused, AlreadyThere for a name that is taken, and OSError.
        """
        path = self._place(name)
        if not 0 < seconds <= MOST_SECONDS:
            raise RecordingRefused(
                f"a recording takes more than 0 and at most {MOST_SECONDS:g} s, not {seconds!r}"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        self._begin(Wish(path, seconds, max_bytes=self._room()), from_start=False)
        return str(path)

    def path_of(self, name: str) -> Path:
        """The file of a recording that `start` made. Raises RecordingRefused where there is none, or it goes on."""
        path = self._place(name)
        if not path.is_file():
            raise RecordingRefused(f"there is no recording named {name}")
        session = self._session
        if session is not None and not session.wait(0.0) and session.summary()["file"] == str(path):
            raise RecordingRefused(f"{name} is being recorded")
        return path

    def _place(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise RecordingRefused(
                f"a recording's name has small letters, digits, _ and -, at most 64; got {name[:80]!r}"
            )
        return self._folder / f"{name}{SUFFIX}"

    def begin(self, wish: Wish) -> None:
        """Record from the very first frame: to be called before any source has begun. Raises as `start` does."""
        self._asked = True
        self._begin(wish, from_start=True)

    def close(self) -> str | None:
        """The run is over, and with it a recording that is under way. A sentence if this run was to record, and what
        came of it is not whole."""
        session = self._session
        if session is None:
            return None
        session.finish("end")
        if not session.wait(PATIENCE):
            return f"{session.summary()['file']} is not wholly written after {PATIENCE:g} s"
        return session.summary()["error"] if self._asked else None

    def stop(self) -> dict[str, Any]:
        """End the recording, if one is under way, and wait until its file is closed; what `status` gives.

        Raises RecordingRefused where nothing was recorded in this run.
        """
        session = self._session
        if session is None:
            raise RecordingRefused("nothing is being recorded")
        session.finish("asked")
        session.wait(PATIENCE)
        return session.summary()

    def status(self) -> dict[str, Any] | None:
        """Of the present recording, or the last one of this run: `file`, `frames`, `lost` (frames that found no room),
        `holes` (of which numbers), `bytes`, `ended` (why: end, asked, seconds, bytes, swap, failed; ""
        while it goes on), `error`."""
        return self._session.summary() if self._session is not None else None

    @property
    def over(self) -> bool:
        """Whether a recording of this run has come to its end."""
        return self._session is not None and self._session.ended

    def _begin(self, wish: Wish, *, from_start: bool) -> None:
        with self._lock:
            if self._session is not None and not self._session.wait(0.0):
                raise RecordingRefused(f"a recording is under way: {self._session.summary()['file']}")
            runtime = self._runtime
            bounds = Bounds(wish.seconds, wish.max_bytes)
            session = Session(
                written(wish, header(runtime, bounds, from_start=from_start)),
                bounds,
                runtime.model,
                patient=from_start and not runtime.live,
                from_start=from_start,
                clock=runtime.clock,
                over=self._let_go,
            )
            self._session = session
            session.start()
            runtime.tap.listener = session

    def _let_go(self) -> None:
        self._runtime.tap.listener = None

    def _room(self) -> int:
        """Bytes that one more recording may take. Raises RecordingRefused and OSError."""
        kept = sum(path.stat().st_size for path in self._folder.glob(f"*{SUFFIX}"))
        space = os.statvfs(self._folder)
        room = min(MAX_BYTES, MOST_KEPT - kept, space.f_bavail * space.f_frsize // 2)
        if room < LEAST_BYTES:
            raise RecordingRefused(
                f"there is no room for a recording: those in {self._folder} have {kept} bytes of {MOST_KEPT}, and the "
                f"disk has {space.f_bavail * space.f_frsize} free; remove some"
            )
        return room


def written(wish: Wish, told: dict[str, Any]) -> Writer:
    """Raises AlreadyThere and RecordingRefused."""
    try:
        return Writer(wish.path, told, wish.max_bytes)
    except FileExistsError:
        raise AlreadyThere(f"{wish.path} is there already; a recording never replaces a file") from None
    except ValueError as error:
        raise RecordingRefused(str(error)) from None
    except OSError as error:
        raise RecordingRefused(f"{wish.path} cannot be written: {error.strerror}") from None


def header(runtime: build.Runtime, bounds: Bounds, *, from_start: bool) -> dict[str, Any]:
    """What a recording begins with: who made it, of what, and with which settings; nothing secret."""
    now = runtime.clock()
    project = runtime.project
    told = {
        "made_by": version.describe(),
        "began": envelope.times(now, wall.wall_ms(), now),
        "from_start": from_start,
        "thing": runtime.config.thing,
        "sources": {
            name: {"describes": feed.status().describes, "live": name in runtime.live}
            for name, feed in runtime.feeds.items()
        },
        "project": identity(project),
        "model": runtime.model.identity._asdict(),
        "labels": list(runtime.model.labels),
        "engine": running(runtime),
        "config": [row for row in configuration.shown(runtime.config) if row["origin"] != str(DEFAULT)],
        "bounds": bounds._asdict(),
    }
    plain: dict[str, Any] = json.loads(redaction.hide(json.dumps(told, default=str)))
    return plain


def running(runtime: build.Runtime) -> dict[str, Any]:
    """How the model runs, as `inference.load` was told; where it ran at last is in the model's identity."""
    settings = engine.settings(runtime.config, runtime.project.manifest)
    tuning = settings["tuning"]
    return {
        "backend": settings["backend"],
        "device": settings["device"],
        "requests": runtime.model.requests,
        "hint": tuning.hint,
        "threads": tuning.threads,
        "threshold": runtime.model.threshold,
        "own_threshold": runtime.model.own_threshold,
    }


def identity(project: Project) -> dict[str, Any]:
    """A project's name, task and folder, what stood in place of its file's values, and the digests of its files."""
    files = dict(digests(project))
    whole = hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in sorted(files.items())).encode())
    return {
        "name": project.name,
        "task": project.manifest.task,
        "folder": str(project.folder),
        "overrides": dict(project.overrides),
        "files": files,
        "sha256": whole.hexdigest(),
    }


def digests(project: Project) -> Iterator[tuple[str, str]]:
    """The SHA-256 of each file that a project is made of, by its path from the project's folder."""
    for path in sorted(set(files_of(project))):
        inside = path.relative_to(project.folder) if path.is_relative_to(project.folder) else path
        with contextlib.suppress(OSError):
            yield str(inside), sha256_of_file(path)


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
