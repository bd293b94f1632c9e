"""Stands before a broker as AWS IoT Core would: a publish to a reserved topic ends the connection, and goes nowhere."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

PUBLISH = 3
Rule = Callable[[str], bool]


class TopicCutter:
    """A TCP proxy on a free loopback port that reads what clients send packet by packet.

    keeps: says of a topic whether the broker keeps it for itself. cuts: the topics for which connections were ended.
    """

    def __init__(self, broker_port: int, keeps: Rule = lambda topic: topic.startswith("$aws/")) -> None:
        self.cuts: list[str] = []
        self.keeps = keeps
        self._broker_port = broker_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        broker = socket.create_connection(("127.0.0.1", self._broker_port))
        with contextlib.suppress(OSError), client, broker:
            back = threading.Thread(target=pour, args=(broker, client), daemon=True)
            back.start()
            with contextlib.suppress(EOFError):
                self._forward(client, broker)
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            broker.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def _forward(self, client: socket.socket, broker: socket.socket) -> None:
        """Until a topic is kept. Raises EOFError and OSError at the end of the connection."""
        while True:
            head, body = packet(client)
            topic = topic_of(body) if head[0] >> 4 == PUBLISH else ""
            if topic and self.keeps(topic):
                self.cuts.append(topic)
                return
            broker.sendall(head + body)


def packet(client: socket.socket) -> tuple[bytes, bytes]:
    """A packet of MQTT: fixed header with the remaining length, and the rest."""
    head, length, shift = exactly(client, 1), 0, 0
    while True:
        head += exactly(client, 1)
        length |= (head[-1] & 0x7F) << shift
        shift += 7
        if head[-1] < 0x80:
            return head, exactly(client, length)


def exactly(client: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        part = client.recv(count - len(got))
        if not part:
            raise EOFError
        got += part
    return got


def topic_of(body: bytes) -> str:
    size = int.from_bytes(body[:2], "big")
    return body[2 : 2 + size].decode()


def pour(source: socket.socket, into: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            into.sendall(part)


@contextlib.contextmanager
def cutting(broker_port: int, keeps: Rule = lambda topic: topic.startswith("$aws/")) -> Iterator[TopicCutter]:
    made = TopicCutter(broker_port, keeps)
    try:
        yield made
    finally:
        made.close()
