"""The plainest MQTT 3.1.1 client: subscribes with QoS 0 and keeps what comes, as fast as the socket gives it.

A broker writes a QoS 0 message to its subscriber's socket before it acknowledges it to the publisher. What it
acknowledged is therefore in this socket, even if the broker is killed right after: nothing waits inside of it.
"""

import contextlib
import socket
import struct
import threading
import time

HOST = "127.0.0.1"
ROOM = 8 * 1024 * 1024  # bytes in the kernel that wait for this process
PATIENCE_S = 10.0
CONNACK, SUBACK, PUBLISH = 0x20, 0x90, 0x30


class Subscriber:
    """Keeps the payloads of one topic in the order of their coming, across any number of connections."""

    def __init__(self, port: int, topic: str) -> None:
        self.payloads: list[bytes] = []
        self._port, self._topic = port, topic
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._granted = threading.Event()

    def connect(self) -> None:
        """Returns when the broker has granted the subscription. The connection before has ended, or is ended."""
        self.close()
        self._granted.clear()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._socket = socket.create_connection((HOST, self._port), PATIENCE_S)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._listen, args=(self._socket,), daemon=True)
        self._thread.start()
        name = f"subscriber-{id(self)}-{time.monotonic_ns()}"
        self._socket.sendall(_packet(0x10, _text("MQTT") + b"\x04\x02\x00\x00" + _text(name)))
        self._socket.sendall(_packet(0x82, b"\x00\x01" + _text(self._topic) + b"\x00"))
        if not self._granted.wait(PATIENCE_S):
            raise TimeoutError("the broker granted no subscription")

    def ended(self, timeout: float = PATIENCE_S) -> None:
        """Waits until the broker has gone and all that it sent is here."""
        if self._thread is not None:
            self._thread.join(timeout)

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self.ended()
            self._socket.close()
            self._socket = None

    def _listen(self, source: socket.socket) -> None:
        data = bytearray()
        with contextlib.suppress(OSError):
            while more := source.recv(1 << 20):
                data += more
                at = 0
                while (found := _next(data, at)) is not None:
                    first, begin, at = found
                    self._hear(first, data[begin:at])
                del data[:at]

    def _hear(self, first: int, body: bytearray) -> None:
        if first & 0xF0 == PUBLISH:
            (length,) = struct.unpack_from(">H", body)
            self.payloads.append(bytes(body[2 + length :]))
        elif first == SUBACK and body[2] == 0:
            self._granted.set()


def _text(words: str) -> bytes:
    return struct.pack(">H", len(words)) + words.encode()


def _packet(first: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes([first]) + bytes(length) + body


def _next(data: bytearray, at: int) -> tuple[int, int, int] | None:
    """The packet at a place: its first byte, and where its body begins and ends; None while it is not whole."""
    size = shift = 0
    for place in range(at + 1, min(at + 5, len(data))):
        size |= (data[place] & 0x7F) << shift
        shift += 7
        if not data[place] & 0x80:
            end = place + 1 + size
            return (data[at], place + 1, end) if end <= len(data) else None
    return None
