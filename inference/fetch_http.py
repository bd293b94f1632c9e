"""`https:` and `http:` addresses: one request at a time, gone on with by ranges, redirects looked at first."""

import contextlib
import email.message
import functools
import http.client
import re
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from inference.errors import AddressRefused, FetchFailed
from inference.fetch_address import PORTS, Reach, checked, forbidden, places, shown

_BLOCK = 1 << 16
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_SAFE = "/?:@!$&'()*+,;=%~-._"  # RFC 3986, 3.3 and 3.4: what stays as it is in a path and a query
_HEADERS = {"User-Agent": "lensracer", "Accept": "*/*", "Accept-Encoding": "identity"}


class HttpBody:
    """See inference.fetch.Body."""

    def __init__(
        self, answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, told: str
    ) -> None:
        self._answer = answer
        self._connection = connection
        self._told = told
        self.start, self.total = _extent(answer, told)
        self.mark = _mark(answer.headers)

    def blocks(self) -> Iterator[bytes]:
        with _told_as(self._told):
            while block := self._answer.read1(_BLOCK):
                yield block

    def close(self) -> None:
        _close(self._connection, self._answer)


class HttpSource:
    """See inference.fetch.Source. patience: seconds that a server may be silent."""

    def __init__(self, address: SplitResult, reach: Reach, patience: float) -> None:
        self._address = address
        self._reach = reach
        self._patience = patience

    def open(self, start: int, mark: str) -> HttpBody:
        ranged = {"Range": f"bytes={start}-"} if start else {}
        if start and mark:
            ranged["If-Range"] = mark
        answer, connection = self._asked(ranged)
        if answer.status == 416 and start:  # what is here is longer than the file has become
            _close(connection, answer)
            answer, connection = self._asked({})
        try:
            _check(answer, shown(self._address.geturl()))
            body = HttpBody(answer, connection, shown(self._address.geturl()))
            if body.start not in (0, start):
                raise FetchFailed(
                    f"{shown(self._address.geturl())} answers with another part than was asked for"
                )
        except BaseException:
            _close(connection, answer)
            raise
        return body

    def _asked(self, more: dict[str, str]) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        """The answer at the end of the redirects."""
        address = self._address
        for _ in range(_MOST_REDIRECTS + 1):
            connection = self._connection(address)
            answer = self._answer(connection, address, more)
            if answer.status not in _REDIRECTS:
                return answer, connection
            _close(connection, answer)
            address = self._redirected(address, answer.getheader("Location"))
        raise FetchFailed(f"{shown(self._address.geturl())} redirects more than {_MOST_REDIRECTS} times")

    def _redirected(self, address: SplitResult, location: str | None) -> SplitResult:
        told = shown(address.geturl())
        if not location:
            raise FetchFailed(f"{told} redirects to nowhere")
        try:
            target = urljoin(address.geturl(), location.strip())
            scheme = urlsplit(target).scheme
        except ValueError as error:
            raise FetchFailed(f"{told} redirects to what is no address: {error}") from None
        if scheme != address.scheme:
            raise AddressRefused(
                f"{told} redirects to {shown(target)}; only another {address.scheme} address is followed"
            )
        return checked(target, self._reach)

    def _connection(self, address: SplitResult) -> http.client.HTTPConnection:
        """Not connected yet. A proxy that the environment names is asked, as any program here would."""
        host, port = str(address.hostname), address.port or PORTS[address.scheme]
        proxy = _proxy(address.scheme, host)
        if proxy is not None:
            _check_literal(host)
            return _by_proxy(address.scheme, host, port, proxy, self._patience)
        own = (address.hostname, address.port) == (self._address.hostname, self._address.port)
        vetted = functools.partial(_connect, loopback=self._reach.loopback and own)
        connection = _new(address.scheme, host, port, self._patience)
        connection._create_connection = vetted  # type: ignore[attr-defined]
        return connection

    def _answer(
        self, connection: http.client.HTTPConnection, address: SplitResult, more: dict[str, str]
    ) -> http.client.HTTPResponse:
        target = quote(address.path or "/", safe=_SAFE)
        target += f"?{quote(address.query, safe=_SAFE)}" if address.query else ""
        if address.scheme == "http" and _proxy("http", str(address.hostname)) is not None:
            target = f"http://{address.netloc}{target}"
        try:
            with _told_as(shown(address.geturl())), _within(self._patience, connection):
                connection.request("GET", target, headers={**_HEADERS, **more})
                return connection.getresponse()
        except BaseException:
            connection.close()
            raise


