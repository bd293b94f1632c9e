"""The transport contract's stage of a Greengrass nucleus."""

import contextlib
import shutil
from collections.abc import Callable, Iterator

from nucleus import Nucleus as Server
from nucleus import short_folder
from nucleus_rules import MQTT
from transport_contract import BIRTH, FAREWELL, PATIENCE_S
from witness import Heard, wait_until

from streams.backoff import Backoff
from streams.budget import Budget
from streams.transports import Hub, Message, Transport
from streams.transports.greengrass import Greengrass
from streams.transports.nucleus import CLASSIC_SOCKET, SOCKET, TOKEN, Nucleus

NAME = "org.lensracer.camera"
TOPICS = ["dt/lensracer/*", "cmd/lensracer/*"]
ACCESS = {
    MQTT: {
        f"{NAME}:mqttproxy:1": {
            "operations": ["aws.greengrass#PublishToIoTCore", "aws.greengrass#SubscribeToIoTCore"],
            "resources": TOPICS,
        }
    }
}


class CloudObserver:
    """Somebody else in the cloud."""

    def __init__(self, cloud: Hub, topic_filter: str) -> None:
        self.heard: list[Heard] = []
        self._cloud = cloud
        cloud.subscribe(
            self, topic_filter, lambda *told: self.heard.append(Heard(told[0], told[1], 1, told[2]))
        )

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        self._cloud.publish(Message(topic, payload, qos, retain))

    def wait_for(self, enough: Callable[[list[Heard]], bool], timeout: float = PATIENCE_S) -> list[Heard]:
        wait_until(lambda: enough(self.heard), timeout)
        return self.heard


class NucleusStage:
    """A nucleus on a Unix socket, and the transport over the genuine SDK."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.install(NAME, ACCESS)

    def connection(self) -> Nucleus:
        told = self.server.environment(NAME)
        kind = "classic" if CLASSIC_SOCKET in told else "lite"
        return Nucleus(told[SOCKET], told[TOKEN], kind=kind, backoff=Backoff(0.05, 0.1))

    def transport(self, budget: Budget | None = None) -> Greengrass:
        return Greengrass(self.connection(), budget=budget, birth=BIRTH, farewell=FAREWELL)

    @contextlib.contextmanager
    def observer(self, topic_filter: str = "#") -> Iterator[CloudObserver]:
        present = CloudObserver(self.server.cloud, topic_filter)
        yield present
        self.server.cloud.leave(present)

    def cut(self, transport: Transport) -> None:
        self.server.vanish()

    def mend(self, transport: Transport) -> None:
        self.server.start()


@contextlib.contextmanager
def nucleus_stage(kind: str) -> Iterator[NucleusStage]:
    """A stage whose nucleus runs until the end of the block."""
    folder = short_folder()
    server = Server(folder, kind)
    server.start()
    try:
        yield NucleusStage(server)
    finally:
        server.stop()
        shutil.rmtree(folder)
