"""Every transport keeps the same promises; the one over awscrt also says what to check when it cannot connect."""

import collections
import contextlib
import gc
import logging
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import brokers
import pytest
from brokers import HOST, Broker, Certificates, running
from transport_contract import (
    BIRTH,
    CHECKS,
    FAREWELL,
    FRAME,
    INFER,
    PATIENCE_S,
    STATUS,
    WILL,
    Stage,
    connected,
    done,
)
from witness import Heard, Witness, wait_until, witness

from streams.backoff import Backoff
from streams.budget import BUDGETS, Budget
from streams.errors import TransportError
from streams.transports import Message, SubscriptionRefused, Transport, TransportInvalid
from streams.transports.iot_core import IotCore
from streams.transports.keeper import MOST_PENDING, Keeper, Link, Visit
from streams.transports.local import MOST_RETAINED, Hub, Local

QUICK = {"birth": BIRTH, "farewell": FAREWELL, "will": WILL, "client_id": "cam-1"}


class BrokerStage:
    """A real broker, and the transport over awscrt."""

    def __init__(self, broker: Broker, protocol: str, certificates: Certificates | None = None) -> None:
        self.broker, self.protocol, self.certificates = broker, protocol, certificates

    def transport(self, budget: Budget | None = None) -> IotCore:
        secrets = self.certificates
        files = {"ca": secrets.ca, "cert": secrets.client_cert, "key": secrets.client_key} if secrets else {}
        backoff = Backoff(0.05, 0.1)
        return IotCore(
            HOST, self.broker.port, protocol=self.protocol, budget=budget, backoff=backoff, **files, **QUICK
        )

    def observer(self, topic_filter: str = "#") -> contextlib.AbstractContextManager[Witness]:
        return witness(self.broker.port, topic_filter, self.certificates)

    def cut(self, transport: Transport) -> None:
        self.broker.kill()

    def mend(self, transport: Transport) -> None:
        self.broker.start()


class LocalObserver:
    """Somebody else in the same process."""

    def __init__(self, hub: Hub, topic_filter: str) -> None:
        self.heard: list[Heard] = []
        self._hub = hub
        hub.subscribe(
            self, topic_filter, lambda *told: self.heard.append(Heard(told[0], told[1], 1, told[2]))
        )

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        self._hub.publish(Message(topic, payload, qos, retain))

    def wait_for(self, enough: Callable[[list[Heard]], bool], timeout: float = PATIENCE_S) -> list[Heard]:
        assert enough(self.heard)
        return self.heard


class LocalStage:
    """A hub within this process."""

    def __init__(self) -> None:
        self.hub = Hub()

    def transport(self, budget: Budget | None = None) -> Local:
        return Local(self.hub, will=WILL, birth=BIRTH, farewell=FAREWELL, budget=budget)

    @contextlib.contextmanager
    def observer(self, topic_filter: str = "#") -> Iterator[LocalObserver]:
        present = LocalObserver(self.hub, topic_filter)
        yield present
        self.hub.leave(present)

    def cut(self, transport: Local) -> None:
        transport.interrupt()
        transport.start = lambda: None  # type: ignore[method-assign]  # nobody is there

    def mend(self, transport: Local) -> None:
        transport.resume()


STAGES = ["local", "mosquitto/5", "mosquitto/3.1.1", "mosquitto/certificates"]
STAGES += ["embedded/3.1.1"] if brokers.has_embedded() else []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return brokers.make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module", params=STAGES)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Stage]:
    kind, _, how = request.param.partition("/")
    folder = tmp_path_factory.mktemp("broker")
    if kind == "local":
        yield LocalStage()
    elif how == "certificates":
        with running(brokers.mosquitto_with_certificates(folder, certificates)) as broker:
            yield BrokerStage(broker, "5", certificates)
    else:
        made = brokers.embedded(folder) if kind == "embedded" else brokers.mosquitto(folder)
        with running(made) as broker:
            yield BrokerStage(broker, how)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_every_transport_keeps_the_contract(stage: Stage, check: Callable[[Stage], None]) -> None:
    check(stage)


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def plain(broker: Broker, protocol: str, **settings: object) -> IotCore:
    return IotCore(HOST, broker.port, protocol=protocol, backoff=Backoff(0.05, 0.1), **(QUICK | settings))


