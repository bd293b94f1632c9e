"""Who may see the console: the check of the runtime's pictures, before every page, file and socket."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from streams.sinks.gate import Gate

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSED_SOCKET = 1008  # the WebSocket code for "policy violation"


class Guard:
    """An ASGI middleware that lets through what the gate lets through."""

    def __init__(self, app: App, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._gate.refusal(headers_of(scope)) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": REFUSED_SOCKET, "reason": refusal.reason})
        else:
            head = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": int(refusal.status), "headers": head})
            await send({"type": "http.response.body", "body": refusal.reason.encode()})


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by their usual writing ("Sec-Fetch-Site")."""
    return {name.decode("latin-1").title(): value.decode("latin-1") for name, value in scope["headers"]}
