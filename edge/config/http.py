"""The pictures over HTTP: `http`."""

from pydantic import Field

from edge.config.listener import Listener


class Http(Listener):
    """Pictures of both streams, and whether the runtime is well, over HTTP."""

    enabled: bool = Field(default=True, description="Whether to listen at all.")
    port: int = Field(default=8090, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
