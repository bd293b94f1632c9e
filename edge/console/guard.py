"""Who may see the console: the check of the runtime's pictures, before every page, file and socket."""

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from streams.sinks import login
from streams.sinks.gate import Gate, Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSED_SOCKET = 1008  # the WebSocket code for "policy violation"


class Guard:
    """An ASGI middleware that lets through what the gate lets through, and takes the token of its form."""

    def __init__(self, app: App, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", login.PATH):
            await self._enter(scope, receive, send)
            return
        refusal = self._gate.refusal(headers_of(scope), peer_of(scope))
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": REFUSED_SOCKET, "reason": refusal.reason})
        else:
            await refuse(scope, send, refusal)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        word = login.word_in(await body_of(receive), headers.get("Content-Type", ""))
        entry = self._gate.entry(headers, word, peer_of(scope))
        if isinstance(entry, Refusal):
            await refuse(scope, send, entry)
        else:
            await respond(send, HTTPStatus.SEE_OTHER, b"", ("Set-Cookie", entry), ("Location", "/"))


async def refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    """In a sentence; for a person at a browser who lacks the token in a form."""
    body, kind, more = login.answer(refusal, headers_of(scope), posted=scope["method"] == "POST")
    await respond(send, refusal.status, body, ("Content-Type", kind), *refusal.headers, *more)


async def respond(send: Send, status: int, body: bytes, *headers: tuple[str, str]) -> None:
    head = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    head.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": int(status), "headers": head})
    await send({"type": "http.response.body", "body": body})


async def body_of(receive: Receive) -> bytes:
    """The body of a small form; of a larger one only the beginning, which is no form then."""
    body, more = b"", True
    while more and len(body) <= login.LONGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body if len(body) <= login.LONGEST_BODY else b""


def peer_of(scope: Scope) -> str:
    """The address of the machine that asks."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by their usual writing ("Sec-Fetch-Site")."""
    return {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
