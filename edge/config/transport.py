"""How messages leave: `transport`."""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from edge.config.section import Section, contradiction
from edge.config.values import FilePath, SecretText, as_text

HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", re.ASCII)


TLS_PORTS = (443, 8883)


class Transport(Section):
    """How messages leave. Without any of these keys they stay inside this process."""

    kind: Literal["local", "iot_core", "greengrass"] = Field(
        default="local",
        description="`iot_core`: MQTT, to AWS IoT Core or any other broker. `greengrass`: through the nucleus that "
        "started this process. `local`: inside this process only. Without it: iot_core where an endpoint is named, "
        "else local.",
    )
    protocol: Annotated[Literal["5", "3.1.1"], BeforeValidator(as_text)] = Field(
        default="5", description="Version of MQTT.", examples=["5", "3.1.1"]
    )
    endpoint: str | None = Field(
        default=None,
        description="Host name of the broker, without scheme and port.",
        examples=["a1b2c3d4e5-ats.iot.eu-central-1.amazonaws.com", "localhost"],
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of the broker. Without it: 8883 with TLS, else 1883.",
    )
    tls: bool | None = Field(
        default=None,
        description="Whether to speak TLS. Without it: on the ports 443 and 8883, and wherever `cert`, `ca` "
        "or `alpn` is given.",
    )
    cert: FilePath | None = Field(default=None, description="This device's certificate, a PEM file.")
    key: FilePath | None = Field(
        default=None,
        description="The private key of `cert`, a PEM file that only this user can read (mode 0600).",
    )
    ca: FilePath | None = Field(
        default=None,
        description="Certificates that the broker's own must lead to, a PEM file. Without it: the system's.",
    )
    client_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="MQTT client id; two connections with the same id throw one another out. Without it: the "
        "thing's name.",
    )
    username: str | None = Field(default=None, min_length=1, description="User name at the broker.")
    password: SecretText | None = Field(
        default=None, description="Password at the broker.", examples=["secret:mqtt-password"]
    )
    alpn: bool = Field(
        default=False,
        description="Say in the TLS handshake that this is MQTT, as AWS IoT Core wants it on port 443.",
    )
    budget: Literal["aws-iot", "classic", "lite", "none"] | None = Field(
        default=None,
        description="Limits of message size and rate. Without it: aws-iot for AWS endpoints, else none.",
    )

    @property
    def asks_for_tls(self) -> bool:
        """Whether any of the settings means TLS, `tls` itself aside."""
        return bool(self.cert or self.key or self.ca or self.alpn) or self.port in TLS_PORTS

    @field_validator("endpoint")
    @classmethod
    def _is_host(cls, value: str | None) -> str | None:
        if value is not None and not HOST.fullmatch(value):
            raise ValueError(f"expected a host name without scheme, port and path, got {value!r}")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.kind == "iot_core" and self.endpoint is None:
            contradiction("endpoint", "is missing: transport.kind iot_core needs the host name of a broker")
        if self.cert is not None and self.key is None:
            contradiction("key", "is missing: transport.cert needs its private key")
        if self.key is not None and self.cert is None:
            contradiction("cert", "is missing: transport.key needs its certificate")
        if self.password is not None and self.username is None:
            contradiction("username", "is missing: transport.password needs a user name")
        if self.tls is False and self.asks_for_tls:
            contradiction("tls", "is false, yet a certificate, alpn, or the port 443 or 8883 asks for TLS")
        if self.tls is True and not self.asks_for_tls:
            contradiction(
                "ca", "is missing: this system has no file of trusted certificates where it is expected"
            )
        return self