def source(address: SplitResult, reach: Reach, patience: float) -> HttpSource:
    return HttpSource(address, reach, patience)


def _close(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
    """Both: an answer keeps the socket of a connection that was closed."""
    answer.close()
    connection.close()


def _new(scheme: str, host: str, port: int, patience: float) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=patience)
    return http.client.HTTPSConnection(host, port, timeout=patience, context=ssl.create_default_context())


def _proxy(scheme: str, host: str) -> SplitResult | None:
    found = urllib.request.getproxies().get(scheme)
    if not found or urllib.request.proxy_bypass(host):
        return None
    return urlsplit(found if "//" in found else f"//{found}")


def _by_proxy(
    scheme: str, host: str, port: int, proxy: SplitResult, patience: float
) -> http.client.HTTPConnection:
    connection = _new(scheme, proxy.hostname or "", proxy.port or 8080, patience)
    if scheme == "https":
        connection.set_tunnel(host, port)
    return connection


def _check_literal(host: str) -> None:
    """A proxy resolves names itself; an address written as a number can be looked at here all the same."""
    try:
        kind = forbidden(host)
    except ValueError:  # a name
        return
    if kind is not None:
        raise AddressRefused(f"{host} is {kind}: such an address may not be asked")


def _connect(
    address: tuple[str, int], timeout: Any, source_address: Any = None, *, loopback: bool
) -> socket.socket:
    """Connects to the very address that was looked at: a name asked for twice may answer differently."""
    failed: OSError | None = None
    for family, kind, protocol, _, place in places(*address, loopback=loopback)[:4]:
        found = socket.socket(family, kind, protocol)
        try:
            found.settimeout(timeout)
            found.connect(place)
            return found
        except OSError as error:
            found.close()
            failed = error
    raise failed or OSError("no address")


@contextlib.contextmanager
def _within(patience: float, connection: http.client.HTTPConnection) -> Iterator[None]:
    """The whole answer's head must be there in time: a byte now and then would hold us for ever."""

    late = threading.Event()

    def shut() -> None:
        late.set()
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(2 * patience, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if late.is_set():  # a head that ends there looks like a whole one
        raise TimeoutError


@contextlib.contextmanager
def _told_as(told: str) -> Iterator[None]:
    """What may go wrong on the way, as FetchFailed."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise FetchFailed(f"{told}: the server's certificate is not good: {error.verify_message}") from None
    except TimeoutError:
        raise FetchFailed(f"{told} is silent for too long", passing=True) from None
    except http.client.IncompleteRead:
        raise FetchFailed(f"{told} was cut off", passing=True) from None
    except http.client.InvalidURL as error:
        raise AddressRefused(f"{told} is no address: {error}") from None
    except http.client.HTTPException as error:
        what = str(error) or type(error).__name__
        raise FetchFailed(
            f"{told} does not answer as a web server does ({what[:120]})", passing=True
        ) from None
    except FetchFailed:
        raise
    except OSError as error:
        raise FetchFailed(f"{told} cannot be reached: {error.strerror or error}", passing=True) from None


def _check(answer: http.client.HTTPResponse, told: str) -> None:
    if answer.status not in (200, 206):
        raise FetchFailed(
            f"{told} answers {answer.status} {answer.reason[:80]}", passing=answer.status in _PASSING
        )
    if answer.getheader("Content-Encoding", "identity").lower() not in ("identity", ""):
        raise FetchFailed(f"{told} sends the file packed ({answer.getheader('Content-Encoding')}), unasked")


def _extent(answer: http.client.HTTPResponse, told: str) -> tuple[int, int | None]:
    """(place of the first byte, bytes of the whole) as the headers say. RFC 9110, 14.4."""
    if answer.status == 200:
        return 0, answer.length
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.getheader("Content-Range", "").strip())
    if found is None:
        raise FetchFailed(f"{told} answers with a part of the file and does not say which")
    first, last, whole = found.groups()
    return int(first), int(whole) if whole != "*" else int(last) + 1


def _mark(headers: email.message.Message) -> str:
    """What If-Range takes: a strong ETag, else the time of the last change. RFC 9110, 13.1.5."""
    etag = headers.get("ETag", "")
    return headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
