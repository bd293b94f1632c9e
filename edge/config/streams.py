"""The two streams: `streams.project` and `streams.device`."""

from pydantic import Field

from edge.config.section import Section


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


class Streams(Section):
    """What is published."""

    project: ProjectStream = Field(default_factory=ProjectStream, description="The project stream.")
    device: DeviceStream = Field(default_factory=DeviceStream, description="The device stream.")
