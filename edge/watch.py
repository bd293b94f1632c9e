"""Looks at the files of a project, and says when they have changed and the change is over."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from edge.golden import FOLDER as GOLDEN
from edge.project import Project
from inference.errors import InferenceError
from inference.files import model_files

log = logging.getLogger(__name__)

EVERY = 0.25  # seconds between two looks
QUIET = 0.5  # seconds without a further change: who writes a file has finished, or pauses and is heard again later
Sight = tuple[tuple[str, int, int, int], ...]


class Watch:
    """Calls `changed` on its own thread, once after each change.

    files: asked at each look. clock: monotonic seconds. every: seconds between looks. quiet: seconds without a change.
    """

    def __init__(
        self,
        files: Callable[[], Iterable[Path]],
        changed: Callable[[], object],
        *,
        clock: Callable[[], float],
        every: float = EVERY,
        quiet: float = QUIET,
    ) -> None:
        self._files = files
        self._changed = changed
        self._clock = clock
        self._every = every
        self._quiet = quiet
        self._told = self._seen = sight(files())
        self._since = clock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def look(self) -> bool:
        """Look once; whether a change is over and was told. A change that is undone meanwhile is none."""
        now, seen = self._clock(), sight(self._files())
        if seen != self._seen:
            self._seen, self._since = seen, now
        if self._seen == self._told or now - self._since < self._quiet:
            return False
        self._told = self._seen
        self._changed()
        return True

    def _work(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self.look()
            except Exception:  # whatever it is, the next look may go better, and the run goes on
                log.exception("the files of the project could not be looked at")


def sight(files: Iterable[Path]) -> Sight:
    """What a change of a file changes: its number, size and time; a missing file is seen as such."""
    return tuple(sorted(seen_of(path) for path in files))


def seen_of(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return str(path), -1, -1, -1
    return str(path), status.st_ino, status.st_size, status.st_mtime_ns


def files_of(project: Project) -> Iterator[Path]:
    """What a project is made of: its file, the model, labels, the hook and the code beside it, golden pictures."""
    folder = project.folder
    yield project.file
    if project.labels_file is not None:
        yield project.labels_file
    if not project.manifest.is_fake:
        try:
            yield from model_files(project.manifest.model)
        except (InferenceError, OSError):
            yield project.manifest.model
    yield from {*folder.glob("*.py"), *([project.hook] if project.hook is not None else [])}
    yield from folder.glob(f"{GOLDEN}/*")
