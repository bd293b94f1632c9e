"""Writing a clip and its label track (PyAV, on the maker's machine only)."""

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from optics import Picture

CODEC = "libx264"
# One thread and no scene cuts: the same pictures give the same bytes. No B-frames: a cut file plays up to the cut.
OPTIONS = {
    "preset": "veryslow",
    "tune": "animation",
    "threads": "1",
    "bf": "0",
    "g": "96",
    "sc_threshold": "0",
}


def write(file: Path, pictures: Iterable[Picture], fps: int, quality: int) -> None:
    """H.264 in MP4, 4:2:0; `quality` is x264's constant rate factor (less is better); the index stands in front."""
    with av.open(str(file), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        stream = None
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = _stream(container, picture, fps, quality)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(
                format="yuv420p", dst_colorspace="ITU601"
            )
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))


def _stream(container: Any, picture: Picture, fps: int, quality: int) -> Any:
    stream = container.add_stream(CODEC, rate=fps, options={**OPTIONS, "crf": str(quality)})
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return stream


def track(file: Path, head: Mapping[str, Any], frames: Iterable[Mapping[str, Any]]) -> None:
    """The label track: `head`, then one line for each frame."""
    lines = ",\n".join("    " + json.dumps(frame) for frame in frames)
    opening = json.dumps(head, indent=2)[:-2]
    file.write_text(f'{opening},\n  "frames": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
