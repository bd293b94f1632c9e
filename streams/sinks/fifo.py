"""A named pipe that holds one source's pictures as MJPEG, as DeepLens had: JPEGs one after the other.

Written off the loop, the newest picture only, and only while somebody reads. A reader that comes late, that is slow,
that goes away in the middle of a picture or that never comes holds up nobody.
"""

import contextlib
import errno
import logging
import os
import select
import stat
import threading
from pathlib import Path

from streams.sinks.album import Album, Side
from streams.sinks.gate import SinkInvalid

log = logging.getLogger(__name__)

LOOK_ROUND_S = 0.2  # how often it is looked whether somebody reads, or whether to end
PRIVATE = 0o600


class Fifo:
    """The pipe at `path` with one side of an album.

    `setting`: the key of the path, for the sentences. `readers` counts those that came, `written` whole pictures.
    Raises SinkInvalid where the path is taken by what is no pipe of ours: a file, a link, somebody else's pipe.
    """

    def __init__(self, path: Path, album: Album, side: Side, setting: str = "") -> None:
        self.path, self.album, self.side = path, album, side
        self.readers = self.written = 0
        self._setting = setting or f"streams.fifo.{side}"
        self._made: tuple[int, int] | None = None
        self._stopping = threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name=f"fifo-{album.source}-{side}", daemon=True)
        self.check()

    def check(self) -> None:
        """Raises SinkInvalid where no pipe of ours is or could be at the path. Makes nothing."""
        folder = self.path.parent
        try:
            around = folder.stat()
        except OSError as error:
            raise self._invalid(f"the folder {folder} cannot be used: {error.strerror}") from None
        open_to_all = around.st_mode & 0o022 and not around.st_mode & stat.S_ISVTX
        if open_to_all and around.st_uid != os.geteuid():
            raise self._invalid(f"anybody could put something else into {folder}, which others may write")
        with contextlib.suppress(FileNotFoundError):
            self._require_ours(os.lstat(self.path))

    def start(self) -> None:
        """Makes the pipe, unless it is there, and waits for readers. Raises SinkInvalid."""
        self._make()
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Ends, and removes the pipe if it was made here."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        with contextlib.suppress(OSError):
            there = os.lstat(self.path)
            if stat.S_ISFIFO(there.st_mode) and (there.st_dev, there.st_ino) == self._made:
                self.path.unlink()
        self._made = None

    def _make(self) -> None:
        """A pipe for this user alone."""
        self.check()
        try:
            os.mkfifo(self.path, PRIVATE)
        except FileExistsError:
            self._require_ours(os.lstat(self.path))
        except OSError as error:
            raise self._invalid(f"{self.path} cannot be made: {error.strerror}") from None
        else:
            made = os.lstat(self.path)
            self._made = (made.st_dev, made.st_ino)

    def _require_ours(self, there: os.stat_result) -> None:
        if not stat.S_ISFIFO(there.st_mode):
            kind = "a link" if stat.S_ISLNK(there.st_mode) else "no named pipe"
            raise self._invalid(f"{self.path} is there and is {kind}; name a path that is free")
        if there.st_uid != os.geteuid():
            raise self._invalid(f"{self.path} is a named pipe of another user (number {there.st_uid})")

    def _invalid(self, sentence: str) -> SinkInvalid:
        return SinkInvalid(f"{self._setting}: {sentence}")

    def _run(self) -> None:
        while not self._stopping.is_set():
            pipe = self._opened()
            if pipe is None:
                self._stopping.wait(LOOK_ROUND_S)
                continue
            self.readers += 1
            try:
                self._show(pipe)
            finally:
                os.close(pipe)

    def _opened(self) -> int | None:
        """The pipe, once somebody reads; None while nobody does, or where it is not ours any more."""
        try:
            pipe = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:  # somebody tidied up
            self._again()
            return None
        except OSError as error:
            if error.errno != errno.ENXIO:
                self._complain(f"{self.path} cannot be written: {error.strerror}")
            return None
        try:
            self._require_ours(os.fstat(pipe))
            os.fchmod(pipe, PRIVATE)
        except (SinkInvalid, OSError) as error:
            os.close(pipe)
            self._complain(str(error))
            return None
        return pipe

    def _again(self) -> None:
        try:
            self._make()
        except SinkInvalid as error:
            self._complain(str(error))

    def _complain(self, sentence: str) -> None:
        if sentence != self._trouble:
            self._trouble = sentence
            log.warning("%s", sentence)

    def _show(self, pipe: int) -> None:
        """The newest picture whenever the reader has taken the one before, until it is gone or all ends."""
        look = select.poll()
        look.register(pipe, select.POLLOUT)
        seen = self.album.come(self.side)
        try:
            while not self._stopping.is_set() and not self.album.ended:
                seen, picture = self.album.after(seen, self.side, LOOK_ROUND_S)
                if _gone(look):
                    return
                if picture is not None and not self._write(pipe, look, picture.jpeg):
                    return
        finally:
            self.album.go()

    def _write(self, pipe: int, look: select.poll, picture: bytes) -> bool:
        """All of a picture, for as long as it takes; False if the reader left, or all ends."""
        rest = memoryview(picture)
        while rest:
            try:
                rest = rest[os.write(pipe, rest) :]
            except BlockingIOError:
                if self._stopping.is_set() or _gone(look, LOOK_ROUND_S):
                    return False
            except OSError:
                return False
        self.written += 1
        return True


def _gone(look: select.poll, seconds: float = 0.0) -> bool:
    """Whether nobody reads any more; waits so long at most for room or for that."""
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in look.poll(seconds * 1000))
