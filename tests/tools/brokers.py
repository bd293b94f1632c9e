"""Real brokers for tests, each a process of its own on a free loopback port, ended by whoever started it."""

import contextlib
import datetime
import importlib.util
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

START_PATIENCE_S = 10.0
HOST = "localhost"
USER, PASSWORD = "camera", "s3cret"


@dataclass(frozen=True)
class Certificates:
    """PEM files: an authority, a server of its for localhost, a client of its, and a client of another authority."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path
    stranger_ca: Path
    stranger_cert: Path
    stranger_key: Path


def find_mosquitto() -> str:
    """Debian puts it where an ordinary user's PATH does not look. Raises FileNotFoundError."""
    places = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin:/opt/homebrew/sbin"
    found = shutil.which("mosquitto", path=places)
    if found is None:
        raise FileNotFoundError("mosquitto is not installed: apt-get install mosquitto")
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Broker:
    """A broker that can be started, stopped, killed and frozen."""

    command: list[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Returns when the port answers. Raises RuntimeError with the broker's log when it does not."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5):
                return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{self.command[0]} did not start: {self.log.read_text()}")

    def kill(self) -> None:
        """As a power cut would end it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In good order."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was frozen."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5.0)
        self.process = None


@contextlib.contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """Starts a broker and ends it."""
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def mosquitto(folder: Path, *settings: str, port: int | None = None) -> Broker:
    """A mosquitto with these settings, not yet started; by default open to everybody on loopback."""
    port = port or free_port()
    lines = [f"listener {port} 127.0.0.1", *(settings or ("allow_anonymous true",))]
    if os.getuid() == 0:
        lines.append("user root")  # it would become another user, who may not read the test's folder
    config = folder / f"mosquitto-{port}.conf"
    config.write_text("\n".join(lines) + "\n")
    return Broker([find_mosquitto(), "-c", str(config)], port, folder / f"mosquitto-{port}.log")


def mosquitto_with_certificates(folder: Path, certificates: Certificates) -> Broker:
    """A mosquitto as strict as AWS IoT: TLS 1.2 and later, nobody without a certificate of the authority."""
    return mosquitto(
        folder,
        f"cafile {certificates.ca}",
        f"certfile {certificates.server_cert}",
        f"keyfile {certificates.server_key}",
        "require_certificate true",
        "use_identity_as_username true",
    )


def mosquitto_with_password(folder: Path) -> Broker:
    """A mosquitto that knows one user, USER with PASSWORD."""
    passwords = folder / "passwords"
    tool = Path(find_mosquitto()).parent.parent / "bin" / "mosquitto_passwd"
    passwords.touch(mode=0o600)
    done = subprocess.run([str(tool), "-b", str(passwords), USER, PASSWORD], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return mosquitto(folder, "allow_anonymous false", f"password_file {passwords}")


def embedded(folder: Path) -> Broker:
    """The broker of dev mode, which comes with the extra `console`."""
    port = free_port()
    command = [sys.executable, "-m", "edge.broker", "--port", str(port)]
    return Broker(command, port, folder / f"embedded-{port}.log")


def has_embedded() -> bool:
    """Whether the broker of dev mode is there."""
    return bool(importlib.util.find_spec("edge.broker") and importlib.util.find_spec("amqtt"))


def make_certificates(folder: Path) -> Certificates:
    """Throw-away certificates, good for an hour."""
    authority, stranger = _Authority("authority"), _Authority("stranger")
    certificates = Certificates(
        *(folder / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")),
        *(folder / name for name in ("stranger-ca.pem", "stranger.pem", "stranger.key")),
    )
    certificates.ca.write_bytes(authority.pem)
    certificates.stranger_ca.write_bytes(stranger.pem)
    authority.issue("localhost", certificates.server_cert, certificates.server_key, server=True)
    authority.issue("cam-1", certificates.client_cert, certificates.client_key)
    stranger.issue("cam-1", certificates.stranger_cert, certificates.stranger_key)
    return certificates


class _Authority:
    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _certificate(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.pem = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, cert: Path, key: Path, *, server: bool = False) -> None:
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = (
            _certificate(subject, self._name, own.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        signed = builder.sign(self._key, hashes.SHA256())
        cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        key.write_bytes(own.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        key.chmod(0o600)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )
