"""From a configuration and a project to a graph of objects: the only place that puts the parts together."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping

from edge import engine
from edge import hook as hooks
from edge.answering import Answering
from edge.config import Config
from edge.config.source import Source
from edge.errors import ConfigInvalid, Fault
from edge.lane import Lane, Message, Subject
from edge.project import Project, Publish
from edge.switch import Switch
from inference import acceptance
from inference.model import Model
from streams import sources, status
from streams.budget import BUDGETS
from streams.detail import Detail
from streams.device import DeviceStream
from streams.durable import DurableSpool
from streams.feed import Feed
from streams.inbox import Inbox
from streams.pace import Every, OnChange, Policy
from streams.project import ProjectStream
from streams.sender import Sender
from streams.sequence import Sequence
from streams.sinks.http import HttpSink
from streams.sources import Reader
from streams.spool import Spool
from streams.transports import Transport
from streams.transports.local import Local

Clock = Callable[[], float]
MAIN = "main"  # the name of the only source


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
    spool: Spool
    sender: Sender
    pictures: HttpSink | None
    clock: Clock

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
    clock: Clock = time.monotonic,
) -> Runtime:
    """Build the graph. on_message: sees each message of the project stream. on_sent: gets the seconds from a
    picture's capture to the sending of its message.

    Raises what the parts raise (ours, one sentence each); nothing half built stays open.
    """
    with contextlib.ExitStack() as undo:
        detail = Detail()
        readers = readers_of(config, project, clock, detail)
        hook = hook_of(project)
        model = model_of(config, project)
        undo.callback(model.close)
        sequence = sequence_of(config)
        undo.callback(sequence.close)
        transport = transport_of(config)
        spool = spool_of(config)
        undo.callback(spool.close)
        pictures = pictures_of(config, readers)
        inbox = Inbox()
        subject = subject_of(project, model)

        def lane(name: str) -> Lane:
            return Lane(
                subject,
                project_stream(config, project, name, spool, sequence, clock),
                device_stream(config, name, transport, clock),
                pictures,
                hook,
                on_message,
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
            sender=Sender(spool, transport, on_sent=on_sent, clock=clock),
            pictures=pictures,
            clock=clock,
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
        told = f"the folder {folder} cannot be written: {error.strerror}"
        raise ConfigInvalid(config.fault(told, "spool", "path")) from error


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
            name, reader, inbox.slot(name, lossless=not reader.live), patience=patience(name), clock=clock
        )
        for name, reader in readers.items()
    }


def model_of(config: Config, project: Project) -> Model:
    """The model, loaded, settled and glanced at. What goes wrong is placed at its key by `edge.blame`."""
    model = engine.load(config, project.manifest)
    try:
        acceptance.glance(model)
    except BaseException:
        model.close()
        raise
    return model


def transport_of(config: Config) -> Transport:
    wanted = config.transport
    budget = BUDGETS[wanted.budget] if wanted.budget is not None else None
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


def spool_of(config: Config) -> DurableSpool:
    """Where the thing's messages wait: in its state folder, which nobody else may use meanwhile."""
    wanted = config.spool
    folder, sync = wanted.folder(config.thing), wanted.sync_ms / 1000
    return DurableSpool(folder, wanted.max_bytes, max_age=wanted.max_age, sync=sync)


def pictures_of(config: Config, readers: Mapping[str, Reader]) -> HttpSink | None:
    http = config.http
    return HttpSink(http.host, http.port, http.token, list(readers)) if http.enabled else None


def project_stream(
    config: Config, project: Project, source: str, spool: Spool, sequence: Sequence, clock: Clock
) -> ProjectStream | None:
    if not config.streams.project.enabled:
        return None
    return ProjectStream(config.thing, source, spool, sequence, policy_of(project.publish), clock=clock)


def policy_of(publish: Publish) -> Policy:
    if publish.every is not None:
        return Every(publish.every)
    return OnChange(publish.min_interval, publish.heartbeat)


def device_stream(config: Config, source: str, transport: Transport, clock: Clock) -> DeviceStream | None:
    device = config.streams.device
    if not device.enabled:
        return None
    return DeviceStream(
        config.thing, source, transport, rate=device.rate, quality=device.quality, clock=clock
    )
