"""Who may look: one check of host, asking page and token for every listener of ours.

A browser on this machine is the danger on loopback: any page it shows may ask our port for pictures. So we
answer only where the Host is a name of this machine (a page that rebinds its own name to 127.0.0.1 still
sends its own), only pages that come from this machine themselves, and a token, where one is set, is never
taken from an address, which logs and histories keep.
"""

import hmac
import http.cookies
import ipaddress
from http import HTTPStatus
from typing import NamedTuple, Protocol, overload
from urllib.parse import urlsplit

from streams.errors import StreamError

COOKIE = "lensracer_token"


class SinkInvalid(StreamError, ValueError):
    """A setting with which a listener must not start; the sentence names the key."""


class Headers(Protocol):
    """A request's headers; names in whatever case where the server's own class takes them so."""

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str, /) -> str: ...


class Refusal(NamedTuple):
    """Why somebody may not look."""

    status: HTTPStatus
    reason: str


class Gate:
    """Checks requests to one listener.

    setting: the name of its section in the configuration, for the sentences.
    Raises SinkInvalid when the listener would be open to the network without a token.
    """

    def __init__(self, host: str, token: str | None = None, *, setting: str = "http") -> None:
        self.loopback = is_loopback(host)
        if not self.loopback and not token:
            raise SinkInvalid(
                f"{setting}.host is {host}, which other machines can reach: set {setting}.token beside it, "
                "or let it be 127.0.0.1"
            )
        self._token = token

    def refusal(self, headers: Headers) -> Refusal | None:
        """Why a request with these headers is refused, or None. Names of headers in their usual writing."""
        host = headers.get("Host")
        if host is None:
            return Refusal(HTTPStatus.BAD_REQUEST, "a Host header is needed")
        if self.loopback and not is_loopback(host_of(host)):
            return Refusal(
                HTTPStatus.FORBIDDEN, "this address serves its own machine only, under its own names"
            )
        if not self._page_may(headers):
            return Refusal(HTTPStatus.FORBIDDEN, "a page of another site may not look here")
        if self._token and not self._knows_token(headers):
            return Refusal(HTTPStatus.UNAUTHORIZED, "a token is needed, as Authorization: Bearer")
        return None

    def grants(self, headers: Headers) -> dict[str, str]:
        """The headers that let the asking page read the answer, where there is such a page."""
        origin = headers.get("Origin")
        if origin is None or not _is_local_page(origin):
            return {"Vary": "Origin"}
        granted = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return granted | ({"Access-Control-Allow-Credentials": "true"} if self._token else {})

    def _page_may(self, headers: Headers) -> bool:
        """Pages of this machine may, on whatever port, and so may whoever is no page of another site."""
        origin = headers.get("Origin")
        if origin is not None:
            return _is_local_page(origin) or _same(origin, headers.get("Host", ""))
        if headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            return True
        if headers.get("Sec-Fetch-Dest") == "document":  # a link was followed: no page reads what opens then
            return True
        page = headers.get("Referer", "")
        return _is_local_page(page) or _same(page, headers.get("Host", ""))

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        offered = [given.strip()] if scheme.lower() == "bearer" else []
        try:
            cookies = http.cookies.SimpleCookie(headers.get("Cookie", ""))
        except http.cookies.CookieError:
            cookies = http.cookies.SimpleCookie()
        if COOKIE in cookies:
            offered.append(cookies[COOKIE].value)
        expected = (self._token or "").encode()
        return any(hmac.compare_digest(each.encode("latin-1", "replace"), expected) for each in offered)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine and cannot be reached from others."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """The host of a Host header, without its port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_local_page(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
    except ValueError:
        return False


def _same(address: str, host: str) -> bool:
    """Whether a page comes from the very host it asks, on whatever port."""
    try:
        name = urlsplit(address).hostname
    except ValueError:
        return False
    return bool(name) and name == host_of(host)
