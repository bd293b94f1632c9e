"""The limits within which a model that was never seen before is read by a child process first."""

import logging
from pathlib import Path

from inference import private
from inference.formats.kinds import files_of
from inference.formats.vetting import vet

_log = logging.getLogger(__name__)
SECONDS = 120.0
BYTES = 2 << 30  # of memory, beside eight times the size of the files


def vetted(path: Path, cache: Path | None) -> None:
    """Let a child process read the model, unless it did before: `cache`, a private folder, remembers.

    With None, or a folder that is not private (a line in the log says so), nothing is remembered and nothing done.
    Raises ModelInvalid with a sentence for a model that crashes its reader, or wants too much.
    """
    if cache is None:
        return
    try:
        private.folder(cache)
    except OSError as error:
        _log.warning("%s is read without a trial by a child process: %s", path.name, error)
        return
    vet(path, memory_bytes=BYTES + 8 * size_of(path), seconds=SECONDS, cache=cache)


def size_of(path: Path) -> int:
    """Bytes of the files that make the model up."""
    parts = [each for part in files_of(path) for each in ([part] if part.is_file() else part.rglob("*"))]
    return sum(part.stat().st_size for part in parts if part.is_file())
