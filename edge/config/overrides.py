"""Options of the command line as settings: `--set key=value`, `--source`, `--transport`, `--project`."""

from collections.abc import Iterable, Mapping
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from edge import redaction
from edge.config.origin import Given
from edge.errors import ConfigInvalid, Fault

PORTS = {"mqtt": 1883, "mqtts": 8883}
LISTENERS = ("http", "console")
ADDRESS = "mqtt://host:port, mqtts://host:port, or local"


def overrides(
    pairs: Iterable[str] = (),
    *,
    source: str | None = None,
    transport: str | None = None,
    project: str | None = None,
    log: str | None = None,
    insecure: bool = False,
) -> dict[str, Given]:
    """Settings by dotted key. The short options go first: `--set` can refine them. Raises ConfigInvalid."""
    given: dict[str, Given] = {}
    for key, value in (("source", source), ("project", project), ("log.level", log)):
        if value is not None:
            given[key] = Given(value, f"--{key.partition('.')[0]}", raw=True)
    if insecure:
        given |= {f"{listener}.insecure": Given(value=True, where="--insecure") for listener in LISTENERS}
    if transport is not None:
        given |= of_transport(transport)
    return given | dict(map(of_pair, pairs))


def of_pair(pair: str) -> tuple[str, Given]:
    key, equals, text = pair.partition("=")
    if not equals or not key.strip():
        raise ConfigInvalid(Fault(f"expected key=value, got {redaction.hide(pair)!r}", "", "--set"))
    return key.strip(), Given(text, "--set", raw=True)


def of_transport(address: str) -> Mapping[str, Given]:
    """The keys that an address of a broker stands for. What concerned another broker no longer holds."""
    if address == "local":
        return {"transport.kind": Given("local", "--transport")}
    redaction.remember_address(address)
    parts = urlsplit(address)
    if (
        parts.scheme not in PORTS
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        refuse(f"expected {ADDRESS}, got {redaction.hide(address)!r}")
    values: dict[str, object] = {
        "kind": "iot_core",
        "endpoint": parts.hostname,
        "port": port(parts),
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }
    if parts.scheme == "mqtt":
        values |= {"tls": False, "cert": None, "key": None, "ca": None, "alpn": False}
    else:
        values["tls"] = True
    return {f"transport.{key}": Given(value, "--transport") for key, value in values.items()}


def port(parts: SplitResult) -> int:
    try:
        return parts.port or PORTS[parts.scheme]
    except ValueError:
        refuse("expected a port from 1 to 65535")


def refuse(message: str) -> NoReturn:
    raise ConfigInvalid(Fault(message, "transport", "--transport"))
