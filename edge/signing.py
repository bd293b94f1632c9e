"""Signatures of bundles: ECDSA on the curve P-256 with SHA-256, in the library that speaks TLS to the broker anyway.

Any tool makes such keys and signatures (`openssl`, a key service, a secure element): a PEM file, and the DER form of a
signature.
"""

import base64
import binascii
import hashlib
import re
from pathlib import Path
from typing import Any

from edge.errors import ConfigInvalid, EdgeError, Fault

BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)
PUBLIC, PRIVATE = ("PUBLIC KEY",), ("EC PRIVATE KEY", "PRIVATE KEY")
COORDINATE = 32  # bytes of one on P-256
SHOWN = 16  # hexadecimal digits of a key's name
MAKE_ONE = "openssl ecparam -name prime256v1 -genkey -noout -out release.key"


class SigningUnavailable(EdgeError, RuntimeError):
    """The installed awscrt is too old for signatures."""


class Key:
    """One key. name: the first digits of the SHA-256 of its public half (SubjectPublicKeyInfo)."""

    def __init__(self, der: bytes) -> None:
        """Raises ValueError for what is no key on P-256."""
        made = library()
        try:
            self._key = made.EC.new_key_from_der_data(der)
            if len(self._key.get_public_coords().x) != COORDINATE:
                raise ValueError("it is not on the curve P-256")
            spki = self._key.export_key(made.ECExportFormat.SPKI)
        except RuntimeError as error:
            raise ValueError("it is not on the curve P-256") from error
        self.name = hashlib.sha256(spki).hexdigest()[:SHOWN]

    def sign(self, text: bytes) -> bytes:
        """The signature, DER. The key must be a private one."""
        signature: bytes = self._key.sign(hashlib.sha256(text).digest())
        return signature

    def made(self, signature: bytes, text: bytes) -> bool:
        """Whether this key's owner signed just that text."""
        try:
            return bool(self._key.verify(hashlib.sha256(text).digest(), signature))
        except RuntimeError:
            return False


def library() -> Any:
    """The vendor's module, loaded when the first key is. Raises SigningUnavailable."""
    from awscrt import crypto

    if not hasattr(crypto, "EC"):
        raise SigningUnavailable("signed bundles need awscrt 0.28 or newer: pip install --upgrade awsiotsdk")
    return crypto


def public_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a PEM file. Raises ConfigInvalid."""
    return keys(path, PUBLIC, "swap.keys")


def private_key(path: Path) -> Key:
    """The key of a PEM file. Raises ConfigInvalid."""
    return keys(path, PRIVATE, "--key")[0]


def keys(path: Path, kinds: tuple[str, ...], setting: str) -> tuple[Key, ...]:
    try:
        blocks = BLOCK.findall(path.read_bytes())
    except OSError as error:
        raise refused(f"{path} cannot be read: {error.strerror}", setting) from error
    fitting = [body for kind, body in blocks if kind.decode() in kinds]
    if not fitting:
        what = " or ".join(f"-----BEGIN {kind}-----" for kind in kinds)
        raise refused(f"{path} has no {what}; `{MAKE_ONE}` makes a key", setting)
    try:
        return tuple(Key(base64.b64decode(body)) for body in fitting)
    except (ValueError, binascii.Error) as error:
        raise refused(
            f"{path} holds a key that is none for this: {error}; `{MAKE_ONE}` makes one", setting
        ) from error


def refused(message: str, setting: str) -> ConfigInvalid:
    return ConfigInvalid(Fault(message, setting))
