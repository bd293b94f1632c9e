"""Says each message of the project stream in every dialect that is wanted, by way of the spool."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from streams.dialects import About, Dialect, Message
from streams.spool import Item, Spool
from streams.transports import Transport

log = logging.getLogger(__name__)


class Speaker:
    """The dialects of one thing, by name. about: what is spoken of now; asked from any thread. given_up: why a topic is
    not used any more, as streams.reserved finds out."""

    def __init__(
        self,
        dialects: Mapping[str, Dialect],
        spool: Spool,
        about: Callable[[], About],
        given_up: Mapping[str, str] | None = None,
    ) -> None:
        self.dialects = dialects
        self._spool, self._about = spool, about
        self._given_up: Mapping[str, str] = {} if given_up is None else given_up
        self._lock = threading.Lock()  # of the dialects: the loop speaks, the transport has them introduced
        self._introduced: About | None = None
        self._heard: tuple[Any, Any] | None = None  # the project and the model of the newest message
        self._messages: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def listen(self, transport: Transport) -> None:
        """Introduce every dialect at each connect, and whenever one hears that somebody wants it."""
        for wanted in sorted({each for dialect in self.dialects.values() for each in dialect.listens}):
            transport.subscribe(wanted, lambda topic, payload, retained: self._asked(payload))
        transport.listen(lambda connected, reason: self._introduce() if connected else None)

    def hear(self, message: Message) -> None:
        """A message has gone to the spool. On the loop's thread; never raises."""
        heard = message["project"], message["model"].get("sha256")
        spoken_of = self._introduced
        if spoken_of and heard != self._heard and (self._heard or heard[0] != spoken_of.project):
            self._introduce()
        self._heard = heard
        for name, dialect in self.dialects.items():
            self._say(name, lambda dialect=dialect: dialect.said(message))  # type: ignore[misc]

    def figures(self) -> dict[str, Any]:
        """By dialect: topics, messages, failed, given_up. From any thread."""
        return {
            name: {
                "topics": list(dialect.topics),
                "messages": self._messages[name],
                "failed": self._failed[name],
                "given_up": next(
                    (why for topic, why in self._given_up.items() if topic in dialect.topics), None
                ),
            }
            for name, dialect in self.dialects.items()
        }

    def _asked(self, payload: bytes) -> None:
        if payload == b"online":
            self._introduce()

    def _introduce(self) -> None:
        about = self._introduced = self._about()
        for name, dialect in self.dialects.items():
            self._say(name, lambda dialect=dialect: dialect.introduction(about), counts=False)  # type: ignore[misc]

    def _say(self, name: str, form: Callable[[], Any], *, counts: bool = True) -> None:
        try:
            with self._lock:
                items: list[Item] = list(form())
            for item in items:
                self._spool.put(item)
            self._messages[name] += len(items) if counts else 0
        except Exception as error:  # a hook may have made results that no dialect has a word for
            if not self._failed[name]:
                log.warning("the dialect %s could not say a message: %r; more are counted", name, error)
            self._failed[name] += 1
