"""Messages by way of the Greengrass nucleus, which holds the connection to AWS IoT Core."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from streams.budget import BUDGETS, Allowance, Budget
from streams.errors import PayloadTooLarge, StreamError
from streams.topics import check_filter, check_topic
from streams.transports import Acks, Listener, Receiver
from streams.transports.keeper import Spoken, deliver, spoken
from streams.transports.nucleus import Nucleus
from streams.transports.nucleus_operations import Mapped

log = logging.getLogger(__name__)


class Greengrass:
    """A transport over the component's one connection, which it is handed, starts and stops.

    Acknowledged is what the nucleus took: the classic one keeps it until the cloud has it, the lite one passes it on
    and refuses while the cloud is away. There is no last will: birth and farewell are said, and `status` tells how long
    the word holds. budget: the nucleus' own when None. To retain is asked of the classic nucleus alone; lite knows it
    not. borrowed: the connection is somebody else's, and outlives the transport.
    """

    name = "greengrass"
    acks: Acks = "nucleus"

    def __init__(
        self,
        nucleus: Nucleus,
        *,
        budget: Budget | None = None,
        birth: Spoken = None,
        farewell: Spoken = None,
        borrowed: bool = False,
    ) -> None:
        self.nucleus = nucleus
        self.budget = budget or BUDGETS[nucleus.kind]
        self.allowance = Allowance(self.budget)
        self._birth, self._farewell = birth, farewell
        self._borrowed = borrowed
        self._stopped = False

    @property
    def connected(self) -> bool:
        return self.nucleus.connected and not self._stopped

    @property
    def reason(self) -> str:
        return self.nucleus.reason

    def start(self) -> None:
        self.nucleus.listen(self._on_connection, self)
        self.nucleus.start()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        sent: Future[None] = Future()
        try:
            self._check(topic, payload)
        except StreamError as error:
            sent.set_exception(error)
            return sent
        fields: dict[str, Any] = {"topic_name": topic, "qos": str(qos), "payload": payload}
        if retain and self.nucleus.kind == "classic":
            fields["retain"] = True
        answer = self.nucleus.request("publish", fields)
        answer.add_done_callback(lambda done: _pass_on(done, sent))
        return sent

    def subscribe(self, topic_filter: str, receiver: Receiver) -> "Future[None]":
        fields = {"topic_name": check_filter(topic_filter), "qos": "1"}
        return self.nucleus.subscribe("messages", fields, _receiving(receiver), self)

    def listen(self, listener: Listener) -> None:
        self.nucleus.listen(listener, self)

    def stop(self, timeout: float) -> None:
        said = spoken(self._farewell)
        if said is not None and self.connected:
            try:
                self.publish(said.topic, said.payload, said.qos, said.retain).result(timeout / 2.0)
            except (StreamError, TimeoutError) as error:
                log.info("the farewell was not acknowledged: %s", error)
        self._stopped = True
        self.nucleus.leave(self)
        if not self._borrowed:
            self.nucleus.stop(timeout / 2.0)

    def _on_connection(self, connected: bool, reason: str) -> None:
        if connected and (said := spoken(self._birth)) is not None:
            self.publish(said.topic, said.payload, said.qos, said.retain)

    def _check(self, topic: str, payload: bytes) -> None:
        check_topic(topic, reserved=True)
        limit = self.budget.max_payload
        if limit is not None and len(payload) > limit:
            raise PayloadTooLarge(
                f"a message of {len(payload)} bytes is over the {limit} that {self.budget.name} allows"
            )


def _pass_on(done: "Future[Mapped]", sent: "Future[None]") -> None:
    error = done.exception()
    if error is None:
        sent.set_result(None)
    else:
        sent.set_exception(error)


def _receiving(receiver: Receiver) -> Callable[[Mapped], None]:
    def receive(event: Mapped) -> None:
        message = event["message"]
        retained = bool(message.get("retain", False))
        deliver(receiver, message["topic_name"], message.get("payload", b""), retained=retained)

    return receive
