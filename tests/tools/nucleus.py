"""A Greengrass nucleus for tests, on the wire: event-stream RPC over a real Unix socket, to the genuine AWS SDK.

It keeps what components publish, hands them what is sent to them, holds their configuration, and refuses as the real
ones do (`nucleus_rules`). It starts no processes: `nucleus_host` does.
"""

import _thread
import base64
import collections
import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import event_stream as wire
import nucleus_rules as rules

from streams.topics import matches
from streams.transports import Hub, Message

SERVICE = "aws.greengrass#"
EVENT_OF = {
    "SubscribeToIoTCore": "IoTCoreMessage",
    "SubscribeToConfigurationUpdate": "ConfigurationUpdateEvents",
    "SubscribeToComponentUpdates": "ComponentUpdatePolicyEvents",
    "SubscribeToValidateConfigurationUpdates": "ValidateConfigurationUpdateEvents",
    "SubscribeToIoTCoreConnectionStatus": "IoTCoreConnectionStatusEvent",
}
VALIDATION_PATIENCE_S = 20.0  # no answer counts as yes


class Refused(Exception):
    """An operation that is answered with an error. kind: "ServiceError" and the like."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Published(NamedTuple):
    component: str
    topic: str
    payload: bytes
    qos: int
    at: float  # monotonic seconds


@dataclass
class Component:
    """What the nucleus knows of one component."""

    name: str
    access: Mapping[str, Any]
    configuration: dict[str, Any]
    states: list[str] = field(default_factory=list)
    deferrals: list[tuple[str, int]] = field(default_factory=list)  # deployment, milliseconds
    verdicts: list[tuple[str, str]] = field(default_factory=list)  # status, message


class Nucleus:
    """One nucleus: `start`, `stop`, `kill` (every connection cut, every token void on lite), `start` again.

    kind: "classic" or "lite". folder: of the socket, whose path must stay under 108 bytes. ack_s: how long the cloud
    takes to acknowledge. online: whether it is there at all. keep: how many published messages are kept. cloud: where
    messages go, and come from.
    """

    def __init__(
        self, folder: Path, kind: str = "classic", *, ack_s: float = 0.0, keep: int | None = None
    ) -> None:
        self.rules = rules.RULES[kind]
        self.socket_path = folder / "ipc.socket"
        self.ack_s, self.online = ack_s, True
        self.cloud = Hub()
        self.published: collections.deque[Published] = collections.deque(maxlen=keep)
        self.count = 0  # of messages published, kept or not
        self.largest = 0  # bytes of a payload
        self.oversized = 0  # frames for which a connection was closed
        self.components: dict[str, Component] = {}
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._tokens: dict[str, str] = {}
        self._flying: collections.deque[tuple[float, int]] = collections.deque()
        self._connections: set[Connection] = set()
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listens; returns at once."""
        with contextlib.suppress(FileNotFoundError):
            self.socket_path.unlink()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.socket_path))
        self._listener.listen(16)
        _thread.start_new_thread(self._accept, (self._listener,))

    def kill(self) -> None:
        """Ends as by kill -9: the socket file stays, every connection is cut, and every token is void."""
        self.vanish()
        with self.lock:
            self._tokens.clear()

    def vanish(self) -> None:
        """Is away for a while, and forgets nothing; `start` brings it back."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self.lock:
            connections = list(self._connections)
        for connection in connections:
            connection.cut()

    def stop(self) -> None:
        """Ends, and takes its socket with it."""
        self.kill()
        with contextlib.suppress(FileNotFoundError):
            self.socket_path.unlink()

    def install(
        self,
        name: str,
        access: Mapping[str, Any] | None = None,
        configuration: Mapping[str, Any] | None = None,
    ) -> Component:
        """Makes a component known; the configuration of one that was is merged, as deployments do."""
        with self.changed:
            former = self.components.get(name)
            merged = merge(former.configuration if former else {}, configuration or {})
            made = Component(name, access or merged.get("accessControl", {}), merged)
            self.components[name] = made
            return made

    def environment(self, name: str, thing: str = "cam-1") -> dict[str, str]:
        """The variables of a component's process, with a token of its own."""
        token = base64.b64encode(secrets.token_bytes(12)).decode()
        with self.lock:
            self._tokens[token] = name
        told = {
            "SVCUID": token,
            "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT": str(self.socket_path),
            "AWS_IOT_THING_NAME": thing,
            "AWS_REGION": "eu-central-1",
            "GGC_VERSION": "2.18.2" if self.rules.kind == "classic" else "2.6.0",
        }
        if self.rules.kind == "classic":
            told["AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH"] = str(self.socket_path)
        return told

    def component_of(self, token: str) -> Component | None:
        with self.lock:
            name = self._tokens.get(token)
            return None if name is None else self.components[name]

    def deliver(self, topic: str, payload: bytes) -> None:
        """Somebody in the cloud publishes."""
        self.cloud.publish(Message(topic, payload))

    def configure(self, name: str, change: Mapping[str, Any], deployment: str = "d-1") -> bool:
        """Deploys a change of a component's configuration; False if the component refused it."""
        component = self.components[name]
        wanted = merge(component.configuration, change)
        if not self._validated(component, wanted, deployment):
            return False
        with self.changed:
            component.configuration = wanted
        told = {"configurationUpdateEvent": {"componentName": name, "keyPath": list(change)[:1]}}
        self._tell("SubscribeToConfigurationUpdate", told)
        return True

    def announce_update(self, deployment: str = "d-1") -> None:
        """Asks whether components may be updated now."""
        self._tell(
            "SubscribeToComponentUpdates",
            {"preUpdateEvent": {"deploymentId": deployment, "isGgcRestarting": False}},
        )

    def wait_for(self, happened: Callable[[], Any], timeout: float = 10.0) -> None:
        """Returns when it has. Raises TimeoutError."""
        with self.changed:
            if not self.changed.wait_for(happened, timeout):
                raise TimeoutError("the nucleus waited in vain")

    def messages(self, topic_filter: str = "#") -> list[dict[str, Any]]:
        """The JSON objects that were published under a filter."""
        with self.lock:
            return [json.loads(m.payload) for m in self.published if matches(topic_filter, m.topic)]

    def _validated(self, component: Component, wanted: Mapping[str, Any], deployment: str) -> bool:
        before = len(component.verdicts)
        told = {"validateConfigurationUpdateEvent": {"configuration": wanted, "deploymentId": deployment}}
        if not self._tell("SubscribeToValidateConfigurationUpdates", told):
            return True
        with self.changed:
            self.changed.wait_for(lambda: len(component.verdicts) > before, VALIDATION_PATIENCE_S)
            return len(component.verdicts) == before or component.verdicts[-1][0] == "ACCEPTED"

    def _tell(self, operation: str, event: Mapping[str, Any]) -> int:
        with self.lock:
            streams = [
                (connection, stream)
                for connection in self._connections
                for stream, (name, _) in connection.subscriptions.items()
                if name == operation
            ]
        for connection, stream in streams:
            connection.send(stream, EVENT_OF[operation], event, 0)
        return len(streams)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                channel, _ = listener.accept()
            except OSError:
                return
            connection = Connection(self, channel)
            with self.lock:
                self._connections.add(connection)
            _thread.start_new_thread(
                connection.serve, ()
            )  # no thread of the process under test, to be counted there

    def gone(self, connection: "Connection") -> None:
        with self.lock:
            self._connections.discard(connection)

    # Operations: each gets the component and the request, and gives the response.

    def publish(self, component: Component, request: Mapping[str, Any]) -> dict[str, Any]:
        payload, qos = base64.b64decode(request["payload"]), int(request["qos"])
        now = time.monotonic()
        with self.changed:
            self._refuse(payload, qos, now)
            if qos == 1:
                self._flying.append((now + self.ack_s, len(payload)))
            self.published.append(Published(component.name, request["topicName"], payload, qos, now))
            self.count += 1
            retain = bool(request.get("retain", False))
            self.largest = max(self.largest, len(payload))
            self.changed.notify_all()
        self.cloud.publish(Message(request["topicName"], payload, qos, retain))
        return {}

    def _refuse(self, payload: bytes, qos: int, now: float) -> None:
        limits = self.rules
        if len(payload) > limits.payload:
            raise Refused("ServiceError", f"a payload of {len(payload)} bytes")
        if not self.online and (qos == 0 or not limits.spools):
            raise Refused("ServiceError", "offline")
        while self._flying and self._flying[0][0] <= now:
            self._flying.popleft()
        if qos == 1 and limits.qos1 is not None and len(payload) >= limits.qos1:
            raise Refused("ServiceError", "too large for QoS 1")
        full = limits.in_flight is not None and len(self._flying) >= limits.in_flight
        heavy = (
            limits.in_flight_bytes is not None
            and sum(size for _, size in self._flying) + len(payload) > limits.in_flight_bytes
        )
        if qos == 1 and (full or heavy):
            raise Refused("ServiceError", "too many unacknowledged")

    def get_configuration(self, component: Component, request: Mapping[str, Any]) -> dict[str, Any]:
        value: Any = self.components[request.get("componentName") or component.name].configuration
        path = request.get("keyPath") or []
        for key in path:
            if not isinstance(value, dict) or key not in value:
                raise Refused("ResourceNotFoundError", f"no key {'/'.join(path)}")
            value = value[key]
        return {
            "componentName": component.name,
            "value": value if isinstance(value, dict) else {path[-1]: value},
        }

    def update_state(self, component: Component, request: Mapping[str, Any]) -> dict[str, Any]:
        with self.changed:
            component.states.append(request["state"])
            self.changed.notify_all()
        return {}

    def defer(self, component: Component, request: Mapping[str, Any]) -> dict[str, Any]:
        with self.changed:
            component.deferrals.append((request["deploymentId"], int(request.get("recheckAfterMs") or 0)))
            self.changed.notify_all()
        return {}

    def report_validity(self, component: Component, request: Mapping[str, Any]) -> dict[str, Any]:
        said = request["configurationValidityReport"]
        with self.changed:
            component.verdicts.append((said["status"], said.get("message") or ""))
            self.changed.notify_all()
        return {}


