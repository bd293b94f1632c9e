"""Sources of frames by address: what a reader is, and which one an address means.

| address | what |
|---|---|
| `camera:0`, `camera:/dev/video0`, `/dev/video0` | a camera by number or path, `/dev/v4l/by-id/...` too |
| `clip.mp4`, `file:clip.mp4` | a video, or a single picture |
| `folder/` | its pictures (jpg, png, bmp, webp) in the order of their names |
| `rtsp://`, `rtsps://`, `http://`, `https://` | a network camera, an MJPEG stream, or a video on a server |
| `recording:yard.recording`, `recording:FILE?source=front` | the frames of a recording, see docs/record.md |
| `synthetic:?size=1280x720&rate=30&seed=7` | a moving picture made here, the same for the same seed |
"""

import logging
import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from kernels.formats import Picture, PixelFormat
from streams.detail import Detail
from streams.errors import SourceInvalid, SourceNotFound
from streams.redact import redact_uri

SCHEMES = ("camera:", "file:", "http://", "https://", "rtsp://", "rtsps://", "recording:", "synthetic:")
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")
_PACES = ("fast", "realtime")

log = logging.getLogger(__name__)


class Shot(NamedTuple):
    """One picture as a reader gives it.

    pixels: uint8, C-contiguous, laid out as `format` says; nobody writes into it while anybody holds it.
    stamp: when it was taken by the driver's own clock, seconds, where the driver tells; not yet believed.
    due: not to be handed on before this monotonic time, where the source keeps a pace.
    jpeg: the very bytes that the camera delivered, where these are a JPEG of this picture.
    whole: (height, width) of that JPEG, where `pixels` hold it at a part of its size.
    """

    pixels: Picture
    format: PixelFormat = PixelFormat.BGR
    stamp: float | None = None
    due: float | None = None
    jpeg: bytes | None = None
    whole: tuple[int, int] | None = None


class Reader(Protocol):
    """One source, used by one thread at a time. It may be opened again after `close`."""

    @property
    def live(self) -> bool:
        """Whether the world goes on while nobody reads: old pictures are dropped, a lost one is reopened."""
        ...

    @property
    def notice(self) -> str | None:
        """A sentence on what was odd though not wrong, such as a video that ends before its header says."""
        ...

    def describe(self) -> str:
        """What this is, for people; holds no secret, needs no `open`, may be called from any thread."""
        ...

    def open(self) -> None:
        """Raises SourceUnavailable where trying again may help, else SourceInvalid or SourceNotFound."""
        ...

    def read(self) -> Shot | None:
        """The next picture, waiting for it a few seconds at most; None at the end, and from then on.

        Raises BadFrame for one picture that cannot be decoded, SourceUnavailable for a source that is lost or
        was not opened.
        """
        ...

    def close(self) -> None:
        """Let go of everything. May be called twice, and without `open`."""
        ...


def reader(
    uri: str,
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    loop: bool | None = None,
    pace: str | None = None,
    detail: Detail | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Reader:
    """The reader for an address; nothing is opened yet.

    size: (width, height) in pixels asked of a camera or of `synthetic:`. rate: pictures a second, likewise,
    and of a file or folder at pace realtime. loop: begin anew at the end of a file or folder. pace: "fast"
    (the default) or "realtime", for files and folders. detail: how much of each JPEG to decode; None: all.
    clock: monotonic seconds, used for the pace. Raises SourceInvalid for what can never work, SourceNotFound for
    a file or folder that is not there. A camera that is not there is no error yet: it may be plugged in.
    """
    _check(uri, size, rate, pace)
    detail = detail or Detail()
    realtime = pace == "realtime"
    scheme = _scheme(uri)
    if size is not None and scheme not in ("camera", "synthetic"):
        log.warning("%s keeps its own size; `size` is for cameras and synthetic:", redact_uri(uri))
    if scheme == "camera":
        from streams.sources.camera import Camera, device

        return Camera(
            device(uri.partition(":")[2] if uri.lower().startswith("camera:") else uri),
            size,
            rate,
            detail=detail,
        )
    if scheme == "synthetic":
        from streams.sources.synthetic import synthetic

        return synthetic(uri, size, rate, clock)
    if scheme in ("rtsp", "rtsps", "http", "https"):
        from streams.sources.network import network

        return network(
            _checked_url(uri), rate=rate, loop=bool(loop), realtime=realtime, detail=detail, clock=clock
        )
    if scheme == "recording":
        from streams.sources.recording import Recorded, parted

        path, name = parted(uri.partition(":")[2])
        if not path.exists():
            raise SourceNotFound(f"the recording {path} does not exist, seen from {Path.cwd()}")
        return Recorded(path, name, loop=bool(loop), realtime=realtime, detail=detail, clock=clock)
    return _local(_path(uri), rate, bool(loop), realtime, detail, clock)


def _local(
    path: Path, rate: float | None, loop: bool, realtime: bool, detail: Detail, clock: Callable[[], float]
) -> Reader:
    if not path.exists():
        hint = f"; a camera's address is camera:{path}" if str(path).isdigit() else ""
        raise SourceNotFound(f"{path} does not exist, seen from {Path.cwd()}{hint}")
    if path.is_dir() or path.suffix.lower() in PICTURES:
        from streams.sources.folder import Folder

        return Folder(path, rate=rate, loop=loop, realtime=realtime, detail=detail, clock=clock)
    from streams.sources.file import local_file

    return local_file(path, rate=rate, loop=loop, realtime=realtime, detail=detail, clock=clock)


def _scheme(uri: str) -> str:
    """The scheme that decides; a path is "file". Raises SourceInvalid for one that is not known."""
    if uri.startswith("/dev/"):
        return "camera"
    found = _SCHEME.match(uri)
    if found is None or Path(uri).exists():
        return "file"
    scheme = found.group(1).lower()
    if scheme not in {known.partition(":")[0] for known in SCHEMES}:
        raise SourceInvalid(
            f"{redact_uri(uri)} begins with {scheme}:, which no source understands; "
            f"there are {', '.join(SCHEMES)}, and plain paths of a file, a folder or a device"
        )
    return scheme


def _path(uri: str) -> Path:
    if uri.lower().startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri[5:] if uri.lower().startswith("file:") else uri).expanduser()


def _checked_url(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SourceInvalid(
            f"{redact_uri(uri)} is not a valid address; signs such as @ / ? # : in a user or password "
            "are written as %40 %2F %3F %23 %3A"
        ) from None
    if not host:
        raise SourceInvalid(f"{redact_uri(uri)} names no host")
    return uri


def _check(uri: str, size: tuple[int, int] | None, rate: float | None, pace: str | None) -> None:
    if not uri.strip():
        raise SourceInvalid("the address of a source is empty")
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise SourceInvalid(f"size must be two positive numbers, width and height, not {size}")
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise SourceInvalid(f"rate must be a positive number of pictures a second, not {rate}")
    if pace is not None and pace not in _PACES:
        raise SourceInvalid(f"pace must be fast or realtime, not {pace!r}")
