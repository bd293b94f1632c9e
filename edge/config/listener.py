"""What the two HTTP listeners have in common: who may reach them."""

from typing import Self

from pydantic import Field, model_validator

from edge.config.section import Section, contradiction
from edge.config.values import FilePath, SecretText
from streams.sinks.origin import is_loopback

__all__ = ["Listener", "is_loopback"]


class Listener(Section):
    """An address to listen on. Anything but loopback demands a token, and TLS."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. Any other than loopback demands `token`, and `cert` and `key`.",
        examples=["127.0.0.1", "0.0.0.0"],
    )
    token: SecretText | None = Field(
        default=None, description="What a viewer must present.", examples=["secret:viewer-token"]
    )
    cert: FilePath | None = Field(
        default=None,
        description="Certificate of this listener, a PEM file; TLS is spoken then, 1.2 at least.",
    )
    key: FilePath | None = Field(default=None, description="The private key of `cert`, a PEM file.")
    insecure: bool = Field(
        default=False,
        description="Whether other machines are answered without TLS: whoever can listen in between reads the "
        "token and sees the pictures. `--insecure` sets it.",
    )

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if self.cert is not None and self.key is None:
            contradiction("key", "is missing: a certificate needs its private key")
        if self.key is not None and self.cert is None:
            contradiction("cert", "is missing: a private key needs its certificate")
        if is_loopback(self.host):
            return self
        if self.token is None:
            contradiction(
                "token", f"is missing: whoever reaches {self.host} could watch; set a token (secret:NAME)"
            )
        if self.cert is None and not self.insecure:
            contradiction(
                "cert",
                f"is missing: what goes to and from {self.host} could be read on its way; set cert and key for TLS, "
                "or insecure: true (--insecure) where the network is to be trusted",
            )
        return self
