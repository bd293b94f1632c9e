"""The pictures over HTTP: `http`."""

from pydantic import Field

from edge.config.listener import Listener


class Http(Listener):
    """Pictures of both streams, and whether the runtime is well, over HTTP."""

    enabled: bool = Field(default=True, description="Whether to listen at all.")
    port: int = Field(default=8090, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    rate: float = Field(
        default=15.0,
        gt=0,
        le=60,
        description="Pictures a second of one source at most, for all viewers together.",
    )
    viewers: int = Field(
        default=256,
        ge=1,
        le=4096,
        description="Open streams at most; who comes later is refused with a sentence.",
    )
