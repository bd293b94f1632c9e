"""Which commands the device obeys: `commands`."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from edge.config.section import Section
from edge.config.transport import Transport

Camera = Literal[
    "logs",
    "pause",
    "projects",
    "record",
    "replay",
    "report",
    "resume",
    "rollback",
    "snapshot",
    "swap",
    "threshold",
]
ALL: tuple[Camera, ...] = (
    *("snapshot", "threshold", "pause", "resume", "projects", "swap", "rollback"),
    *("record", "replay", "report", "logs"),
)
LOOKING: tuple[Camera, ...] = ("snapshot", "projects", "report", "logs")  # these change nothing


def are_different(value: list[Camera] | None) -> list[Camera] | None:
    if value is not None and len(set(value)) < len(value):
        raise ValueError("names a verb twice")
    return value


class Commands(Section):
    """What may be asked of this device over MQTT."""

    enabled: bool = Field(default=True, description="Whether the device listens for commands at all.")
    allow: Annotated[list[Camera] | None, AfterValidator(are_different)] = Field(
        default=None,
        description="The verbs that are carried out; `[]` is none. Without it: all where the broker knows its clients "
        "(a certificate, or a user name) or runs on this machine; elsewhere, where anybody may publish, only those "
        f"that change nothing ({', '.join(LOOKING)}).",
        examples=[["snapshot", "report"]],
    )
    rate: float = Field(
        default=10.0,
        gt=0,
        le=100,
        description="At most so many commands a second, twenty at once; further ones are refused as busy.",
        examples=[10, 0.1],
    )

    def allowed(self, transport: Transport) -> tuple[Camera, ...]:
        """The verbs that are carried out on this connection."""
        if self.allow is not None:
            return tuple(self.allow)
        return ALL if is_trusted(transport) else LOOKING


def is_trusted(transport: Transport) -> bool:
    """Whether strangers cannot publish there, as far as the configuration tells."""
    if transport.kind == "local" or transport.endpoint is None:
        return True
    return transport.cert is not None or transport.username is not None or is_here(transport.endpoint)


def is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
