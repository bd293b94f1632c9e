"""The frames of one source out of a recording: `recording:FILE`, or `recording:FILE?source=front`."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote

from streams import picture_packing
from streams.detail import Detail
from streams.errors import BadFrame, RecordingInvalid, SourceInvalid, SourceUnavailable
from streams.recording import Record, Recording
from streams.sources import Shot
from streams.sources.pool import Pool


class Recorded:
    """Reads the frames of a source in their order. source: whose; may be None where the recording has only one.

    realtime: each is due as long after the first as it was then. loop: begin anew at the end. Opening raises
    SourceNotFound, RecordingInvalid, and SourceInvalid for a source that the recording does not have.
    """

    live = False

    def __init__(
        self,
        path: Path,
        source: str | None = None,
        *,
        loop: bool = False,
        realtime: bool = False,
        detail: Detail | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.notice: str | None = None
        self._path, self._source, self._loop, self._realtime = path, source, loop, realtime
        self._detail, self._clock = detail or Detail(), clock
        self._pool = Pool()
        self._recording: Recording | None = None
        self._shots: Iterator[Record] = iter(())
        self._first: tuple[float, float] | None = None  # when the first was captured, and when it was due
        self._given = 0

    def describe(self) -> str:
        return f"recording {self._path}" + (f", source {self._source}" if self._source else "")

    def open(self) -> None:
        self.close()
        recording = Recording(self._path)
        try:
            self._choose(sorted(map(str, recording.header.get("sources", {}))))
        except SourceInvalid:
            recording.close()
            raise
        self._recording = recording
        self._begin(recording)

    def _choose(self, names: list[str]) -> None:
        if self._source is None and len(names) == 1:
            self._source = names[0]
        if self._source not in names:
            asked = (
                f"no source {self._source}" if self._source else "several sources; ?source=NAME says which"
            )
            raise SourceInvalid(f"{self._path} has {asked}: there are {', '.join(names)}")

    def read(self) -> Shot | None:
        if self._recording is None:
            raise SourceUnavailable(f"{self.describe()} is not open")
        record = self._next()
        if record is None and self._loop and self._given:
            self._begin(self._recording)
            record = self._next()
        if record is None:
            if self._recording.cut_at is not None:
                self.notice = f"{self._path} is cut off at byte {self._recording.cut_at}"
            return None
        try:
            frame = picture_packing.unpacked(record, self._detail, self._pool)
        except RecordingInvalid as error:
            raise BadFrame(str(error)) from None
        self._given += 1
        due = self._due(frame.captured_at)
        return Shot(frame.pixels, frame.format, due=due, jpeg=frame.jpeg, whole=frame.whole)

    def close(self) -> None:
        if self._recording is not None:
            self._recording.close()
            self._recording = None

    def _begin(self, recording: Recording) -> None:
        self._shots = recording.shots()
        self._first = None
        self._given = 0

    def _next(self) -> Record | None:
        return next((record for record in self._shots if record.meta.get("source") == self._source), None)

    def _due(self, captured_at: float) -> float | None:
        if not self._realtime:
            return None
        if self._first is None:
            self._first = captured_at, self._clock()
        return self._first[1] + captured_at - self._first[0]


def parted(address: str) -> tuple[Path, str | None]:
    """File and source of `FILE?source=NAME`; a file whose own name has a question mark goes before."""
    whole = Path(address).expanduser()
    name, mark, query = address.rpartition("?")
    if not mark or whole.exists():
        return whole, None
    wanted = parse_qs(query, keep_blank_values=True)
    if set(wanted) != {"source"}:
        raise SourceInvalid(f"recording:{address} has ?{query}; only ?source=NAME is understood")
    return Path(unquote(name)).expanduser(), wanted["source"][-1]
