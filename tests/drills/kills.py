"""The drill of the kills: broker and runtime are killed -9 in turn, while messages are on the wire.

The broker keeps nothing, and what it has acknowledged must not wait inside of it when it dies: the subscriber listens
with QoS 0, and after each kill the proxy leads the runtime on only when the subscriber has subscribed again.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from brokers import Broker, mosquitto, running
from edge_process import edge as edge_command
from edge_process import environment
from projects import fake_finder
from proxies import Proxy, proxy
from subscriber import Subscriber
from telling import RECORD, digest

from streams.sender import MOST_IN_FLIGHT

HERE = Path(__file__).resolve().parent
TOPIC = "dt/lensracer/cam-1/main/infer"
MESSAGES, KILLS, RATE = 100_000, 20, 2000
LIVELY = 200  # messages heard since the last kill, before the next one
PATIENCE_S = 15.0
BROKER = ("allow_anonymous true", "persistence false", "max_queued_messages 0", "set_tcp_nodelay true")


class Runtime:
    """The runtime, again and again on one state folder, and what it told of its commits."""

    def __init__(
        self, folder: Path, port: int, more: Mapping[str, Any] = {}, *, before: Sequence[str] = (), **env: str
    ) -> None:
        """more: further settings. before: words before the command, such as unshare's. env: of its environment."""
        self._folder, self._port = folder, port
        self._more, self._before, self._env = more, before, env
        self._project = fake_finder(folder)
        self.told: list[tuple[int, int]] = []
        self.restarts = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What all its processes said."""
        return (self._folder / "runtime.log").read_text()

    @property
    def settings(self) -> dict[str, Any]:
        """Of the configuration, for every start and for `edge spool drain`."""
        return {
            "thing": "cam-1",
            "spool.path": str(self._folder / "state"),
            "spool.max_bytes": 1 << 30,
            "transport.endpoint": "127.0.0.1",
            "transport.port": self._port,
            "http.enabled": False,
            "streams.device.enabled": False,
        }

    def start(self) -> None:
        reading, writing = os.pipe()
        source = {"main": {"uri": f"synthetic:?rate={RATE}&size=64x48"}}
        settings = {"transport.kind": "iot_core", "sources": source, **self.settings, **self._more}
        settings |= {"project": str(self._project)}
        with (self._folder / "runtime.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._before, sys.executable, str(HERE / "telling.py"), str(writing), json.dumps(settings)],
                env=environment(XDG_CACHE_HOME=str(self._folder / "cache"), **self._env),
                pass_fds=[writing],
                stdout=log,
                stderr=log,
            )
        os.close(writing)
        self.restarts += 1
        self._listener = threading.Thread(target=self._listen, args=(reading,), daemon=True)
        self._listener.start()

    def _listen(self, pipe: int) -> None:
        data = b""
        with open(pipe, "rb", buffering=0) as source:
            while more := source.read(65_536):
                data += more
                whole = len(data) // RECORD.size * RECORD.size
                self.told += RECORD.iter_unpack(data[:whole])
                data = data[whole:]

    def kill(self) -> None:
        """As a power cut would end the process; what it told is here when this returns."""
        assert self._process is not None
        self._process.kill()
        self._gone()

    def end(self) -> int:
        """In good order; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._gone()

    def _gone(self) -> int:
        assert self._process is not None
        assert self._listener is not None
        code = self._process.wait(PATIENCE_S)
        self._listener.join(PATIENCE_S)
        return code

    def check(self) -> None:
        """Raises RuntimeError with its last words if it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(self.log[-2000:])


def reached(runtime: Runtime, holds: Callable[[], bool], what: str, patience: float = PATIENCE_S) -> None:
    """Waits for something; raises TimeoutError, or RuntimeError when the runtime ends by itself."""
    deadline = time.monotonic() + patience
    while not holds():
        runtime.check()
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.002)


def kill_broker(way: Proxy, broker: Broker, ear: Subscriber) -> None:
    way.hold()
    broker.kill()
    ear.ended()
    broker.start()
    ear.connect()
    way.release()


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[tuple[Broker, Proxy, Subscriber, Runtime]]:
    with running(mosquitto(folder, *BROKER)) as broker, proxy(broker.port) as way:
        ear, runtime = Subscriber(broker.port, TOPIC), Runtime(folder, way.port)
        ear.connect()
        runtime.start()
        try:
            yield broker, way, ear, runtime
        finally:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                runtime.kill()
            ear.close()


def trial(folder: Path, messages: int, kills: int) -> tuple[bool, dict[str, Any]]:
    """So many messages at least, and so many kills of each; whether all held, and the figures."""
    heard_at: list[int] = []
    with stage(folder) as (broker, way, ear, runtime):
        for number in range(2 * kills):
            share = messages * (number + 1) // (2 * kills + 1)
            since = len(ear.payloads)
            reached(
                runtime,
                lambda share=share, since=since: (
                    len(runtime.told) >= share and len(ear.payloads) - since >= LIVELY
                ),
                f"kill {number} did not come about",
            )
            heard_at.append(len(ear.payloads))
            if number % 2:
                runtime.kill()
                runtime.start()
            else:
                kill_broker(way, broker, ear)
        since = len(runtime.told)  # the last one has to be up, to be ended in good order
        reached(runtime, lambda: len(runtime.told) >= max(messages, since + LIVELY), "too few messages")
        code = runtime.end()
        words = [f"--set={name}={value}" for name, value in runtime.settings.items()]
        drained = edge_command("spool", "drain", *words, folder=folder, timeout=300)
        shown = edge_command("spool", "show", "--json", *words, folder=folder)
        time.sleep(0.5)
        ear.close()
        figures = judged(runtime.told, ear.payloads, heard_at)
    waits = json.loads(shown.stdout)
    figures |= {
        "broker_kills": kills,
        "runtime_kills": runtime.restarts,
        "exit_codes": [code, drained.code],
        "waiting": sum(each["messages"] for each in waits["waiting"].values()),
        "set_aside": len(waits.get("aside", [])),
    }
    held = {
        "all_received": figures["lost"] == 0,
        "numbers_once": figures["numbers_twice"] == 0,
        "order": figures["out_of_order"] == 0,
        "duplicates": figures["duplicates"] <= 2 * kills * MOST_IN_FLIGHT,
        "ends": figures["exit_codes"] == [0, 0] and figures["waiting"] == figures["set_aside"] == 0,
    }
    return all(held.values()), {**figures, "held": held}


def judged(told: list[tuple[int, int]], payloads: list[bytes], heard_at: list[int]) -> dict[str, int]:
    """What became of the messages. heard_at: how many had been heard at each kill.

    late: heard for the first time after higher numbers; out_of_order: of these, such as were not on the wire, or
    just about to be, when something was killed.
    """
    demanded = set(told)
    heard = [(json.loads(payload)["seq"], digest(payload)) for payload in payloads]
    unique = set(heard)
    kills = [max((seq for seq, _ in heard[:at]), default=0) for at in heard_at]
    highest, late, seen = 0, [], set()
    for each in heard:
        if each not in seen and each[0] < highest:
            late.append(each[0])
        seen.add(each)
        highest = max(highest, each[0])
    strangers = [seq for seq in late if not any(abs(seq - kill) <= 2 * MOST_IN_FLIGHT for kill in kills)]
    numbers = [seq for seq, _ in demanded | unique]
    return {
        "committed": len(demanded),
        "received": len(unique),
        "lost": len(demanded - unique),
        "untold": len(unique - demanded),
        "duplicates": len(heard) - len(unique),
        "numbers_twice": len(numbers) - len(set(numbers)),
        "late": len(late),
        "out_of_order": len(strangers),
    }


def kills(folder: Path) -> tuple[bool, dict[str, Any]]:
    """100,000 messages, twenty kills of the broker, twenty of the runtime."""
    return trial(folder, MESSAGES, KILLS)


DRILLS = {"kills": kills}
