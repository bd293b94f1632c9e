"""What nobody gets to see: `privacy`, a list of zones."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from edge.config.section import Section, contradiction

MOST_ZONES = 64
MOST_CORNERS = 64


def as_tuples(value: object) -> object:
    """Lists of lists, as YAML has them, as tuples."""
    return tuple(map(as_tuples, value)) if isinstance(value, list | tuple) else value


def as_zones(value: object) -> object:
    """A list of zones; nothing, as where all of them are commented out, is an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of zones, each with a box or a polygon, got {value!r}")
    return tuple(value)


Share = Annotated[float, Field(ge=0, le=1)]
Corner = tuple[Share, Share]
Box = Annotated[tuple[Share, Share, Share, Share], BeforeValidator(as_tuples)]
Polygon = Annotated[
    tuple[Corner, ...], BeforeValidator(as_tuples), Field(min_length=3, max_length=MOST_CORNERS)
]


class Zone(Section):
    """A part of a source's pictures that is made unrecognisable before anything leaves."""

    source: str | None = Field(
        default=None, description="Name of the source. Without it: every one.", examples=["main"]
    )
    box: Box | None = Field(
        default=None,
        description="Left, top, right and bottom, as shares (0 to 1) of the picture's width and height.",
        examples=[[0.0, 0.0, 0.3, 0.5]],
    )
    polygon: Polygon | None = Field(
        default=None,
        description="Three or more corners [x, y], as shares of the picture's width and height, instead of a box.",
        examples=[[[0.1, 0.1], [0.5, 0.2], [0.3, 0.9]]],
    )
    mode: Literal["blur", "mask"] = Field(
        default="mask", description="`mask`: black. `blur`: coarse squares of their mean colour."
    )
    hide_from: Literal["all", "device"] = Field(
        default="all",
        alias="from",
        description="`all`: from everybody, the model included. `device`: from all that leaves this device; the "
        "model, and a project's hook, see it.",
    )

    @model_validator(mode="after")
    def _is_an_area(self) -> Self:
        if (self.box is None) == (self.polygon is None):
            contradiction("box", "expected either a box or a polygon")
        if self.box is not None and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            contradiction("box", f"expected left < right and top < bottom, got {list(self.box)}")
        return self

    @property
    def corners(self) -> tuple[Corner, ...]:
        """(x, y) of each corner, normalised."""
        if self.polygon is not None:
            return self.polygon
        assert self.box is not None
        left, top, right, bottom = self.box
        return ((left, top), (right, top), (right, bottom), (left, bottom))


Privacy = Annotated[tuple[Zone, ...], BeforeValidator(as_zones), Field(max_length=MOST_ZONES)]