def reason_of(transport: IotCore, tells: str, patience: float = PATIENCE_S) -> str:
    """Starts a transport that cannot connect; its sentence, once it tells this."""
    transport.start()
    try:
        wait_until(lambda: tells in transport.reason, patience)
        assert not transport.connected
        return transport.reason
    finally:
        transport.stop(2.0)


def test_the_will_is_published_when_the_client_vanishes(tmp_path: Path, protocol: str) -> None:
    with running(brokers.mosquitto(tmp_path)) as broker, witness(broker.port, STATUS) as observer:
        with connected(BrokerStage(broker, protocol)) as transport:
            other = plain(broker, protocol, birth=None, farewell=Message(STATUS, b"other"))
            other.start()  # the same client id: the broker cuts the first one off, which comes back, and so on
            observer.wait_for(lambda heard: any(each.payload == WILL.payload for each in heard))
            other.stop(5.0)
        assert transport.name == "iot_core"


@pytest.mark.parametrize("how", ["5", "3.1.1"])
def test_what_is_on_the_wire_fails_at_once_when_the_connection_is_lost(tmp_path: Path, how: str) -> None:
    with running(brokers.mosquitto(tmp_path)) as broker, connected(BrokerStage(broker, how)) as transport:
        broker.freeze()
        futures = [transport.publish(INFER, b"unanswered", 1) for _ in range(50)]
        broker.kill()
        for future in futures:
            assert isinstance(future.exception(5.0), TransportError)


def test_pictures_wait_for_a_broker_that_reads_nothing(tmp_path: Path, protocol: str) -> None:
    """Each is handed over when the one before is sent: 20 MB must not be taken to be sent while nobody reads."""
    with (
        running(brokers.mosquitto(tmp_path)) as broker,
        connected(BrokerStage(broker, protocol)) as transport,
    ):

        def show() -> None:
            transport.publish(FRAME, bytes(100_000), 0).result(2.0)

        broker.freeze()
        with pytest.raises(TimeoutError):
            collections.deque((show() for _ in range(200)), maxlen=0)
        broker.thaw()
        show()


def test_a_stalled_connection_holds_a_bounded_number_of_messages(tmp_path: Path, protocol: str) -> None:
    with (
        running(brokers.mosquitto(tmp_path)) as broker,
        connected(BrokerStage(broker, protocol)) as transport,
    ):
        broker.freeze()
        futures = [transport.publish(INFER, bytes(10), 1) for _ in range(6_000)]
        assert len(transport._pending) == MOST_PENDING
        refused = futures[-1].exception(0.0)
        assert isinstance(refused, TransportError)
        assert "behind" in str(refused)
        broker.thaw()


def test_a_listener_hears_why(tmp_path: Path, protocol: str) -> None:
    told: list[tuple[bool, str]] = []
    with (
        running(brokers.mosquitto(tmp_path)) as broker,
        connected(BrokerStage(broker, protocol)) as transport,
    ):
        transport.listen(lambda *news: told.append(news))
        broker.kill()
        wait_until(lambda: len(told) >= 2)
    assert told[0] == (True, f"Connected to mqtt://{HOST}:{broker.port}.")
    assert told[1][0] is False
    assert "the connection was cut" in told[1][1]


