"""A component's conversation with the nucleus: what it asks, what it is told, and what it says of itself."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge import build
from edge.config import Config
from edge.errors import ConfigInvalid, Fault, RunFailed
from streams import status
from streams.errors import StreamError
from streams.transports import SubscriptionRefused
from streams.transports.greengrass import Greengrass
from streams.transports.nucleus import Nucleus

log = logging.getLogger(__name__)

PATIENCE_S = 30.0  # for the nucleus, at the start
ASK_S = 10.0
SAY_STATUS_S = 60.0
DEFER_MS = 30_000
LONGEST_VERDICT = 1000  # characters
Judge = Callable[[Any], str | None]


class Wire:
    """Callbacks put what they hear aside; `attend` works it off, on the caller's thread.

    changed: set when the configuration is another. refused: why the newest one is not taken. rolled_back_from: the
    version in whose place the last good one runs.
    """

    def __init__(self, nucleus: Nucleus, clock: Callable[[], float] = time.monotonic) -> None:
        self.nucleus = nucleus
        self.changed = threading.Event()
        self.refused: str | None = None
        self.rolled_back_from: str | None = None
        self._clock = clock
        self._events: queue.SimpleQueue[tuple[str, Mapping[str, Any]]] = queue.SimpleQueue()
        self._judge: Judge = lambda configuration: None
        self._judging: threading.Thread | None = None
        self._greengrass: Greengrass | None = None
        self._thing = ""
        self._said_at = clock()

    @classmethod
    def of_environment(cls, environ: Mapping[str, str], patience: float | None = None) -> "Wire":
        """The nucleus that started this process. Raises ConfigInvalid where none did."""
        nucleus = Nucleus.of_environment(environ, patience=patience)
        if nucleus is None:
            told = (
                "no Greengrass nucleus started this process; `edge run` runs a project anywhere, and `edge package` "
                "makes the component that a nucleus starts"
            )
            raise ConfigInvalid(Fault(told, "", "environment"))
        return cls(nucleus)

    @property
    def kind(self) -> str:
        return self.nucleus.kind

    @property
    def gone(self) -> bool:
        """Whether the nucleus is away for so long that only a new start can help."""
        return self.nucleus.gone

    def begin(self, judge: Judge) -> None:
        """Connect, and hear of changes. judge: why a proposed configuration is refused. Raises RunFailed."""
        self._judge = judge
        self.nucleus.start()
        if not self.nucleus.wait(PATIENCE_S):
            raise RunFailed(self.nucleus.reason)
        self._hear("configuration", {"key_path": []}, lambda event: self.changed.set())
        self._hear("updates", {}, lambda event: self._events.put(("updates", event)))
        self._hear("validation", {}, lambda event: self._events.put(("validation", event)))

    def _hear(self, name: str, fields: Mapping[str, Any], receiver: Callable[[dict[str, Any]], None]) -> None:
        try:
            self.nucleus.subscribe(name, fields, receiver).result(ASK_S)
        except SubscriptionRefused:
            log.info("this nucleus tells nothing of %s; it goes without", name)
        except (StreamError, TimeoutError) as error:
            log.warning("the subscription to %s was not answered: %s", name, error)

    def configuration(self) -> Any:
        """The component's whole configuration. Raises RunFailed."""
        try:
            return (
                self.nucleus.request("configuration", {"key_path": []}).result(ASK_S + 1.0).get("value", {})
            )
        except (StreamError, TimeoutError) as error:
            raise RunFailed(f"the configuration cannot be had: {error}") from error

    def report(self, state: str) -> None:
        """Tell the nucleus how we are: RUNNING or ERRORED."""
        try:
            self.nucleus.request("state", {"state": state}).result(ASK_S)
        except (StreamError, TimeoutError) as error:
            log.warning("the nucleus was not told that we are %s: %s", state, error)

    def transport(self, config: Config) -> Greengrass:
        """The way out for messages, over this connection."""
        self._thing = config.thing
        made = build.greengrass_of(config, self.nucleus, self._birth)
        assert isinstance(made, Greengrass)
        self._greengrass = made
        return made

    def _birth(self) -> Any:
        return status.birth(
            self._thing, expires_in_s=build.STATUS_HOLDS_S, rolled_back_from=self.rolled_back_from
        )

    def attend(self, moving: Callable[[], bool]) -> None:
        """Answer what was asked, and say again that we are here. moving: whether an update must wait."""
        while not self._events.empty():
            name, event = self._events.get()
            if name == "updates" and "pre_update_event" in event:
                self._defer(event["pre_update_event"], moving())
            elif name == "validation":
                self._validate(event["validate_configuration_update_event"])
        if self._greengrass is not None and self._clock() - self._said_at >= SAY_STATUS_S:
            self._said_at = self._clock()
            said = self._birth()
            self._greengrass.publish(said.topic, said.payload, said.qos, said.retain)

    def _defer(self, event: Mapping[str, Any], moving: bool) -> None:
        wait = DEFER_MS if moving else 0
        fields = {"deployment_id": event.get("deployment_id"), "recheck_after_ms": wait}
        self.nucleus.request("defer", fields | ({"message": "the car is moving"} if moving else {}))

    def _validate(self, event: Mapping[str, Any]) -> None:
        """On a thread of its own: a model is loaded for it, and the nucleus waits only twenty seconds."""
        thread = threading.Thread(target=self._verdict, args=(event,), name="validation", daemon=True)
        thread.start()

    def _verdict(self, event: Mapping[str, Any]) -> None:
        why = self._judge(event.get("configuration", {}))
        fields: dict[str, Any] = {
            "deployment_id": event.get("deployment_id"),
            "status": "REJECTED" if why else "ACCEPTED",
        }
        if why:
            log.error("the proposed configuration is refused: %s", why)
            fields["message"] = why[:LONGEST_VERDICT]
        self.nucleus.request("validity", fields)

    def end(self) -> None:
        """No more is heard; the connection stays until `close`, for the farewell."""
        self._judge = lambda configuration: None

    def close(self) -> None:
        self.nucleus.stop(1.0)
