"""A folder that gets all its new files together or none of them, and none of the old ones unasked."""

import contextlib
import glob
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from edge.errors import AlreadyThere, EdgeError
from edge.project import FILE
from edge.writable import can_be_written

MARK = ".unfinished-"  # in the name of a folder that is being filled, before the number of the process


class Delivery:
    """Use it in a `with`, which gives a folder to write to; `finish` puts what is there in its place.

    folder: where the files shall lie; made where it is missing. force: whether files of the same names that are
    there already are replaced; others stay. Raises AlreadyThere and EdgeError, before anything is made.
    """

    def __init__(self, folder: Path, *, force: bool = False) -> None:
        self.folder = folder.expanduser().absolute()
        self._made: Path | None = None
        if self.folder.exists() and not self.folder.is_dir():
            raise AlreadyThere(f"{folder} is a file; the folder to write to was expected")
        if self.folder.is_dir() and any(self.folder.iterdir()) and not force:
            raise AlreadyThere(
                f"the folder {folder} is not empty; --force replaces files of the same names in it"
            )
        if not can_be_written(self.folder):
            raise EdgeError(f"{folder} cannot be written")

    def __enter__(self) -> Path:
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._sweep()
            prefix = f".{self.folder.name}{MARK}{os.getpid()}-"
            self._made = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder.parent))
        except OSError as error:
            raise EdgeError(f"{self.folder.parent} cannot be written: {error.strerror}") from None
        return self._made

    def _sweep(self) -> None:
        """What was left behind by whoever was killed while writing to this folder."""
        for path in self.folder.parent.glob(f".{glob.escape(self.folder.name)}{MARK}*-*"):
            number = path.name.rpartition(MARK)[2].partition("-")[0]
            if number.isdecimal() and path.is_dir() and not _lives(int(number)):
                shutil.rmtree(path, ignore_errors=True)

    def finish(self) -> None:
        """The project's file comes last: until then a folder that runs is left as it was as far as can be."""
        assert self._made is not None, "use it in a with"
        _open_to_all(self._made)
        if not self.folder.exists():
            self._made.rename(self.folder)
            return
        files = [path for path in sorted(self._made.rglob("*")) if path.is_file()]
        for path in sorted(files, key=lambda path: path.name == FILE):
            target = self.folder / path.relative_to(self._made)
            if target.is_dir():
                raise AlreadyThere(f"{target} is a folder; a file was to be written there")
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._made is not None:
            with contextlib.suppress(OSError):
                shutil.rmtree(self._made)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _open_to_all(folder: Path) -> None:
    """As any folder that is made here: a temporary one is for its owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