OPERATIONS: dict[str, Callable[[Nucleus, Component, Mapping[str, Any]], dict[str, Any]]] = {
    "PublishToIoTCore": Nucleus.publish,
    "GetConfiguration": Nucleus.get_configuration,
    "UpdateState": Nucleus.update_state,
    "DeferComponentUpdate": Nucleus.defer,
    "SendConfigurationValidityReport": Nucleus.report_validity,
}


class Connection:
    """One client. subscriptions: operation and request of each open stream."""

    def __init__(self, nucleus: Nucleus, channel: socket.socket) -> None:
        self.nucleus, self.channel = nucleus, channel
        self.subscriptions: dict[int, tuple[str, Mapping[str, Any]]] = {}
        self._component: Component | None = None
        self._owners: dict[int, object] = {}
        self._sending = threading.Lock()

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        decoder = wire.Decoder()
        try:
            while more := self.channel.recv(65_536):
                for frame in decoder.feed(more):
                    self._take(frame)
        except (OSError, ValueError, ConnectionError):
            pass
        finally:
            for stream in list(self.subscriptions):
                self._forget(stream)
            self.nucleus.gone(self)
            self.channel.close()

    def _take(self, frame: wire.Frame) -> None:
        limit = self.nucleus.rules.frame
        if limit is not None and frame.size > limit:
            self.nucleus.oversized += 1
            raise ConnectionError("a frame that is too large")
        kind, stream = frame.headers[wire.TYPE], int(frame.headers[wire.STREAM])
        if kind == wire.CONNECT:
            self._connect(frame)
        elif kind == wire.PING:
            self._put({wire.TYPE: wire.PING_RESPONSE, wire.FLAGS: 0, wire.STREAM: 0}, b"")
        elif int(frame.headers[wire.FLAGS]) & wire.TERMINATE:
            self._forget(stream)
            self._put({wire.TYPE: wire.MESSAGE, wire.FLAGS: wire.TERMINATE, wire.STREAM: stream}, b"")
        elif self._component is not None:
            self._answer(stream, str(frame.headers["operation"]).removeprefix(SERVICE), frame.payload)

    def _connect(self, frame: wire.Frame) -> None:
        self._component = self.nucleus.component_of(json.loads(frame.payload)["authToken"])
        if self._component is None and self.nucleus.rules.kind == "lite":
            raise ConnectionError("a token of nobody")
        accepted = wire.ACCEPTED if self._component is not None else 0
        self._put({wire.TYPE: wire.CONNECT_ACK, wire.FLAGS: accepted, wire.STREAM: 0}, b"")

    def _answer(self, stream: int, operation: str, payload: bytes) -> None:
        once = wire.TERMINATE if self.nucleus.rules.terminates else 0
        try:
            response = self._done(stream, operation, json.loads(payload))
        except Refused as refused:
            self.send(stream, refused.kind, {"message": str(refused)}, wire.TERMINATE, wire.ERROR)
        else:
            self.send(stream, f"{operation}Response", response, 0 if operation in EVENT_OF else once)
            if operation == "SubscribeToIoTCore":  # its response comes first
                self._hear(stream, str(json.loads(payload)["topicName"]))

    def _hear(self, stream: int, topic_filter: str) -> None:
        limits = self.nucleus.rules

        def receive(topic: str, payload: bytes, retained: bool) -> None:
            if limits.inbound is None or len(payload) <= limits.inbound:
                message = {"topicName": topic, "payload": base64.b64encode(payload).decode()}
                told = {"message": message | ({"retain": retained} if limits.retains else {})}
                self.send(stream, EVENT_OF["SubscribeToIoTCore"], told, 0)

        self._owners[stream] = receive
        self.nucleus.cloud.subscribe(receive, topic_filter, receive)

    def _forget(self, stream: int) -> None:
        self.subscriptions.pop(stream, None)
        self.nucleus.cloud.leave(self._owners.pop(stream, None))

    def _done(self, stream: int, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        component = self._component
        assert component is not None
        if operation in self.nucleus.rules.missing:
            raise Refused("ServiceError", f"{operation} is not known here")
        resource = str(request.get("topicName") or request.get("topic") or "")
        if not rules.allowed(component.access, operation, resource):
            raise Refused(
                "UnauthorizedError", f"{operation} on {resource} is not granted to {component.name}"
            )
        if operation in EVENT_OF:
            with self.nucleus.changed:
                self.subscriptions[stream] = (operation, request)
                self.nucleus.changed.notify_all()
            return {"topicName": resource} if operation == "SubscribeToTopic" else {}
        if operation not in OPERATIONS:
            raise Refused("ServiceError", f"{operation} is not known here")
        return OPERATIONS[operation](self.nucleus, component, request)

    def send(
        self, stream: int, model: str, content: Mapping[str, Any], flags: int, kind: int = wire.MESSAGE
    ) -> None:
        headers: dict[str, int | str] = {
            ":content-type": "application/json",
            "service-model-type": SERVICE + model,
            wire.TYPE: kind,
            wire.FLAGS: flags,
            wire.STREAM: stream,
        }
        with contextlib.suppress(OSError):  # who has gone needs no answer
            self._put(headers, json.dumps(content).encode())

    def _put(self, headers: Mapping[str, int | str], payload: bytes) -> None:
        with self._sending:
            self.channel.sendall(wire.encoded(headers, payload))


def merge(former: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment's merge: objects key by key, all else whole."""
    merged = dict(former)
    for key, value in change.items():
        held = merged.get(key)
        merged[key] = merge(held, value) if isinstance(held, dict) and isinstance(value, Mapping) else value
    return merged


def short_folder() -> Path:
    """A new folder whose path leaves room for a socket's name."""
    path = Path("/tmp") / f"n{os.getpid()}-{secrets.token_hex(3)}"
    path.mkdir(mode=0o700)
    return path
