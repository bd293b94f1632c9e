"""One picture of one source, with its identity and its time."""

import dataclasses
from typing import Protocol

from kernels.formats import Picture, PixelFormat, picture_size


class Veil(Protocol):
    """What stands between a frame and what nobody may see of it, see streams.privacy."""

    @property
    def hides_more(self) -> bool:
        """Whether the frame's own pixels show what must not leave the device."""
        ...

    def whole(self, frame: "Frame") -> tuple[Picture, PixelFormat]:
        """All of the frame's picture, with its private zones covered; a new array."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A captured picture. Nobody writes into `pixels` after birth: several readers share it.

    id: counts up by one for each captured picture of a source, from 1; dropped pictures keep their numbers.
    source: the name of the source in the configuration.
    captured_at: monotonic seconds (`time.monotonic`), from the driver where it tells.
    pixels: uint8, C-contiguous, laid out as `format` says; smaller than the picture where `whole` says so.
    jpeg: the camera's own JPEG bytes of this picture, where it delivers such.
    whole: (height, width) of the picture where `pixels` hold it at a part of its size; `jpeg` is all of it.
    veil: covers private zones of what leaves the device, which then is the picture that `streams.whole` gives and
    never `pixels`; there is no `jpeg` beside it.
    """

    id: int
    source: str
    captured_at: float
    pixels: Picture
    format: PixelFormat = PixelFormat.BGR
    jpeg: bytes | None = None
    whole: tuple[int, int] | None = None
    veil: Veil | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels of the picture as it was captured."""
        return self.whole or picture_size(self.pixels, self.format)

    @property
    def height(self) -> int:
        return self.size[0]

    @property
    def width(self) -> int:
        return self.size[1]
