"""`pause`: look at no further frame. Cameras stay open and are read on, so that none counts as stalled."""

from typing import TYPE_CHECKING

from edge.remote.handler import Result
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb("pause")


def answer(run: "Run", command: Command, room: int) -> Result:
    return {"paused": True, "changed": run.pausing.pause()}
