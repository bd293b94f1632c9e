"""`resume`: look at frames again."""

from typing import TYPE_CHECKING

from edge.remote.handler import Result
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb("resume")


def answer(run: "Run", command: Command, room: int) -> Result:
    return {"paused": False, "changed": run.pausing.resume()}
