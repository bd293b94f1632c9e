"""The bad network of the drills does what it says: late, slow, cut, held back, and otherwise faithful."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from proxies import Proxy, Weather, proxy
from witness import wait_until


class Echo:
    """A server that gives back what it gets, and keeps it."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.ended = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                while data := connection.recv(65_536):
                    self.got += data
                    connection.sendall(data)
            self.ended += 1

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    opened = Echo()
    yield opened
    opened.close()


@contextlib.contextmanager
def caller(way: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", way.port), 5.0) as client:
        client.settimeout(5.0)
        yield client


def received(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := client.recv(65_536)):
        data += more
    return data


def test_everything_passes_in_its_order_both_ways(echo: Echo) -> None:
    sent = random.Random(7).randbytes(3_000_000)
    with proxy(echo.port) as way, caller(way) as client:
        threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
        assert received(client, len(sent)) == sent
        wait_until(lambda: (way.up, way.down) == (len(sent), len(sent)))


def test_a_delay_makes_every_byte_late_and_none_slow(echo: Echo) -> None:
    with proxy(echo.port, Weather(delay=0.1)) as way, caller(way) as client:
        began = time.monotonic()
        for _ in range(20):
            client.sendall(b"x" * 100)
        assert received(client, 2000) == b"x" * 2000
        assert time.monotonic() - began >= 0.2


def test_a_throttled_way_takes_its_time(echo: Echo) -> None:
    with proxy(echo.port, Weather(rate=4000)) as way, caller(way) as client:
        began = time.monotonic()
        client.sendall(b"x" * 1000)
        assert received(client, 1000) == b"x" * 1000
        assert time.monotonic() - began >= 0.2


def test_a_stalled_way_loses_nothing(echo: Echo) -> None:
    with proxy(echo.port) as way, caller(way) as client:
        way.stall(0.3)
        began = time.monotonic()
        client.sendall(b"later")
        assert received(client, 5) == b"later"
        assert time.monotonic() - began >= 0.25


def test_a_cut_comes_in_the_middle_of_a_packet(echo: Echo) -> None:
    with proxy(echo.port, Weather(cut_after=777)) as way, caller(way) as client:
        client.sendall(b"x" * 1000)
        with contextlib.suppress(ConnectionResetError):
            assert len(received(client, 1000)) <= 777
        wait_until(lambda: echo.ended == 1)
        assert len(echo.got) <= 777
        assert (way.cuts, way.up) == (1, 777)
    assert way.open == 0


def test_a_cut_by_word_ends_every_connection_at_once(echo: Echo) -> None:
    with proxy(echo.port, Weather(delay=60.0)) as way, caller(way) as client:
        client.sendall(b"never there")
        wait_until(lambda: way.open == 1)
        time.sleep(0.05)
        way.cut()
        with pytest.raises(ConnectionResetError):
            received(client, 1)
        assert not echo.got


def test_who_is_held_back_is_led_on_after_the_release(echo: Echo) -> None:
    with proxy(echo.port) as way:
        way.hold()
        with caller(way) as client:
            client.sendall(b"patience")
            time.sleep(0.1)
            assert not echo.got
            way.release()
            assert received(client, 8) == b"patience"


def test_a_server_that_ends_ends_the_client_after_its_last_word() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        proxy(int(listener.getsockname()[1])) as way,
        caller(way) as client,
    ):
        served, _ = listener.accept()
        served.sendall(b"farewell")
        served.close()
        assert received(client, 100) == b"farewell"


def test_nobody_behind_it_is_an_ended_connection(echo: Echo) -> None:
    echo.close()
    with proxy(echo.port) as way, caller(way) as client:
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
        assert way.connections == 1
