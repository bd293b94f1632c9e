"""One connection of awscrt, over MQTT 5 and over MQTT 3.1.1, behind the same few methods.

Both are used once and never reconnect: awscrt's MQTT 3.1.1 client waits without jitter and gives up when the
very first attempt fails, so that the waiting is done above, alike for both. Sessions are clean: what is not
acknowledged when a connection ends is sent again by whoever sent it, and by nobody else.
"""

import functools
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from awscrt import io, mqtt, mqtt5

from streams.errors import StreamError, TransportError
from streams.transports import Message, SubscriptionRefused
from streams.transports.iot_core_errors import explain, explain_5
from streams.transports.keeper import Visit

ACK_PATIENCE_S = 30
CONNECT_PATIENCE_MS = 10_000
_REFUSED = 0x80  # and above, among MQTT 5's reason codes
PROVED_EVERY = 256 * 1024  # bytes at QoS 0, after which MQTT 3.1.1 waits for the broker
_NOBODYS = "lensracer/nobodys"  # a filter that nothing subscribes to


@dataclass(frozen=True)
class Call:
    """Whom to call, and how to introduce oneself. keep_alive: seconds. tls: awscrt's context, or None."""

    host: str
    port: int
    client_id: str
    keep_alive: int
    username: str | None
    password: str | None
    will: Message | None
    tls: io.ClientTlsContext | None
    address: str

    @property
    def ping_timeout_ms(self) -> int:
        """How long an answer to a ping may take: ten seconds, or half the keep-alive."""
        return min(10_000, self.keep_alive * 500)


@functools.cache
def bootstrap() -> io.ClientBootstrap:
    """The one event loop (a thread of awscrt's own) that serves every connection of this process."""
    loop = io.EventLoopGroup(1)
    return io.ClientBootstrap(loop, io.DefaultHostResolver(loop))


def _socket() -> io.SocketOptions:
    options = io.SocketOptions()
    options.connect_timeout_ms = CONNECT_PATIENCE_MS
    return options


