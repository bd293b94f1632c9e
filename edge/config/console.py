"""The page to look at: `console`."""

from pydantic import Field

from edge.config.listener import Listener


class Console(Listener):
    """The console, a web page in a process of its own."""

    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
