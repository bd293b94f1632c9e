"""The runtime's pictures, handed on to the browser from the console's own address.

So the browser needs to reach nobody but the console, a token of the runtime never reaches a page, and a page
may forbid itself every foreign address.
"""

import asyncio
import concurrent.futures
import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from edge.console.words import Pictures as State
from streams.redact import redact_uri
from streams.topics import check_source

PATIENCE = 2.0  # seconds for one answer
LARGEST = 16 * 1024 * 1024  # bytes of one picture
AT_ONCE = 4  # requests under way
KINDS = ("device", "project")


class Reply(NamedTuple):
    """What the runtime answered. kind: the content type."""

    status: int
    kind: str
    body: bytes


class PicturesAway(ConnectionError):
    """The runtime's pictures cannot be had. The text is a sentence for a page."""


class Pictures:
    """The pictures of one runtime.

    address: `http://HOST:PORT` of the runtime, or None where it serves none. token: what it wants to see.
    """

    def __init__(
        self, address: str | None, token: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        parts = urlsplit(address or "")
        self._host, self._port = parts.hostname, parts.port or 80
        self.shown = redact_uri(address) if address else "none"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._clock = clock
        self._own = threading.local()
        self._pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE, "pictures")
        self._last: dict[str, int] = {}
        self._moved_at: dict[str, float] = {}
        self._trouble = "" if address else "The console was not told where the pictures are (--pictures)."

    def state(self, source: str) -> State:
        """How the pictures of a source fare, as far as pages asked for them."""
        return State(self._moved_at.get(source), self._trouble)

    async def latest(self, source: str) -> int | None:
        """The number of the newest frame both of whose pictures are there. Raises PicturesAway."""
        reply = await self.get(f"/{check_source(source)}/latest.json")
        frame = None
        if reply.status == http.HTTPStatus.OK:
            with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
                frame = int(json.loads(reply.body)["id"])
        if frame is not None and frame != self._last.get(source):
            self._last[source] = frame
            self._moved_at[source] = self._clock()
        return frame

    async def picture(self, source: str, kind: str, frame: int) -> Reply:
        """One picture, JPEG, or whatever the runtime answers instead. Raises PicturesAway, ValueError."""
        if kind not in KINDS:
            raise ValueError(f"the two streams are {KINDS}, not {kind!r}")
        return await self.get(f"/{check_source(source)}/{kind}/{frame:d}.jpg")

    async def get(self, path: str) -> Reply:
        """What the runtime answers to GET. Raises PicturesAway."""
        if self._host is None:
            raise PicturesAway(self._trouble)
        try:
            reply = await asyncio.get_running_loop().run_in_executor(self._pool, self._get, path)
        except (OSError, http.client.HTTPException) as error:
            self._trouble = f"The pictures at {self.shown} cannot be had: {reason_of(error)}."
            raise PicturesAway(self._trouble) from None
        refused = reply.status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN)
        self._trouble = f"{self.shown} wants another token than the console was given." if refused else ""
        return reply

    def _get(self, path: str) -> Reply:
        """On a thread of the pool, which keeps its connection; a closed one is opened anew, once."""
        held: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if held is not None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._ask(held, path)
        self._own.connection = http.client.HTTPConnection(self._host or "", self._port, timeout=PATIENCE)
        return self._ask(self._own.connection, path)

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> Reply:
        try:
            connection.request("GET", path, headers=self._headers)
            with connection.getresponse() as response:
                body = response.read(LARGEST)
                return Reply(response.status, response.getheader("Content-Type", ""), body)
        except BaseException:
            connection.close()
            self._own.connection = None
            raise


def reason_of(error: Exception) -> str:
    """Why a request failed, in words."""
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
