"""Who may look: one check of host, asking page and token for every listener of ours.

A browser on this machine is the danger on loopback: any page it shows may ask our port for pictures. So we
answer only where the Host is a name of this machine (a page that rebinds its own name to 127.0.0.1 still
sends its own), only pages that come from this machine themselves, and a token, where one is set, is never
taken from an address, which logs and histories keep. Beyond loopback there is no listener without a token, and
none without TLS unless its owner insists.
"""

import math
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from streams.errors import StreamError
from streams.sinks.guesses import Guesses
from streams.sinks.origin import host_of, is_local_page, is_loopback, is_same_host
from streams.sinks.token import Headers, Token


class SinkInvalid(StreamError, ValueError):
    """A setting with which a listener must not start; the sentence names the key."""


class Refusal(NamedTuple):
    """Why somebody may not look. headers: to be sent along."""

    status: HTTPStatus
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


class Gate:
    """Checks requests to one listener. For any thread.

    setting: the name of its section in the configuration, for the sentences. cert, key: PEM files for TLS, which
    is then spoken, 1.2 at least. insecure: whether other machines may be answered without it. clock: monotonic
    seconds.
    Raises SinkInvalid when the listener would be open to the network without a token or without TLS, and for
    certificates that cannot be used.
    """

    def __init__(
        self,
        host: str,
        token: str | None = None,
        *,
        setting: str = "http",
        cert: Path | None = None,
        key: Path | None = None,
        insecure: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.loopback = is_loopback(host)
        if not self.loopback and not token:
            raise SinkInvalid(
                f"{setting}.host is {host}, which other machines can reach: set {setting}.token beside it, "
                "or let it be 127.0.0.1"
            )
        if not self.loopback and not cert and not insecure:
            raise SinkInvalid(
                f"{setting}.host is {host}, which other machines can reach: set {setting}.cert and {setting}.key "
                f"for TLS, or {setting}.insecure (--insecure) where the network is to be trusted"
            )
        self.tls = server_context(cert, key, setting) if cert else None
        self._token = Token(token, setting) if token else None
        self._guesses = Guesses(clock)

    def refusal(self, headers: Headers, peer: str = "") -> Refusal | None:
        """Why a request with these headers is refused, or None. Names of headers in their usual writing.

        peer: the asking machine's address, whose wrong tokens are counted.
        """
        stranger = self.stranger(headers)
        if stranger is not None or self._token is None:
            return stranger
        wait = self._guesses.wait(peer)
        if wait:
            return _too_many(wait)
        shown = self._token.is_shown(headers)
        if shown:
            return None
        if shown is not None:
            self._guesses.wrong(peer)
        forget = (("Set-Cookie", self._token.set_cookie(secure=self.tls is not None, forget=True)),)
        return Refusal(
            HTTPStatus.UNAUTHORIZED,
            "a token is needed, as Authorization: Bearer, or as the cookie that / gives for it",
            (("WWW-Authenticate", "Bearer"), *(forget if shown is not None else ())),
        )

    def stranger(self, headers: Headers) -> Refusal | None:
        """Why nobody with these headers is even asked for a token, or None."""
        host = headers.get("Host")
        if host is None:
            return Refusal(HTTPStatus.BAD_REQUEST, "a Host header is needed")
        if self.loopback and not is_loopback(host_of(host)):
            return Refusal(
                HTTPStatus.FORBIDDEN, "this address serves its own machine only, under its own names"
            )
        if not _page_may(headers):
            return Refusal(HTTPStatus.FORBIDDEN, "a page of another site may not look here")
        return None

    def entry(self, headers: Headers, word: str | None, peer: str = "") -> Refusal | str:
        """The Set-Cookie header of somebody who typed `word` into our form, or why there is none."""
        refused = self.stranger(headers)
        if refused is not None:
            return refused
        if self._token is None:
            return Refusal(HTTPStatus.NOT_FOUND, "no token is needed here")
        wait = self._guesses.wait(peer)
        if wait:
            return _too_many(wait)
        if word is None or not self._token.is_word(word):
            self._guesses.wrong(peer)
            return Refusal(HTTPStatus.UNAUTHORIZED, "this is another token")
        return self._token.set_cookie(secure=self.tls is not None)

    def grants(self, headers: Headers) -> dict[str, str]:
        """The headers that let the asking page read the answer, where there is such a page."""
        origin = headers.get("Origin")
        if origin is None or not is_local_page(origin):
            return {"Vary": "Origin"}
        granted = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return granted | ({"Access-Control-Allow-Credentials": "true"} if self._token else {})


def _too_many(wait: float) -> Refusal:
    seconds = str(math.ceil(wait))
    return Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"too many wrong tokens came from there; the next is looked at in {seconds} s",
        (("Retry-After", seconds),),
    )


def _page_may(headers: Headers) -> bool:
    """Pages of this machine may, on whatever port, and so may whoever is no page of another site."""
    origin = headers.get("Origin")
    if origin is not None:
        return is_local_page(origin) or is_same_host(origin, headers.get("Host", ""))
    if headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        return True
    if headers.get("Sec-Fetch-Dest") == "document":  # a link was followed: no page reads what opens then
        return True
    page = headers.get("Referer", "")
    return is_local_page(page) or is_same_host(page, headers.get("Host", ""))


def server_context(cert: Path, key: Path | None, setting: str) -> ssl.SSLContext:
    """TLS for a listener, 1.2 at least. Raises SinkInvalid for files that cannot be used."""
    if key is None:
        raise SinkInvalid(f"{setting}.key is missing: {setting}.cert needs its private key")
    for name, path in (("cert", cert), ("key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise SinkInvalid(f"{setting}.{name}: {path} cannot be read: {error.strerror}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise SinkInvalid(
            f"{setting}.cert: {cert} and {setting}.key: {key} are no certificate and its private key in PEM, "
            f"without a password: {getattr(error, 'reason', None) or error}"
        ) from None
    return context
