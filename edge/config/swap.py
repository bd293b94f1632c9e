"""When another project takes the place of the running one: `swap`."""

from pydantic import Field

from edge.config.section import Section
from edge.config.values import Duration, FilePath


class Swap(Section):
    """What a new project must show before it takes the place of the running one, and who may send one."""

    frames: int = Field(
        default=30,
        ge=1,
        description="The former project is kept until the new one has answered so many frames well.",
    )
    latency: Duration | None = Field(
        default=None,
        description="An answer of a new model may take so long. Without it: four times what the running model "
        "takes, but 100 ms at least.",
        examples=["50ms", "1s"],
    )
    agreement: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Least share of the golden pictures in which a new model must say the same as the running one. "
        "Without it none is asked.",
        examples=[0.9],
    )
    keys: FilePath | None = Field(
        default=None,
        description="PEM file of the public keys (ECDSA, P-256) whose bundles are taken. Without it none is.",
        examples=["release.pub"],
    )
