"""A network on loopback that can be made bad: a TCP proxy that delays, stalls, throttles, cuts, and holds back.

    with proxy(broker.port) as way:                # a client connects to way.port
        way.weather = Weather(delay=0.5)           # from now on, also for open connections
        way.stall(3.0)                             # nothing passes for three seconds
        way.cut()                                  # every connection ends now, with what was under way
        way.hold(); ...; way.release()             # new connections are taken, and led on only after the release

All of it may be called from any thread. One thread of its own does the work; what is under way is bounded.
"""

import asyncio
import collections
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

HOST = "127.0.0.1"
CHUNK = 64 * 1024
MOST_UNDER_WAY = 4 * 1024 * 1024  # bytes of one direction
LOOK_S = 0.005  # how often who waits for something looks whether it has come about
SLICE_S = 0.05  # a throttled direction sends what is due in so many seconds at once
ENDING_S = 5.0
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset, and what waits is forgotten


@dataclass(frozen=True)
class Weather:
    """delay: seconds that each byte is late, each way. rate: bytes a second, each way of each connection; None: as
    quick as it goes. cut_after: a connection is cut after so many bytes from the client, wherever a packet ends."""

    delay: float = 0.0
    rate: float | None = None
    cut_after: int | None = None


FINE = Weather()


class Proxy:
    """Leads connections to `port` on to the target's port, both of loopback.

    connections: how many were accepted. cuts: how many were cut. up, down: bytes led on from and to the clients.
    """

    def __init__(self, target: int, weather: Weather = FINE, *, buffer: int | None = None) -> None:
        """buffer: bytes of the kernel's for what a client sends and is not led on yet; None: as it likes."""
        self.target = target
        self.weather = weather
        self.connections = self.cuts = self.up = self.down = 0
        self._stalled_until = 0.0
        self._held = False
        self._open: set[_Connection] = set()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._listener.bind((HOST, 0))
        self._listener.listen(64)
        self._listener.settimeout(0.0)
        self.port = int(self._listener.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"proxy-{self.port}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cuts every connection and closes the port."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._end)
        self._thread.join(ENDING_S)
        self._listener.close()

    def stall(self, seconds: float) -> None:
        """From now on nothing passes for so long, and nothing is lost."""
        self._stalled_until = time.monotonic() + seconds

    def cut(self) -> None:
        """Ends every connection by a reset, half a packet on its way perhaps."""
        self._loop.call_soon_threadsafe(lambda: [each.cut() for each in list(self._open)])

    def hold(self) -> None:
        """Connections that come from now on are taken, and not led on before `release`."""
        self._held = True

    def release(self) -> None:
        self._held = False

    @property
    def open(self) -> int:
        """Connections of this moment, held ones included."""
        return len(self._open)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serve())
        self._loop.close()

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _serve(self) -> None:
        served: set[asyncio.Task[None]] = set()
        try:
            while True:
                client, _ = await self._loop.sock_accept(self._listener)
                self.connections += 1
                task = self._loop.create_task(self._attend(client))
                served.add(task)
                task.add_done_callback(served.discard)
        finally:
            await asyncio.gather(*served, return_exceptions=True)

    async def _attend(self, client: socket.socket) -> None:
        connection = _Connection(self, client)
        self._open.add(connection)
        try:
            await connection.live()
        finally:
            self._open.discard(connection)
            connection.close()

    async def passage(self) -> None:
        """Returns when something may pass."""
        while time.monotonic() < self._stalled_until:
            await asyncio.sleep(LOOK_S)

    async def admission(self) -> None:
        """Returns when new connections may be led on."""
        while self._held:
            await asyncio.sleep(LOOK_S)


class _Connection:
    """A client, the server it was led on to, and both directions in between."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._ended = asyncio.Event()
        self.client = client
        self.server = socket.socket()
        for each in (client, self.server):
            each.settimeout(0.0)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def live(self) -> None:
        await self._proxy.admission()
        try:
            await asyncio.get_running_loop().sock_connect(self.server, (HOST, self._proxy.target))
        except OSError:
            return  # nobody is there: the client sees its connection end
        up, down = _Way(self, up=True), _Way(self, up=False)
        steps: list[Coroutine[Any, Any, None]] = [up.take(), up.give(), down.take(), down.give()]
        tasks = [asyncio.ensure_future(step) for step in steps]
        tasks.append(asyncio.ensure_future(self._wait_for_the_end()))
        try:
            # Whoever gives has given all that there was when it ends; who takes ends before that.
            await asyncio.wait([tasks[1], tasks[3], tasks[4]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_for_the_end(self) -> None:
        await self._ended.wait()

    def cut(self) -> None:
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self._proxy.cuts += 1
        self._ended.set()

    def close(self) -> None:
        self.client.close()
        self.server.close()


class _Way:
    """One direction of a connection: what was taken waits for its time, and is given on in its order."""

    def __init__(self, connection: _Connection, *, up: bool) -> None:
        self._connection, self._proxy, self._up = connection, connection._proxy, up
        ends = (connection.client, connection.server)
        self._source, self._target = ends if up else reversed(ends)
        self._waiting: collections.deque[tuple[float, bytes]] = collections.deque()
        self._bytes = self._given = 0
        self._over = False
        self._news = asyncio.Event()

    async def take(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(self._source, CHUNK):
                self._waiting.append((time.monotonic() + self._proxy.weather.delay, data))
                self._bytes += len(data)
                self._news.set()
                while self._bytes > self._most():
                    await asyncio.sleep(LOOK_S)
        self._over = True
        self._news.set()

    def _most(self) -> int:
        """Bytes that may be under way: two seconds' worth of a slow line, so that it is late, but not hours late."""
        rate = self._proxy.weather.rate
        return MOST_UNDER_WAY if rate is None else max(1, int(2 * rate))

    async def give(self) -> None:
        with contextlib.suppress(OSError):
            while await self._next():
                due, data = self._waiting.popleft()
                while (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                await self._send(data)
                self._bytes -= len(data)

    async def _next(self) -> bool:
        """Waits for something to give on; False at the end."""
        while not self._waiting:
            if self._over:
                return False
            self._news.clear()
            await self._news.wait()
        return True

    async def _send(self, data: bytes) -> None:
        loop, left = asyncio.get_running_loop(), memoryview(data)
        while left:
            await self._proxy.passage()
            weather = self._proxy.weather
            size = len(left) if weather.rate is None else max(1, int(weather.rate * SLICE_S))
            part = left[: self._allowed(weather, size)]
            await loop.sock_sendall(self._target, part)
            self._count(len(part))
            left = left[len(part) :]
            if self._up and weather.cut_after is not None and self._given >= weather.cut_after:
                self._connection.cut()
                await asyncio.sleep(ENDING_S)  # nothing after that
            if weather.rate is not None:
                await asyncio.sleep(len(part) / weather.rate)

    def _allowed(self, weather: Weather, size: int) -> int:
        if not self._up or weather.cut_after is None:
            return size
        return max(1, min(size, weather.cut_after - self._given))

    def _count(self, size: int) -> None:
        self._given += size
        if self._up:
            self._proxy.up += size
        else:
            self._proxy.down += size


@contextlib.contextmanager
def proxy(target: int, weather: Weather = FINE, *, buffer: int | None = None) -> Iterator[Proxy]:
    """A proxy to a port of this machine that is stopped at the end."""
    opened = Proxy(target, weather, buffer=buffer)
    opened.start()
    try:
        yield opened
    finally:
        opened.stop()
