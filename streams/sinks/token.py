"""A viewer's token: how it is presented, and how it is compared."""

import hashlib
import hmac
import http.cookies
from typing import Protocol, overload


class Headers(Protocol):
    """A request's headers; names in whatever case where the server's own class takes them so."""

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str, /) -> str: ...


class Token:
    """One secret of one listener. It is compared in constant time, and never taken from an address.

    setting: the name of the listener's section; two listeners of one host have cookies of their own.
    A cookie holds no token but what only somebody with the token can compute, so that whoever reads it, such as
    another service of the same host, learns no token.
    """

    def __init__(self, secret: str, setting: str) -> None:
        self.cookie = f"lensracer_{setting}"
        self._secret = secret.encode()
        self._proof = hmac.new(self._secret, f"cookie of {setting}".encode(), hashlib.sha256).hexdigest()

    def is_shown(self, headers: Headers) -> bool | None:
        """Whether the headers show it; None where they show none at all, False for a wrong one."""
        shown: list[bool] = []
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            shown.append(hmac.compare_digest(given.strip().encode("latin-1", "replace"), self._secret))
        proof = self._proof_in(headers)
        if proof is not None:
            shown.append(hmac.compare_digest(proof.encode("latin-1", "replace"), self._proof.encode()))
        return any(shown) if shown else None

    def is_word(self, word: str) -> bool:
        """Whether this is the token, as somebody typed it."""
        return hmac.compare_digest(word.strip().encode("utf-8", "replace"), self._secret)

    def set_cookie(self, *, secure: bool, forget: bool = False) -> str:
        """The Set-Cookie header of somebody who showed the token; forget: takes it away instead."""
        words = [f"{self.cookie}={'' if forget else self._proof}", "HttpOnly", "SameSite=Strict", "Path=/"]
        words += ["Max-Age=0"] if forget else []
        return "; ".join([*words, "Secure"] if secure else words)

    def _proof_in(self, headers: Headers) -> str | None:
        try:
            cookies = http.cookies.SimpleCookie(headers.get("Cookie", ""))
        except http.cookies.CookieError:
            return None
        return cookies[self.cookie].value if self.cookie in cookies else None
