"""One source of frames: `sources.<name>`."""

from typing import Literal

from pydantic import Field

from edge.config.section import Section
from edge.config.values import Address, Patience, Size


class Source(Section):
    """Where frames come from. Only `uri` is needed; `sources: {front: camera:0}` is short for it."""

    uri: Address = Field(
        description="Address of the source: a camera by number or path, a file, a folder of pictures, "
        "a stream, or `synthetic:`. A relative path starts at the folder of this file.",
        examples=["camera:0", "/dev/video0", "clip.mp4", "rtsp://camera.local/stream1", "synthetic:"],
    )
    patience: Patience = Field(
        default=30.0,
        description="How long a camera or stream that never opened is tried before the run ends; "
        "`forever` never gives up. A missing file ends the run at once.",
        examples=["30s", "2m", "forever"],
    )
    size: Size = Field(
        default=None,
        description="Picture size asked of a camera, [width, height] in pixels. Without it: its own.",
        examples=[[1280, 720], "640x480"],
    )
    rate: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="Frames a second asked of a camera, or made by `synthetic:` and by a folder of pictures.",
        examples=[30, 15],
    )
    loop: bool | None = Field(
        default=None, description="Whether a file or folder starts anew at its end. Without it: no."
    )
    pace: Literal["fast", "realtime"] | None = Field(
        default=None,
        description="How quickly a file is read: `fast` as the model takes it, `realtime` at its own frame "
        "rate. Without it: fast.",
    )
