"""From a configuration and a project to a graph of objects: the only place that puts the parts together."""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from edge import engine, speaking
from edge import hook as hooks
from edge.answering import Answering
from edge.config import Config
from edge.config.source import Source
from edge.errors import ConfigInvalid, Fault
from edge.interlude import Interlude
from edge.lane import Lane, Message, Subject
from edge.outlets import Outlets, curtain_of, outlets
from edge.project import Project, Publish
from edge.switch import Switch
from edge.tap import Tap
from inference import acceptance
from inference.model import Model
from streams import envelope, sources, status
from streams.budget import BUDGETS, Budget
from streams.detail import Detail
from streams.device import DeviceStream
from streams.dialects.speaker import Speaker
from streams.durable import DurableSpool
from streams.feed import Feed
from streams.inbox import Inbox
from streams.pace import Every, OnChange, Policy
from streams.project import ProjectStream
from streams.reserved import Reserved
from streams.sender import Sender
from streams.sequence import Sequence
from streams.sinks.http import HttpSink
from streams.sources import Reader
from streams.spool import Spool
from streams.transports import Message as WireMessage
from streams.transports import Transport, TransportInvalid
from streams.transports.local import Local

if TYPE_CHECKING:
    from streams.transports.nucleus import Nucleus

Clock = Callable[[], float]
MAIN = "main"  # the name of the only source
LITE = "lite"
NO_PICTURES = (
    "pictures cannot go through the lite nucleus, whose messages hold 4 KB: set streams.device.enabled to false, or "
    "give the component a connection of its own (transport.kind iot_core with transport.cert, transport.key and a "
    "transport.client_id that is not the nucleus's, which is the thing's name)"
)
STATUS_HOLDS_S = 180.0  # where no last will tells of an end


@dataclasses.dataclass(frozen=True)
class Runtime:
    """Everything that one run holds. Nothing of it runs until `edge.run` begins it."""

    config: Config
    switch: Switch
    inbox: Inbox
    feeds: Mapping[str, Feed]
    live: frozenset[str]
    transport: Transport
    sequence: Sequence
    spool: DurableSpool
    sender: Sender
    outlets: Outlets
    clock: Clock
    tap: Tap
    speaker: Speaker | None = None
    interlude: Interlude = dataclasses.field(default_factory=Interlude)

    @property
    def pictures(self) -> HttpSink | None:
        """Who serves pictures over HTTP, where anybody does."""
        return self.outlets.http

    @property
    def project(self) -> Project:
        """The one that answers now, as are model and lanes."""
        return self.switch.now.project

    @property
    def model(self) -> Model:
        return self.switch.now.model

    @property
    def lanes(self) -> Mapping[str, Lane]:
        return self.switch.now.lanes


def runtime(
    config: Config,
    project: Project,
    *,
    on_message: Callable[[Message], None] | None = None,
    on_sent: Callable[[float], None] | None = None,
    transport: Transport | None = None,
    load: Callable[[], Model] | None = None,
    clock: Clock = time.monotonic,
) -> Runtime:
    """Build the graph. on_message: sees each message of the project stream. on_sent: gets the seconds from a
    picture's capture to the sending of its message. transport: takes the place of the configuration's. load: gives the
    model, where it was begun before. Raises what the parts raise (ours, one sentence each); nothing half built stays.
    """
    with contextlib.ExitStack() as undo:
        detail, inbox, tap = Detail(), Inbox(), Tap()
        readers = readers_of(config, project, clock, detail)
        hook = hook_of(project)
        model = load() if load is not None else model_of(config, project)
        undo.callback(model.close)
        sequence = sequence_of(config)
        undo.callback(sequence.close)
        transport = transport or transport_of(config)
        spool = spool_of(config, transport.budget)
        undo.callback(spool.close)
        shown = outlets(config, list(readers), clock)
        outlet = speaking.outlet(config, transport, clock)
        speaker = speaking.speaker_of(config, spool, readers, outlet, lambda: built.switch.now)

        def lane(name: str) -> Lane:
            return Lane(
                subject_of(project, model),
                project_stream(config, project, name, spool, sequence, clock, transport.budget.max_payload),
                device_stream(config, name, transport, clock),
                shown.gallery,
                hook,
                speaking.both(on_message, speaker),
                tap,
            )

        built = Runtime(
            config=config,
            switch=Switch(
                answering(project, model, hook, {name: lane(name) for name in readers}), detail, clock
            ),
            inbox=inbox,
            feeds=feeds_of(config, readers, inbox, clock),
            live=frozenset(name for name, reader in readers.items() if reader.live),
            transport=transport,
            sequence=sequence,
            spool=spool,
            sender=sender_of(config, spool, outlet, on_sent, clock),
            outlets=shown,
            clock=clock,
            tap=tap,
            speaker=speaker,
        )
        undo.pop_all()
        return built


