"""A broker that hangs up on certain words: a TCP proxy to a real one that cuts whoever sends them."""

import contextlib
import socket
import threading
from collections.abc import Iterator

HOST = "127.0.0.1"
CHUNK = 64 * 1024


class Picky:
    """Leads connections to `port` on to the target's, until a client says the word; `cuts` counts how often."""

    def __init__(self, target: int, word: bytes) -> None:
        self.cuts = 0
        self._target, self._word = target, word
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection((HOST, self._target)) as server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._pass_back, args=(server, client), daemon=True)
            back.start()
            self._pass_on(client, server)
            for each in (client, server):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            back.join(5.0)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """What stood before the word in the same piece does not get through either: as bad as a broker can be."""
        tail = b""
        while data := client.recv(CHUNK):
            if self._word in tail + data:
                self.cuts += 1
                return
            tail = (tail + data)[-len(self._word) :]
            server.sendall(data)

    @staticmethod
    def _pass_back(server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK):
                client.sendall(data)


@contextlib.contextmanager
def picky(target: int, word: bytes) -> Iterator[Picky]:
    """A picky broker that is gone at the end."""
    opened = Picky(target, word)
    try:
        yield opened
    finally:
        opened.close()
