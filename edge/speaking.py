"""From the configuration to the dialects that are spoken, and to the transport that may give a reserved topic up."""

from collections.abc import Callable, Iterable

from edge import version
from edge.answering import Answering
from edge.config import Config
from edge.lane import Message
from streams.dialects import About, dialect
from streams.dialects.speaker import Speaker
from streams.reserved import Reserved
from streams.spool import Spool
from streams.transports import Transport

Heard = Callable[[Message], None]


def speaker_of(
    config: Config, spool: Spool, sources: Iterable[str], way_out: Reserved, now: Callable[[], Answering]
) -> Speaker | None:
    """The dialects of `streams.dialects`, listening; None without any. now: who answers, once the transport runs."""
    names = config.streams.dialects
    if not names or not config.streams.project.enabled:
        return None
    there = tuple(sources)

    def about() -> About:
        model, project = now().model, now().project
        return About(
            thing=config.thing,
            project=project.name,
            task=project.manifest.task,
            labels=model.labels,
            sources=there,
            frames=config.streams.device.enabled,
            version=version.version(),
        )

    speaker = Speaker({name: dialect(name, config.thing) for name in names}, spool, about, way_out.given_up)
    speaker.listen(way_out)
    return speaker


def both(first: Heard | None, speaker: Speaker | None) -> Heard | None:
    """Who is told of each message: who wants to see it, and who says it in other words."""
    if first is None or speaker is None:
        return speaker.hear if speaker is not None else first
    hear = speaker.hear

    def told(message: Message) -> None:
        first(message)
        hear(message)

    return told


def outlet(config: Config, transport: Transport, clock: Callable[[], float]) -> Reserved:
    """The transport, and before it who gives a reserved topic up where the broker keeps it for itself.

    Also where no dialect is spoken any more: what an earlier run left in the spool goes the same way.
    """
    return Reserved(transport, dialect("deeplens", config.thing).alternates, clock=clock)