def answering(
    project: Project,
    model: Model,
    hook: hooks.Hook | None,
    lanes: Mapping[str, Lane],
    accepted: acceptance.Report | None = None,
) -> Answering:
    """A project ready to answer, on the ways out of another one: only what is said, and how often, is its own."""
    subject = subject_of(project, model)
    return Answering(
        project,
        model,
        hook,
        {name: dataclasses.replace(lane, subject=subject, hook=hook) for name, lane in lanes.items()},
        {name: policy_of(project.publish) for name in lanes},
        accepted,
    )


def subject_of(project: Project, model: Model) -> Subject:
    return Subject(project.name, project.manifest.task, model.labels, model.identity._asdict())


def sequence_of(config: Config) -> Sequence:
    """The numbers of messages. Raises ConfigInvalid where the state folder cannot be written, and StateBusy."""
    folder = config.spool.folder(config.thing)
    try:
        return Sequence(folder)
    except OSError as error:
        raise ConfigInvalid(config.fault(error.strerror or str(error), "spool", "path")) from error


def hook_of(project: Project) -> hooks.Hook | None:
    if project.hook is None:
        return None
    return hooks.load(project.hook, budget=project.hook_budget)


def readers_of(
    config: Config, project: Project, clock: Clock, detail: Detail | None = None
) -> dict[str, Reader]:
    """One reader for each source of the configuration; without any, the project's own clip."""
    return {
        name: reader_of(config, name, source, clock, detail)
        for name, source in sources_of(config, project).items()
    }


def sources_of(config: Config, project: Project) -> dict[str, Source]:
    if config.sources:
        return dict(config.sources)
    if project.clip is None:
        message = "no source is named, and the project has no clip; name one with --source, such as camera:0"
        raise ConfigInvalid(Fault(message, "source"))
    return {MAIN: Source(uri=str(project.clip))}


def reader_of(
    config: Config, name: str, source: Source, clock: Clock, detail: Detail | None = None
) -> Reader:
    return sources.reader(
        source.uri,
        size=source.size,
        rate=source.rate,
        loop=source.loop,
        pace=source.pace,
        detail=detail,
        clock=clock,
    )


def feeds_of(config: Config, readers: Mapping[str, Reader], inbox: Inbox, clock: Clock) -> dict[str, Feed]:
    def patience(name: str) -> float | None:
        return config.sources[name].patience if name in config.sources else None

    return {
        name: Feed(
            name,
            reader,
            inbox.slot(name, lossless=not reader.live),
            patience=patience(name),
            clock=clock,
            curtain=curtain_of(config, name, list(readers)),
        )
        for name, reader in readers.items()
    }


def model_of(config: Config, project: Project) -> Model:
    """The model, loaded, settled and glanced at. What goes wrong is placed at its key by `edge.blame`."""
    return engine.ready(config, project.manifest)


