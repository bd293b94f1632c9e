"""Whether the broker can be reached and, with TLS, whether the two sides accept one another.

No MQTT is spoken: a second client of the same id would throw out the one that runs.
"""

import socket
import ssl
from collections.abc import Iterator

from edge.config.listener import is_loopback
from edge.config.transport import Transport
from edge.doctor.check import Check, Patient

PATIENCE = 4.0  # seconds
LISTENING = 0.5  # seconds in which a broker that refuses our certificate says so
ALPN = "x-amzn-mqtt-ca"


def examine(patient: Patient) -> Iterator[Check]:
    if patient.config is None or patient.config.transport.kind != "iot_core":
        yield Check("broker", "ok", "none is configured; messages stay inside the process")
        return
    yield reached(patient.config.transport)


def reached(transport: Transport) -> Check:
    host = transport.endpoint or ""
    port = transport.port or (8883 if transport.asks_for_tls else 1883)
    address = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), PATIENCE) as plain:
            if not transport.asks_for_tls and port != 443:
                return in_the_open(address, transport)
            return Check("broker", "ok", f"{address} answers, {handshake(plain, host, port, transport)}")
    except (OSError, ValueError) as error:
        found, mend = reason(error)
        return Check("broker", "fail", f"{address} {found}", mend)


def in_the_open(address: str, transport: Transport) -> Check:
    """Without TLS is well for a broker on this very machine, and elsewhere where nothing secret is said."""
    if transport.password is None or is_loopback(transport.endpoint or ""):
        return Check("broker", "ok", f"{address} answers, without TLS")
    found = f"{address} answers, and gets the password without TLS: whoever listens can read it"
    return Check("broker", "warn", found, "set transport.tls to true, if the broker speaks TLS")


def handshake(plain: socket.socket, host: str, port: int, transport: Transport) -> str:
    """Which TLS is spoken. Raises ssl.SSLError, also where the broker refuses our certificate afterwards."""
    context = ssl.create_default_context(cafile=transport.ca)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as the client that runs: any of `ca` is trusted
    if transport.cert is not None:
        context.load_cert_chain(transport.cert, transport.key, password="")
    if transport.alpn or port == 443:
        context.set_alpn_protocols([ALPN])
    with context.wrap_socket(plain, server_hostname=host) as secure:
        secure.settimeout(LISTENING)
        try:
            # With TLS 1.3 a refusal comes after our side is done; a broker that accepts us waits for our word.
            if not secure.recv(1):
                raise ssl.SSLError("the broker closed the connection; it may want a certificate")
        except TimeoutError:
            pass
        return f"{secure.version()}"


def reason(error: Exception) -> tuple[str, str]:
    """(what happened, how to mend it)"""
    match error:
        case ssl.SSLCertVerificationError():
            mend = "set transport.ca to the authority of the broker's certificate, or use the host name it is made for"
            return f"has a certificate that is not trusted: {error.verify_message}", mend
        case ssl.SSLError(reason="KEY_VALUES_MISMATCH"):
            found = "answers, but was not greeted: transport.key is not the key of transport.cert"
            return found, "use the pair that was made together"
        case ssl.SSLError():
            mend = (
                "check transport.cert and transport.key, and that the broker (at AWS: a policy) accepts them"
            )
            return f"ends the TLS handshake: {error.reason or error}", mend
        case socket.gaierror():
            return (
                "is not known by that name",
                "correct transport.endpoint, or mend the name server of this network",
            )
        case ConnectionRefusedError():
            return (
                "refuses: nothing listens there",
                "start the broker, or correct transport.endpoint and transport.port",
            )
        case TimeoutError():
            return (
                f"does not answer within {PATIENCE:g} seconds",
                "is a firewall in the way? outgoing 8883, or 443 with alpn",
            )
    return f"cannot be reached: {error}", "mend the network of this machine"
