"""The embedded broker of dev mode: MQTT 3.1.1 on loopback, for programs of this machine, without accounts.

    python -m edge.broker --port 1883            that port, or a sentence and exit code 2
    python -m edge.broker --port 1883 --or-free  that port, else one that is free

It prints one line, `ready mqtt://HOST:PORT`, with the port it listens on.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.session import Session

from edge.ports import address, listen
from edge.supervise import ready

HOST = "127.0.0.1"
PORT = 1883
LISTENER = "default"
BACKLOG = (
    32 * 1024 * 1024
)  # bytes a client may leave unread before it is cut off; our memory must end somewhere
READ_AHEAD = 1024 * 1024  # bytes
KEEP_ALIVE_SLACK = 15  # seconds: clients that ping exactly at their keep-alive must not be dropped for it
SHUTDOWN_PATIENCE = 0.3  # seconds

log = logging.getLogger(__name__)


class BoundedWriter(StreamWriterAdapter):  # type: ignore[misc]  # amqtt has no types
    """Writes to one client without ever waiting for it, and cuts it off when it reads too slowly."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer)
        self._transport = writer.transport

    def write(self, data: bytes) -> None:
        """Hand `data` to the socket. A client with more than BACKLOG bytes unread loses its connection."""
        super().write(data)
        if self._transport.get_write_buffer_size() > BACKLOG:
            log.warning("a client that reads too slowly was cut off")
            self._transport.abort()

    async def drain(self) -> None:
        """Nothing to wait for: the bound is kept by `write`."""

    async def close(self) -> None:
        """Close without waiting for a client that may not read any more."""
        self.is_closed = True
        self._transport.close()


class LoopbackBroker(Broker):  # type: ignore[misc]
    """amqtt's broker, but a new client gets the retained messages of its own filters, not of everybody's."""

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        holders = self.subscriptions.get(subscription[0], [])
        if any(holder.client_id == session.client_id for holder, _ in holders):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _handle_message_delivery(
        self, client_session: Session, handler: Any, wait_deliver: "asyncio.Future[Any]"
    ) -> bool:
        """amqtt goes deaf to a client that publishes to a `$` topic, and acknowledges on; other brokers pass it on."""
        message = wait_deliver.result()
        if message is not None and (message.topic or "").startswith("$"):
            await self._broadcast_message(client_session, message.topic, message.data)
            return True
        return bool(await super()._handle_message_delivery(client_session, handler, wait_deliver))


def listen_on_loopback(host: str, port: int, *, or_free: bool) -> socket.socket:
    """A listening socket. Raises ValueError for a host that others can reach, OSError as `listen` does."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"this broker asks nobody for a password and stays on loopback, not on {host}")
    return listen(host, port, or_free=or_free)


def settings() -> BrokerConfig:
    """What the broker may do: everything, for everybody who reaches it; no statistics, no packet log."""
    return BrokerConfig(
        listeners={LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        timeout_disconnect_delay=KEEP_ALIVE_SLACK,
    )


async def serve(server_socket: socket.socket, ended: asyncio.Event) -> None:
    """Serve on a listening socket until `ended` is set; says `ready` when clients may come."""
    broker = LoopbackBroker(settings())
    await broker.start()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await broker.external_connected(StreamReaderAdapter(reader), BoundedWriter(writer), LISTENER)

    server = await asyncio.start_server(connected, sock=server_socket, limit=READ_AHEAD)
    host, port = server_socket.getsockname()[:2]
    ready(address("mqtt", host, port))
    await ended.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), SHUTDOWN_PATIENCE)


async def serve_until_signalled(server_socket: socket.socket) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await serve(server_socket, ended)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m edge.broker", description="The embedded MQTT broker.")
    parser.add_argument("--host", default=HOST, help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="0 for any free one (default: %(default)s)")
    parser.add_argument("--or-free", action="store_true", help="take a free port where that one is taken")
    chosen = parser.parse_args(arguments)
    for chatterer in ("amqtt", "transitions", "asyncio"):  # they report every client that comes or leaves
        logging.getLogger(chatterer).setLevel(logging.CRITICAL)
    try:
        server_socket = listen_on_loopback(chosen.host, chosen.port, or_free=chosen.or_free)
    except (OSError, ValueError) as error:
        parser.exit(2, f"No broker at {chosen.host}:{chosen.port}: {error}\n")
    asyncio.run(serve_until_signalled(server_socket))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