def test_nobody_listening_is_a_sentence_said_once(
    tmp_path: Path, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    transport = plain(brokers.mosquitto(tmp_path), protocol)
    transport.start()
    wait_until(lambda: "does the broker run" in transport.reason)
    wait_until(lambda: transport._backoff._wait >= 0.1)  # it has tried again
    transport.stop(2.0)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert warnings[0].getMessage().endswith("It is tried again by itself.")
    assert warnings[0].exc_info is None


def test_an_unknown_host_is_a_sentence() -> None:
    transport = IotCore("no-such-host.invalid", 1883, client_id="cam-1", backoff=Backoff(0.05, 0.1))
    assert "transport.endpoint" in reason_of(transport, "the host name is not known")


def test_a_password_is_asked_for_and_taken(tmp_path: Path, protocol: str) -> None:
    with running(brokers.mosquitto_with_password(tmp_path)) as broker:
        wrong = plain(broker, protocol, username=brokers.USER, password="wrong")
        told = reason_of(wrong, "transport.username")
        assert "wrong" not in told
        right = plain(broker, protocol, username=brokers.USER, password=brokers.PASSWORD)
        right.start()
        wait_until(lambda: right.connected)
        done(right.publish(INFER, b"let in", 1))
        right.stop(2.0)


@pytest.fixture(scope="module")
def strict_broker(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("strict")
    with running(brokers.mosquitto_with_certificates(folder, certificates)) as broker:
        yield broker


@pytest.mark.slow  # the TLS library keeps such a failure to itself for 10 to 30 seconds
def test_a_broker_of_another_authority_is_not_trusted(
    strict_broker: Broker, certificates: Certificates
) -> None:
    files = {"ca": certificates.stranger_ca, "cert": certificates.client_cert, "key": certificates.client_key}
    reason_of(plain(strict_broker, "5", **files), "is not to be trusted: transport.ca", 45.0)


def test_a_client_of_another_authority_is_told_what_to_check(
    strict_broker: Broker, certificates: Certificates, protocol: str
) -> None:
    files = {"ca": certificates.ca, "cert": certificates.stranger_cert, "key": certificates.stranger_key}
    reason_of(plain(strict_broker, protocol, **files), "transport.cert")


def test_a_client_without_a_certificate_is_told_what_to_check(
    strict_broker: Broker, certificates: Certificates, protocol: str
) -> None:
    reason_of(plain(strict_broker, protocol, ca=certificates.ca), "transport.cert")


def test_plain_talk_to_a_broker_that_wants_tls_is_a_sentence(strict_broker: Broker, protocol: str) -> None:
    reason_of(plain(strict_broker, protocol), f"mqtt://{HOST}:{strict_broker.port}: ")


def test_credentials_that_do_not_exist_are_refused_with_their_key(certificates: Certificates) -> None:
    with pytest.raises(TransportInvalid, match=r"transport\.cert: /nowhere/cert\.pem cannot be read"):
        IotCore(HOST, cert="/nowhere/cert.pem", key=certificates.client_key, client_id="cam-1")
    with pytest.raises(TransportInvalid, match=r"transport\.key: /nowhere/key\.pem cannot be read"):
        IotCore(HOST, cert=certificates.client_cert, key="/nowhere/key.pem", client_id="cam-1")
    with pytest.raises(TransportInvalid, match=r"transport\.ca: /nowhere/ca\.pem cannot be read"):
        IotCore(HOST, ca=Path("/nowhere/ca.pem"), client_id="cam-1")


def test_credentials_that_do_not_fit_are_refused_with_their_keys(
    certificates: Certificates, tmp_path: Path
) -> None:
    with pytest.raises(TransportInvalid, match=r"transport\.key is missing"):
        IotCore(HOST, cert=certificates.client_cert, client_id="cam-1")
    with pytest.raises(TransportInvalid, match=r"transport\.cert is missing"):
        IotCore(HOST, key=certificates.client_key, client_id="cam-1")
    with pytest.raises(TransportInvalid, match=r"transport\.cert: .* is not a PEM file with a certificate"):
        IotCore(HOST, cert=certificates.client_key, key=certificates.client_key, client_id="cam-1")
    with pytest.raises(
        TransportInvalid, match=r"TLS cannot be prepared with transport\.cert .*transport\.key"
    ):
        IotCore(HOST, cert=certificates.client_cert, key=certificates.stranger_key, client_id="cam-1")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"endpoint": ""}, "transport.endpoint"),
        ({"endpoint": "mqtt://host"}, "transport.endpoint"),
        ({"port": 70_000}, "transport.port"),
        ({"client_id": ""}, "transport.client_id"),
        ({"client_id": "x" * 129}, "transport.client_id"),
        ({"protocol": "4"}, "transport.protocol"),
        ({"password": "alone"}, "transport.username"),
        ({"keep_alive": 0}, "keep-alive"),
    ],
)
def test_settings_that_can_never_work_are_refused_with_their_key(
    settings: dict[str, object], key: str
) -> None:
    with pytest.raises(TransportInvalid, match=key):
        IotCore(**({"endpoint": HOST, "client_id": "cam-1"} | settings))


