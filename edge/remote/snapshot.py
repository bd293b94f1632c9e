"""`snapshot`: the next frame as a JPEG, within what one message may hold.

The picture is in the answer itself, as base64: whoever may hear the answer has it, with no second connection to the
device, and the test client of the AWS IoT console shows it.
"""

import base64
import dataclasses
from concurrent.futures import TimeoutError as TookTooLong
from typing import TYPE_CHECKING, Any

from edge.interlude import Sight
from edge.lane import painted
from edge.remote.handler import Result, Unable
from kernels.formats import PixelFormat
from streams import clock as wall
from streams import verb as fields
from streams.commands import Command
from streams.frame import Frame
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb(
    "snapshot",
    {"source": fields.text(64), "painted": fields.flag, "max_bytes": fields.count(2048, 16 << 20)},
)
PATIENCE = 5.0  # seconds for the next frame
BESIDE = 512  # bytes of the result beside the picture


def answer(run: "Run", command: Command, room: int) -> Result:
    source = source_of(run, command.fields.get("source"))
    wants_painted = command.fields.get("painted", False)
    most = min((room - BESIDE) * 3 // 4, command.fields.get("max_bytes", room))
    sight = seen(run, source)
    frame = shown(sight) if wants_painted and sight.result is not None else sight.frame
    jpeg = encoded(run, frame, most)
    pictures = run.runtime.pictures
    return {
        "source": source,
        "frame": {"id": frame.id, "width": frame.width, "height": frame.height},
        "painted": frame is not sight.frame,
        "content_type": "image/jpeg",
        "encoding": "base64",
        "bytes": len(jpeg),
        "picture": base64.b64encode(jpeg).decode(),
        "http": pictures.url if pictures is not None else None,
    }


def source_of(run: "Run", wanted: str | None) -> str:
    there = list(run.runtime.feeds)
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted not in there:
        said = "several sources, name one as `source`" if wanted is None else f"no source {wanted!r}"
        raise Unable("source", f"there are {said}: {', '.join(there)}".replace("there are no", "there is no"))
    return wanted


def seen(run: "Run", source: str) -> Sight:
    wish = run.runtime.interlude.look(source)
    try:
        return wish.result(PATIENCE)
    except TookTooLong:
        wish.cancel()
        state = run.runtime.feeds[source].status().state
        raise Unable(
            "no_frame", f"no frame of {source} came in {PATIENCE:g} s: it is {state}", "failed"
        ) from None


def shown(sight: Sight) -> Frame:
    assert sight.result is not None
    pixels = painted(sight.frame, sight.result, sight.labels)
    return dataclasses.replace(sight.frame, pixels=pixels, format=PixelFormat.BGR, jpeg=None, whole=None)


def encoded(run: "Run", frame: Frame, most: int) -> bytes:
    from streams.encode import fit  # cv2 is loaded by the first picture that somebody wants

    ts_ms: Any = wall.wall_ms() - round((run.runtime.clock() - frame.captured_at) * 1000)
    made = fit(frame, most, 80, frame.id, ts_ms)
    if made is None:
        raise Unable(
            "too_large", f"no picture of {frame.width}x{frame.height} that says anything fits in {most} bytes"
        )
    return made
