"""Where pictures go beside the broker: viewers over HTTP, named pipes, video files."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from edge.config import Config
from edge.config.streams import SOURCE
from edge.errors import ConfigInvalid
from streams.privacy import Curtain, Zone
from streams.sinks.album import SIDES, Side
from streams.sinks.fifo import Fifo
from streams.sinks.filming import Filming
from streams.sinks.gallery import Gallery
from streams.sinks.gate import SinkInvalid
from streams.sinks.http import HttpSink

Clock = Callable[[], float]
LEAVING = 1.0  # seconds for all of it at the end


class Outlet(Protocol):
    def start(self) -> None: ...

    def stop(self, timeout: float, /) -> object: ...


@dataclasses.dataclass(frozen=True)
class Outlets:
    """gallery: the pictures of all sources, always there; http: who serves them, None where it is switched off;
    filming: video files, begun by the configuration or by a command.
    """

    gallery: Gallery
    filming: Filming
    fifos: Sequence[Fifo]
    http: HttpSink | None

    def start(self) -> None:
        """Raises SinkInvalid where a port or a pipe cannot be had; what was begun is ended then."""
        with contextlib.ExitStack() as undo:
            for outlet in self._all():
                undo.callback(outlet.stop, 0.1)
                outlet.start()
            undo.pop_all()

    def stop(self, timeout: float = LEAVING) -> None:
        for outlet in reversed(list(self._all())):
            outlet.stop(timeout)

    def figures(self) -> dict[str, Any]:
        """What a report tells of them."""
        return {
            "encoded": {name: album.encoded for name, album in self.gallery.albums.items()},
            "video": self.filming.figures(),
        }

    def _all(self) -> Iterator[Outlet]:
        yield self.gallery
        yield self.filming
        yield from self.fifos
        if self.http is not None:
            yield self.http


def outlets(config: Config, sources: Sequence[str], clock: Clock) -> Outlets:
    """Nothing of it runs yet. Raises ConfigInvalid, and SinkInvalid where a listener must not start."""
    gallery = Gallery(sources, rate=config.http.rate, clock=clock)
    return Outlets(
        gallery,
        filming_of(config, gallery, clock),
        fifos_of(config, gallery),
        http_of(config, gallery, clock),
    )


def http_of(config: Config, gallery: Gallery, clock: Clock) -> HttpSink | None:
    http = config.http
    if not http.enabled:
        return None
    return HttpSink(
        http.host,
        http.port,
        http.token,
        cert=http.cert,
        key=http.key,
        insecure=http.insecure,
        gallery=gallery,
        viewers=http.viewers,
        clock=clock,
    )


def fifos_of(config: Config, gallery: Gallery) -> list[Fifo]:
    made: list[Fifo] = []
    taken: dict[Path, str] = {}
    for side in SIDES:
        pattern = getattr(config.streams.fifo, side)
        for name, album in gallery.albums.items() if pattern is not None else ():
            path = Path(str(pattern).replace(SOURCE, name))
            if path in taken:
                why = f"{path} is the pipe of {taken[path]} already; {SOURCE} in the path stands for a source's name"
                raise ConfigInvalid(config.fault(why, "streams", "fifo", side))
            taken[path] = f"{name} ({side})"
            try:
                made.append(Fifo(path, album, side))
            except SinkInvalid as error:
                told = str(error).removeprefix(f"streams.fifo.{side}: ")
                raise ConfigInvalid(config.fault(told, "streams", "fifo", side)) from error
    return made


def filming_of(config: Config, gallery: Gallery, clock: Clock) -> Filming:
    wanted = config.streams.record
    folder = wanted.path or config.spool.folder(config.thing) / "video"
    begun: list[tuple[str, Side]] = [
        (name, side) for side in SIDES if getattr(wanted, side) for name in gallery.albums
    ]
    try:
        return Filming(
            gallery,
            folder,
            begun,
            rate=wanted.rate,
            segment=wanted.segment,
            max_bytes=wanted.max_bytes,
            max_seconds=wanted.max_seconds,
            clock=clock,
        )
    except SinkInvalid as error:
        told = str(error).removeprefix("streams.record.path: ")
        where = ("path",) if told != str(error) else ()
        raise ConfigInvalid(config.fault(told, "streams", "record", *where)) from error


def curtain_of(config: Config, source: str, sources: Sequence[str]) -> Curtain | None:
    """What covers the private zones of a source, if it has some. Raises ConfigInvalid for one of no source."""
    for zone in config.privacy:
        if zone.source is not None and zone.source not in sources:
            known = ", ".join(sources)
            raise ConfigInvalid(config.fault(f"there is no source {zone.source!r}, but {known}", "privacy"))
    zones = [
        Zone(zone.corners, zone.mode, zone.hide_from == "device")
        for zone in config.privacy
        if zone.source in (None, source)
    ]
    return Curtain(zones) if zones else None
