"""A run inside this process, on a thread of its own, that other projects are asked of."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge import build, project
from edge import config as configuration
from edge.newcomer import Supply
from edge.options import Options
from edge.run import Run
from edge.signals import Signals
from edge.tally import Tally
from inference.errors import DigestWrong
from inference.fetch import digest_of


class Live:
    """The run, and the messages that left it."""

    def __init__(
        self,
        folder: Path,
        state: Path,
        overrides: dict[str, Any],
        options: Options | None = None,
        heard: Callable[[dict[str, Any]], object] | None = None,
    ) -> None:
        settings = {
            "sources": {"main": {"uri": "synthetic:?rate=100&size=64x48"}},
            "http.enabled": False,
            "spool.path": str(state),
            "inference.cache.path": str(state / "cache"),
            "swap.frames": 10,
            "streams.device.enabled": False,
            **overrides,
        }
        self.messages: list[dict[str, Any]] = []
        self.tally = Tally()
        runtime = build.runtime(
            configuration.load(None, {}, settings),
            project.load(folder),
            on_message=heard or self.messages.append,
            on_sent=self.tally.stages["capture_to_publish"].add,
        )
        supply = Supply(runtime.config, copied)
        self.run = Run(runtime, self.tally, options or Options(print_messages=True), supply)
        self._ended = threading.Event()
        self.thread = 0  # of the loop, once it works

    def work(self) -> None:
        self.thread = threading.get_ident()
        with Signals(self.run.runtime.inbox.wake) as signals:
            self.run.begin()
            try:
                self.run.work(signals)
            finally:
                self.run.end(signals)

    def end(self) -> None:
        for feed in self.run.runtime.feeds.values():
            feed.stop(0.0)

    def ask(
        self, wanted: dict[str, Any] | Path, timeout: float = 60.0, *, local: bool = True
    ) -> dict[str, Any]:
        asked = {"project": str(wanted)} if isinstance(wanted, Path) else wanted
        return self.run.swap.request(asked, local=local).result(timeout)


def copied(uri: str, sha256: str, into: Path) -> Path:
    """What stands in for a fetch: a file of this machine."""
    into.write_bytes(Path(uri).read_bytes())
    if digest_of(into) != sha256:
        raise DigestWrong(f"{uri} has another SHA-256 than {sha256}")
    return into


@contextlib.contextmanager
def live(
    folder: Path,
    state: Path,
    options: Options | None = None,
    heard: Callable[[dict[str, Any]], object] | None = None,
    **overrides: Any,
) -> Iterator[Live]:
    """A run of the project in `folder` while inside; what broke it is raised at the end."""
    started = Live(folder, state, overrides, options, heard)
    broke: list[BaseException] = []

    def work() -> None:
        try:
            started.work()
        except BaseException as error:
            broke.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield started
    finally:
        started.end()
        thread.join(20)
    if broke:
        raise broke[0]
