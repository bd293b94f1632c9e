"""`rollback`: the project that answered before, again."""

from concurrent.futures import Future
from typing import TYPE_CHECKING

from edge.remote.handler import Result
from edge.remote.swap import answered
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb("rollback")


def answer(run: "Run", command: Command, room: int) -> "Future[Result]":
    return answered(run.swap.rollback())
