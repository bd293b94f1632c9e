"""What the two HTTP listeners have in common: who may reach them."""

import ipaddress
from typing import Self

from pydantic import Field, model_validator

from edge.config.section import Section, contradiction
from edge.config.values import SecretText


class Listener(Section):
    """An address to listen on. Anything but loopback demands a token."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. Any other than loopback demands `token`.",
        examples=["127.0.0.1", "0.0.0.0"],
    )
    token: SecretText | None = Field(
        default=None, description="What a viewer must present.", examples=["secret:viewer-token"]
    )

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if not is_loopback(self.host) and self.token is None:
            contradiction(
                "token", f"is missing: whoever reaches {self.host} could watch; set a token (secret:NAME)"
            )
        return self


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
