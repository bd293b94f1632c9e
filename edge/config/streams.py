"""The two streams, and where else their pictures go: `streams`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from edge.config.section import Section
from edge.config.values import Duration, FilePath

SOURCE = "{source}"  # in a path: the name of the source
GIB = 1 << 30


class ProjectStream(Section):
    """What the model saw, as JSON messages. How often is the project's affair (`publish` in project.yaml)."""

    enabled: bool = Field(default=True, description="Whether results are published.")


class DeviceStream(Section):
    """The untouched pictures, as JPEG messages within the transport's budget."""

    enabled: bool = Field(default=True, description="Whether pictures are published.")
    rate: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="At most so many pictures a second and source.",
        examples=[1, 0.1, 5],
    )
    quality: int = Field(
        default=80,
        ge=1,
        le=100,
        description="JPEG quality to begin with; lowered where a picture is too large.",
    )


class Fifo(Section):
    """Named pipes of MJPEG, for programs that read one, as they did on DeepLens. `{source}` in a path stands for the
    source's name; with several sources it is needed.
    """

    device: FilePath | None = Field(
        default=None,
        description="Named pipe of the untouched pictures.",
        examples=["/opt/awscam/out/ch2_out.mjpeg", "/run/user/1000/{source}.mjpeg"],
    )
    project: FilePath | None = Field(
        default=None,
        description="Named pipe of the pictures with what the model saw.",
        examples=["/tmp/results.mjpeg"],
    )


class Record(Section):
    """Video files (MP4), in a folder. Not what `edge record` keeps for a replay."""

    device: bool = Field(default=False, description="Whether the untouched pictures are filmed.")
    project: bool = Field(
        default=False, description="Whether the pictures with what the model saw are filmed."
    )
    path: FilePath | None = Field(
        default=None,
        description="Folder of the files. Without it: `video` in the folder of this thing's state (`spool.path`).",
        examples=["/media/card/video"],
    )
    rate: float = Field(
        default=10.0, gt=0, le=60, description="At most so many pictures a second and source."
    )
    segment: Duration = Field(default=300.0, ge=1, description="Length of one file.", examples=["5m", "30s"])
    max_bytes: int = Field(
        default=GIB,
        ge=1 << 20,
        description="What the files of one stream of one source may take; beyond it the oldest are removed.",
        examples=[GIB],
    )
    max_seconds: Duration | None = Field(
        default=None,
        ge=1,
        description="How much of one stream is kept, as length of time, at least one file. Without it: what fits.",
        examples=["24h"],
    )


Dialect = Literal["deeplens", "deeplens-2017", "deeplens-hotdog", "deeplens-trash", "homeassistant", "aws-ml"]


def are_spoken_together(value: list[Dialect]) -> list[Dialect]:
    families = [name.partition("-")[0] for name in value]
    for name, family in zip(value, families, strict=True):
        if families.count(family) > 1:
            raise ValueError(f"names {name} beside another of its kind: one topic, one form")
    return value


class Streams(Section):
    """What is published, and where else pictures go."""

    project: ProjectStream = Field(default_factory=ProjectStream, description="The project stream.")
    device: DeviceStream = Field(default_factory=DeviceStream, description="The device stream.")
    fifo: Fifo = Field(default_factory=Fifo, description="Named pipes of pictures.")
    record: Record = Field(default_factory=Record, description="Video files.")
    dialects: Annotated[list[Dialect], AfterValidator(are_spoken_together)] = Field(
        default_factory=list,
        description="In which further forms results are published, beside the project stream.",
        examples=[["homeassistant"], ["deeplens"]],
    )
