"""Pausing a run: the loop rests, the status says so, and says it again at every connect."""

import logging

from edge import build
from streams import clock as wall
from streams import envelope
from streams.status import status_message
from streams.topics import Topics

log = logging.getLogger(__name__)


class Pausing:
    """The pause of one run. From any thread.

    The word goes to the transport at once or not at all, and not through the spool: what is said of now must not
    arrive tomorrow.
    """

    def __init__(self, runtime: build.Runtime) -> None:
        self._runtime = runtime
        self._thing = runtime.config.thing
        self._topic = Topics(self._thing).status
        runtime.transport.listen(self._on_connection)

    @property
    def active(self) -> bool:
        return self._runtime.interlude.paused

    def pause(self) -> bool:
        """Look at no further frame; whether the run did until now."""
        changed = self._runtime.interlude.pause()
        if changed:
            log.info("paused: no frame is looked at until the command resume")
            self._tell()
        return changed

    def resume(self) -> bool:
        """Go on; whether the run was paused."""
        changed = self._runtime.interlude.resume()
        if changed:
            log.info("resumed")
            self._tell()
        return changed

    def _on_connection(self, connected: bool, reason: str) -> None:
        if connected and self.active:  # after the birth, which says nothing of a pause
            self._tell()

    def _tell(self) -> None:
        said = status_message(self._thing, "online", ts_ms=wall.wall_ms(), paused=self.active)
        self._runtime.transport.publish(self._topic, envelope.encode(said), 1, retain=True)