def transport_of(config: Config) -> Transport:
    wanted = config.transport
    budget = BUDGETS[wanted.budget] if wanted.budget is not None else None
    if wanted.kind == "greengrass":
        return greengrass_of(config)
    if wanted.kind == "local" or wanted.endpoint is None:
        return Local(budget=budget or BUDGETS["none"])
    from streams.transports.iot_core import IotCore  # costs a vendor library that a local run does not need

    return IotCore(
        wanted.endpoint,
        wanted.port,
        client_id=wanted.client_id or config.thing,
        protocol=wanted.protocol,
        cert=wanted.cert,
        key=wanted.key,
        ca=wanted.ca,
        username=wanted.username,
        password=wanted.password,
        alpn=wanted.alpn,
        will=status.will(config.thing),
        birth=lambda: status.birth(config.thing),
        farewell=lambda: status.farewell(config.thing),
        budget=budget,
    )


def greengrass_of(
    config: Config, nucleus: "Nucleus | None" = None, birth: Callable[[], WireMessage] | None = None
) -> Transport:
    """The way out by the nucleus: by the given connection, or by one of its own. birth: what is said at each connect.
    Raises TransportInvalid where no nucleus started this process."""
    from streams.transports.greengrass import Greengrass
    from streams.transports.nucleus import Nucleus

    lent = nucleus is not None
    nucleus = nucleus or Nucleus.of_environment()
    if nucleus is None:
        raise TransportInvalid("transport.kind is greengrass, and this process was not started by a nucleus")
    budget = config.transport.budget
    return Greengrass(
        nucleus,
        budget=BUDGETS[budget] if budget is not None else None,
        birth=birth or (lambda: status.birth(config.thing, expires_in_s=STATUS_HOLDS_S)),
        farewell=lambda: status.farewell(config.thing),
        borrowed=lent,
    )


def spool_of(config: Config, budget: Budget = BUDGETS["none"]) -> DurableSpool:
    """Where the thing's messages wait: in its state folder, which nobody else may use meanwhile.

    budget: messages are cut to it when they are born, as far as they can be.
    """
    wanted = config.spool
    folder, sync = wanted.folder(config.thing), wanted.sync_ms / 1000
    encode = functools.partial(envelope.shrunk, max_bytes=budget.max_payload)
    return DurableSpool(folder, wanted.max_bytes, max_age=wanted.max_age, sync=sync, encode=encode)


def sender_of(
    config: Config,
    spool: Spool,
    transport: Transport,
    on_sent: Callable[[float], None] | None = None,
    clock: Clock = time.monotonic,
) -> Sender:
    """Who sends what waits, as the configuration wants it sent."""
    spares = transport.tries if isinstance(transport, Reserved) else lambda topic: False
    return Sender(spool, transport, replay=config.spool.replay, spares=spares, on_sent=on_sent, clock=clock)


def project_stream(
    config: Config,
    project: Project,
    source: str,
    spool: Spool,
    sequence: Sequence,
    clock: Clock,
    max_bytes: int | None = None,
) -> ProjectStream | None:
    if not config.streams.project.enabled:
        return None
    policy = policy_of(project.publish)
    return ProjectStream(config.thing, source, spool, sequence, policy, clock=clock, max_bytes=max_bytes)


def policy_of(publish: Publish) -> Policy:
    if publish.every is not None:
        return Every(publish.every)
    return OnChange(publish.min_interval, publish.heartbeat, publish.hold)


def device_stream(config: Config, source: str, transport: Transport, clock: Clock) -> DeviceStream | None:
    device = config.streams.device
    if not device.enabled:
        return None
    check_carries_pictures(config, transport)
    return DeviceStream(
        config.thing, source, transport, rate=device.rate, quality=device.quality, clock=clock
    )


def check_carries_pictures(config: Config, transport: Transport) -> None:
    """Raises ConfigInvalid for a transport whose messages are too small for any picture."""
    if transport.budget.name == LITE:
        raise ConfigInvalid(config.fault(NO_PICTURES, "streams", "device", "enabled"))
