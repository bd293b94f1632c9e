"""The files by which device and broker know one another: readable, of this time, private, and fitting together."""

import os
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.doctor import der
from edge.doctor.check import Check, Patient
from streams import clock

SOON = 30 * 24 * 3600 * 1000  # milliseconds
PEM = "-----BEGIN CERTIFICATE-----"
NEW = "get a new one from whoever issued it (at AWS: IoT Core, Security, Certificates)"


def examine(patient: Patient) -> Iterator[Check]:
    if patient.config is None or patient.config.transport.kind != "iot_core":
        return
    wanted = patient.config.transport
    for key, path in (("cert", wanted.cert), ("ca", wanted.ca)):
        if path is not None:
            yield certificate(f"transport.{key}", path, clock.wall_ms())
    if wanted.key is not None:
        yield private(wanted.key)
    if wanted.cert is not None and wanted.key is not None:
        yield fitting(wanted.cert, wanted.key)


def certificate(name: str, path: Path, now_ms: int) -> Check:
    """Whether a file of certificates can be read, and is neither expired nor of the future."""
    try:
        text = path.read_text(encoding="ascii")
        found = [der.validity(ssl.PEM_cert_to_DER_cert(PEM + part)) for part in text.split(PEM)[1:]]
    except OSError as error:
        return Check(
            name, "fail", f"{path} cannot be read: {error.strerror}", f"put the file there, or correct {name}"
        )
    except ValueError:
        return Check(name, "fail", f"{path} is damaged, or no PEM file", f"copy it again, or correct {name}")
    if not found:
        return Check(name, "fail", f"{path} holds no certificate", f"correct {name}: a PEM file is wanted")
    return judged(name, path, max(begin for begin, _ in found), min(end for _, end in found), now_ms)


def judged(name: str, path: Path, begin_ms: int, end_ms: int, now_ms: int) -> Check:
    if now_ms > end_ms:
        return Check(name, "fail", f"{path} expired at {clock.utc(end_ms)}", NEW)
    if now_ms < begin_ms:
        mend = "set the clock: sudo timedatectl set-ntp true"
        return Check(name, "fail", f"{path} is not valid before {clock.utc(begin_ms)}", mend)
    if end_ms - now_ms < SOON:
        return Check(name, "warn", f"{path} expires at {clock.utc(end_ms)}", NEW)
    return Check(name, "ok", f"{path}, good until {clock.utc(end_ms)}")


def private(path: Path) -> Check:
    """Whether nobody else can read the key, and we can."""
    name, mend = "transport.key", f"chmod 600 {path}"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return Check(
            name,
            "fail",
            f"{path} cannot be read: {error.strerror}",
            "put the file there, or correct transport.key",
        )
    if not os.access(path, os.R_OK):
        return Check(name, "fail", f"{path} may not be read by this user", f"sudo chown $USER {path}")
    if mode & 0o077:
        return Check(name, "fail", f"others may read {path} (mode {mode:04o})", mend)
    return Check(name, "ok", f"{path}, mode {mode:04o}")


def fitting(cert: Path, key: Path) -> Check:
    """Whether the certificate was made for the key."""
    name = "certificate and key"
    try:
        # A pass phrase that cannot be right, rather than a question on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return Check(
                name, "fail", f"{key} is not the key of {cert}", "use the pair that was made together"
            )
        return Check(
            name,
            "fail",
            f"{cert} and {key} cannot be used: {error.reason or error}",
            "use unencrypted PEM files",
        )
    except OSError as error:
        return Check(
            name, "fail", f"{error.filename or cert} cannot be read: {error.strerror}", "put the file there"
        )
    return Check(name, "ok", "belong together")
