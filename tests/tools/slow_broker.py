"""A transport whose acknowledgements a test gives by hand."""

import json
from concurrent.futures import Future

from streams.budget import BUDGETS, Allowance, Budget
from streams.errors import TransportError
from streams.transports import Listener, Message


class SlowBroker:
    """`sent` holds each message with its future; `turn` stands for the cable."""

    name, acks, reason = "slow", "broker", "because."

    def __init__(self, budget: Budget = BUDGETS["none"]) -> None:
        self.budget, self.allowance = budget, Allowance(budget)
        self.connected = True
        self.sent: list[tuple[Message, Future[None]]] = []
        self._listeners: list[Listener] = []

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        future: Future[None] = Future()
        self.sent.append((Message(topic, payload, qos, retain), future))
        return future

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)
        listener(self.connected, self.reason)

    def turn(self, *, connected: bool) -> None:
        self.connected = connected
        if not connected:
            for _, future in self.sent:
                if not future.done():
                    future.set_exception(TransportError("the cable"))
        for listener in self._listeners:
            listener(connected, self.reason)

    def numbers(self) -> list[int]:
        return [json.loads(message.payload)["seq"] for message, _ in self.sent]
