"""A broker over MQTT 5 or 3.1.1: TLS with a client certificate, as AWS IoT Core wants it, or plain TCP."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from awscrt import io

from streams.backoff import Backoff
from streams.budget import Budget, for_endpoint
from streams.transports import Message, TransportInvalid
from streams.transports.iot_core_links import Call, Link3, Link5
from streams.transports.keeper import Keeper, Link, Spoken, Visit

Protocol = Literal["5", "3.1.1"]

ALPN = "x-amzn-mqtt-ca"  # MQTT with a client certificate on the port of HTTPS
_LINKS: dict[str, type[Link3] | type[Link5]] = {"5": Link5, "3.1.1": Link3}
_TLS_PORTS = (443, 8883)
_MOST_CLIENT_ID = 128


class IotCore(Keeper):
    """A connection to an MQTT broker that keeps itself up.

    endpoint: host name or address. port: 8883 with TLS, else 1883, when None. TLS is used on ports 443 and
    8883 and wherever cert, key or ca are given; ca is the authority that signed the broker's certificate (the
    system's authorities when None), cert and key are this client's, all PEM files. alpn: names AWS IoT's
    protocol during the handshake, and is always on at port 443. keep_alive: seconds. will: published by the
    broker when this client vanishes; birth: published at every connect; farewell: before a stop in good
    order, the will when None. budget: by the endpoint's name when None.

    Raises TransportInvalid, naming the key, for settings that can never work.
    """

    name = "iot_core"

    def __init__(
        self,
        endpoint: str,
        port: int | None = None,
        *,
        client_id: str,
        protocol: Protocol = "5",
        cert: Path | str | None = None,
        key: Path | str | None = None,
        ca: Path | str | None = None,
        username: str | None = None,
        password: str | None = None,
        alpn: bool = False,
        keep_alive: int = 60,
        will: Message | None = None,
        birth: Spoken = None,
        farewell: Spoken = None,
        budget: Budget | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        _check(endpoint, port, client_id, protocol, keep_alive, username, password)
        secure = bool(cert or key or ca or alpn) or port in _TLS_PORTS
        port = port or (8883 if secure else 1883)
        address = f"{'mqtts' if secure else 'mqtt'}://{endpoint}:{port}"
        tls = _tls_context(cert, key, ca, alpn=alpn or port == 443) if secure else None
        self._link_of = _LINKS[protocol]
        self._call = Call(endpoint, port, client_id, keep_alive, username, password, will, tls, address)
        super().__init__(
            address,
            budget or for_endpoint(endpoint),
            birth=birth,
            farewell=will if farewell is None else farewell,
            backoff=backoff,
            clock=clock,
        )

    def dial(self, visit: Visit) -> Link:
        return self._link_of(self._call, visit)


def _check(
    endpoint: str,
    port: int | None,
    client_id: str,
    protocol: str,
    keep_alive: int,
    username: str | None,
    password: str | None,
) -> None:
    if not endpoint or "/" in endpoint or any(sign.isspace() for sign in endpoint):
        raise TransportInvalid(
            f"transport.endpoint must be a host's name or address without scheme or path, not {endpoint!r}"
        )
    if port is not None and not 0 < port < 65536:
        raise TransportInvalid(f"transport.port must be between 1 and 65535, not {port}")
    if not 0 < len(client_id.encode()) <= _MOST_CLIENT_ID:
        raise TransportInvalid(
            f"transport.client_id must have 1 to {_MOST_CLIENT_ID} bytes, not {client_id!r}"
        )
    if protocol not in _LINKS:
        raise TransportInvalid(f'transport.protocol must be "5" or "3.1.1", not {protocol!r}')
    if not 2 <= keep_alive <= 65535:
        raise TransportInvalid(f"the keep-alive must be between 2 and 65535 seconds, not {keep_alive}")
    if password is not None and username is None:
        raise TransportInvalid("transport.password needs transport.username beside it")


def _tls_context(
    cert: Path | str | None, key: Path | str | None, ca: Path | str | None, *, alpn: bool
) -> io.ClientTlsContext:
    if (cert is None) != (key is None):
        absent, present = ("key", "cert") if key is None else ("cert", "key")
        raise TransportInvalid(f"transport.{absent} is missing: transport.{present} is of no use without it")
    options = io.TlsContextOptions()
    if cert is not None and key is not None:
        options = io.TlsContextOptions.create_client_with_mtls(
            _pem("cert", cert, "CERTIFICATE"), _pem("key", key, "PRIVATE KEY")
        )
    if ca is not None:
        options.override_default_trust_store(_pem("ca", ca, "CERTIFICATE"))
    options.min_tls_ver = io.TlsVersion.TLSv1_2
    options.alpn_list = [ALPN] if alpn else None
    try:
        return io.ClientTlsContext(options)
    except Exception as error:
        raise TransportInvalid(_misfit(cert, key, ca, error)) from None


def _misfit(cert: Path | str | None, key: Path | str | None, ca: Path | str | None, error: Exception) -> str:
    named = {"transport.cert": cert, "transport.key": key, "transport.ca": ca}
    files = ", ".join(f"{name} {path}" for name, path in named.items() if path is not None)
    told = f"; the key must be the one that the certificate was made for ({error})" if cert else f" ({error})"
    return f"TLS cannot be prepared with {files or 'the system certificates'}{told}"


def _pem(setting: str, path: Path | str, kind: str) -> bytes:
    """The file's bytes. Raises TransportInvalid, naming the key, when it is absent or something else."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise TransportInvalid(f"transport.{setting}: {path} cannot be read: {error.strerror}") from None
    if b"-----BEGIN " not in content or f"{kind}-----".encode() not in content:
        raise TransportInvalid(f"transport.{setting}: {path} is not a PEM file with a {kind.lower()} in it")
    return content