class Link5:
    """MQTT 5."""

    def __init__(self, call: Call, visit: Visit) -> None:
        self._address = call.address
        self._visit = visit
        self._stopped = threading.Event()
        self._retains = True
        will = call.will
        self._client = mqtt5.Client(
            mqtt5.ClientOptions(
                host_name=call.host,
                port=call.port,
                bootstrap=bootstrap(),
                socket_options=_socket(),
                tls_ctx=call.tls,
                connect_options=mqtt5.ConnectPacket(
                    keep_alive_interval_sec=call.keep_alive,
                    client_id=call.client_id,
                    username=call.username,
                    password=call.password,
                    will=None if will is None else _packet(will.topic, will.payload, will.qos, will.retain),
                ),
                session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
                offline_queue_behavior=mqtt5.ClientOperationQueueBehaviorType.FAIL_ALL_ON_DISCONNECT,
                ping_timeout_ms=call.ping_timeout_ms,
                connack_timeout_ms=CONNECT_PATIENCE_MS,
                ack_timeout_sec=ACK_PATIENCE_S,
                on_publish_callback_fn=self._on_publish,
                on_lifecycle_event_stopped_fn=self._on_stopped,
                on_lifecycle_event_connection_success_fn=self._on_success,
                on_lifecycle_event_connection_failure_fn=self._on_failure,
                on_lifecycle_event_disconnection_fn=self._on_disconnection,
                disable_metrics=True,  # they would be glued to the user's name, which other brokers check
            )
        )

    def open(self) -> None:
        self._client.start()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> "Future[Any]":
        sent: Future[Any] = self._client.publish(_packet(topic, payload, qos, retain and self._retains))
        return sent

    def subscribe(self, topic_filter: str) -> "Future[Any]":
        wish = mqtt5.Subscription(topic_filter, mqtt5.QoS.AT_LEAST_ONCE)
        asked: Future[Any] = self._client.subscribe(mqtt5.SubscribePacket([wish]))
        return asked

    def failure(self, done: "Future[Any]") -> StreamError | None:
        error = done.exception()
        return _refusal_5(done.result()) if error is None else explain(error)

    def close(self, timeout: float) -> None:
        self._client.stop(mqtt5.DisconnectPacket())  # without a packet the broker would publish the will
        self._stopped.wait(timeout)
        del self._client  # which knows our methods: a circle

    def _on_publish(self, data: mqtt5.PublishReceivedData) -> None:
        packet = data.publish_packet
        self._visit.message(packet.topic, bytes(packet.payload or b""), bool(packet.retain))

    def _on_success(self, data: mqtt5.LifecycleConnectSuccessData) -> None:
        self._retains = data.negotiated_settings.retain_available is not False
        self._visit.up()

    def _on_failure(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        self._client.stop()
        self._visit.down(f"{self._address}: {explain_5(data.exception, data.connack_packet)}.")

    def _on_disconnection(self, data: mqtt5.LifecycleDisconnectData) -> None:
        self._client.stop()
        self._visit.down(f"{self._address}: {explain_5(data.exception, data.disconnect_packet)}.")

    def _on_stopped(self, _data: mqtt5.LifecycleStoppedData) -> None:
        self._stopped.set()


class Link3:
    """MQTT 3.1.1."""

    def __init__(self, call: Call, visit: Visit) -> None:
        self._address = call.address
        self._visit = visit
        self._open = False
        self._left: Future[Any] | None = None
        self._unproved = 0  # bytes at QoS 0 since the broker last answered for them
        will = call.will
        self._connection = mqtt.Connection(
            mqtt.Client(bootstrap(), call.tls),
            call.host,
            call.port,
            call.client_id,
            clean_session=True,
            on_connection_interrupted=self._on_interrupted,
            on_connection_success=self._on_success,
            keep_alive_secs=call.keep_alive,
            ping_timeout_ms=call.ping_timeout_ms,
            protocol_operation_timeout_ms=ACK_PATIENCE_S * 1000,
            will=None
            if will is None
            else mqtt.Will(will.topic, mqtt.QoS(will.qos), will.payload, will.retain),
            username=call.username,
            password=call.password,
            socket_options=_socket(),
            disable_metrics=True,
        )
        self._connection.on_message(self._on_message)

    def open(self) -> None:
        self._connection.connect().add_done_callback(self._on_connected)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> "Future[Any]":
        sent, _packet_id = self._connection.publish(topic, payload, mqtt.QoS(qos), retain)
        self._unproved += 0 if qos else len(payload)
        return self._proof() if self._unproved >= PROVED_EVERY else sent

    def _proof(self) -> "Future[Any]":
        """Done when the broker has read all up to here.

        awscrt calls a message at QoS 0 sent as soon as it holds it itself, so that a broker that reads nothing
        would fill our memory. It answers in order: also to whoever leaves a subscription that never was.
        """
        self._unproved = 0
        answered, _packet_id = self._connection.unsubscribe(_NOBODYS)
        return answered  # type: ignore[no-any-return]

    def subscribe(self, topic_filter: str) -> "Future[Any]":
        asked, _packet_id = self._connection.subscribe(topic_filter, mqtt.QoS.AT_LEAST_ONCE)
        return asked  # type: ignore[no-any-return]

    def failure(self, done: "Future[Any]") -> StreamError | None:
        error = done.exception()
        return None if error is None else explain(error)

    def close(self, timeout: float) -> None:
        left = self._left or (self._leave() if self._open else None)
        if left is not None:  # a connection that never opened must not be left: awscrt forgets to free that
            done = threading.Event()
            left.add_done_callback(lambda _future: done.set())
            done.wait(timeout)
        del self._connection  # which knows our methods: a circle

    def _leave(self) -> "Future[Any]":
        left: Future[Any] = self._connection.disconnect()
        self._left = left
        return left

    def _on_success(self, connection: object, callback_data: object) -> None:
        self._open = True
        self._visit.up()

    def _on_connected(self, connected: "Future[Any]") -> None:
        if (error := connected.exception()) is not None:
            self._visit.down(f"{self._address}: {explain(error)}.")

    def _on_interrupted(self, connection: object, error: BaseException, **_more: object) -> None:
        self._leave()  # now: once awscrt waits for its next attempt, nobody leaves before that
        self._visit.down(f"{self._address}: {explain(error)}.")

    def _on_message(
        self, topic: str, payload: bytes, dup: bool, qos: object, retain: bool, **_more: object
    ) -> None:
        self._visit.message(topic, bytes(payload), bool(retain))


def _packet(topic: str, payload: bytes, qos: int, retain: bool) -> mqtt5.PublishPacket:
    return mqtt5.PublishPacket(payload=payload, qos=mqtt5.QoS(qos), retain=retain, topic=topic)


def _refusal_5(answer: mqtt5.PublishCompletionData | mqtt5.SubackPacket) -> StreamError | None:
    """MQTT 5 answers with a reason also where it refuses, which awscrt takes for a success."""
    if isinstance(answer, mqtt5.SubackPacket):
        code = answer.reason_codes[0]  # one filter is asked for at a time
        if code is None or code >= _REFUSED:
            name = "reason unknown" if code is None else code.name
            return SubscriptionRefused(f"check the broker's policy for it ({name})")
        return None
    code = None if answer.puback is None else answer.puback.reason_code
    if code is not None and code >= _REFUSED:
        return TransportError(f"the broker refused the message ({code.name}): check its policy for the topic")
    return None