def test_port_and_tls_follow_from_what_is_given(certificates: Certificates) -> None:
    def address(**settings: object) -> str:
        return IotCore(HOST, client_id="cam-1", **settings).address

    assert address() == f"mqtt://{HOST}:1883"
    assert address(port=443) == f"mqtts://{HOST}:443"
    assert address(ca=certificates.ca) == f"mqtts://{HOST}:8883"
    assert address(ca=certificates.ca, port=1884) == f"mqtts://{HOST}:1884"


def test_the_budget_follows_from_the_endpoint() -> None:
    amazon = IotCore("abc-ats.iot.eu-west-1.amazonaws.com", client_id="cam-1")
    assert amazon.budget is BUDGETS["aws-iot"]
    assert IotCore(HOST, client_id="cam-1").budget is BUDGETS["none"]


def test_a_birth_may_be_made_at_the_moment_of_its_saying(tmp_path: Path, protocol: str) -> None:
    times = iter(range(1, 100))
    with running(brokers.mosquitto(tmp_path)) as broker, witness(broker.port, STATUS) as observer:
        transport = plain(
            broker, protocol, birth=lambda: Message(STATUS, b"birth %d" % next(times), retain=True)
        )
        transport.start()
        observer.wait_for(lambda heard: any(each.payload == b"birth 1" for each in heard))
        broker.kill()
        wait_until(lambda: not transport.connected)
        broker.start()
        observer.wait_for(lambda heard: any(each.payload == b"birth 2" for each in heard))
        transport.stop(2.0)


def test_a_stop_while_nobody_answers_is_quick(tmp_path: Path, protocol: str) -> None:
    with running(brokers.mosquitto(tmp_path)) as broker:
        transport = plain(broker, protocol)
        transport.start()
        wait_until(lambda: transport.connected)
        broker.freeze()
        stopper = threading.Thread(target=transport.stop, args=(1.0,))
        stopper.start()
        stopper.join(2.0)
        assert not stopper.is_alive()
        broker.thaw()


def test_the_hub_keeps_a_bounded_number_of_retained_messages() -> None:
    hub = Hub()
    for number in range(3 * MOST_RETAINED):
        hub.publish(Message(f"a/{number}", b"x", retain=True))
    assert len(hub._retained) == MOST_RETAINED


def test_connections_that_never_came_about_leave_nothing_behind(tmp_path: Path, protocol: str) -> None:
    dialled = []
    transport = plain(brokers.mosquitto(tmp_path), protocol)
    transport._backoff = Backoff(0.001, 0.001)
    dial = transport.dial

    def dial_and_count(visit: Visit) -> Link:
        link = dial(visit)
        dialled.append(weakref.ref(link))
        return link

    transport.dial = dial_and_count  # type: ignore[method-assign]
    transport.start()
    wait_until(lambda: len(dialled) > 100)
    transport.stop(2.0)
    gc.collect()
    assert sum(link() is not None for link in dialled) <= 2


@pytest.fixture
def forbidding_broker(tmp_path: Path) -> Iterator[Broker]:
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite dt/lensracer/cam-1/#\n")
    with running(brokers.mosquitto(tmp_path, "allow_anonymous true", f"acl_file {rules}")) as broker:
        yield broker


class GrudgingBroker:
    """Lets one client in, whatever it says, and refuses its first subscription."""

    def __init__(self, protocol: str) -> None:
        self._five = protocol == "5"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listening.close()
        self._thread.join(5.0)

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        connection.settimeout(PATIENCE_S)
        with connection:
            connection.recv(4096)
            connection.sendall(bytes([0x20, 3, 0, 0, 0] if self._five else [0x20, 2, 0, 0]))
            for answer in ([0, 0x87], [0, 0x01]) if self._five else ([0x80], [0x01]):
                packet = connection.recv(4096)
                assert packet[0] == 0x82, packet
                connection.sendall(bytes([0x90, 2 + len(answer), packet[2], packet[3], *answer]))
            connection.recv(4096)


def test_a_subscription_that_is_not_allowed_is_a_sentence(
    protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = GrudgingBroker(protocol)
    transport = IotCore(HOST, broker.port, client_id="cam-1", protocol=protocol)
    transport.start()
    wait_until(lambda: transport.connected)
    refused = transport.subscribe("cmd/lensracer/cam-1/+", lambda *_told: None)
    assert isinstance(refused.exception(PATIENCE_S), SubscriptionRefused)
    done(transport.subscribe("dt/lensracer/cam-1/#", lambda *_told: None))
    assert transport.connected
    transport.stop(2.0)
    broker.close()
    assert "refused the subscription to cmd/lensracer/cam-1/+: check the broker's policy" in caplog.text


def test_a_message_that_is_not_allowed_is_a_sentence(forbidding_broker: Broker) -> None:
    with connected(BrokerStage(forbidding_broker, "5")) as transport:
        refused = transport.publish("dt/lensracer/cam-2/main/infer", b"", 1).exception(PATIENCE_S)
        assert isinstance(refused, TransportError)
        assert "check its policy for the topic" in str(refused)


def test_aws_iots_protocol_is_named_in_the_handshake(certificates: Certificates, protocol: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates.ca))
    context.load_cert_chain(certificates.server_cert, certificates.server_key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["x-amzn-mqtt-ca"])
    shaken: list[tuple[str | None, str | None, object]] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE_S)
        files = {"ca": certificates.ca, "cert": certificates.client_cert, "key": certificates.client_key}
        port = listening.getsockname()[1]
        transport = IotCore(HOST, port, protocol=protocol, alpn=True, **files, **QUICK)
        transport.start()
        try:
            connection, _ = listening.accept()
            connection.settimeout(PATIENCE_S)
            with context.wrap_socket(connection, server_side=True) as shaking:
                shaking.recv(1)
                shaken.append((shaking.selected_alpn_protocol(), shaking.version(), shaking.getpeercert()))
        finally:
            transport.stop(2.0)
    assert shaken[0][0] == "x-amzn-mqtt-ca"
    assert shaken[0][1] in ("TLSv1.2", "TLSv1.3")
    assert shaken[0][2]


def test_a_call_that_breaks_in_an_unforeseen_way_is_tried_again() -> None:
    class Unlucky(Keeper):
        dialled = 0

        def dial(self, visit: Visit) -> Link:
            self.dialled += 1
            raise RuntimeError("too many open files")

    keeper = Unlucky("mqtt://there", BUDGETS["none"], backoff=Backoff(0.01, 0.02))
    keeper.start()
    wait_until(lambda: keeper.dialled >= 3)
    assert keeper.reason == "mqtt://there cannot be called: too many open files"
    keeper.stop(1.0)
