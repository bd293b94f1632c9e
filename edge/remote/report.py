"""`report`: the run's report so far (`lensracer.report/1`, without its ending)."""

from typing import TYPE_CHECKING

from edge.ending import Ending
from edge.remote.handler import Result
from edge.remote.room import without
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb("report")
OF_THE_END = ("exit_code", "error", "drive", "lambda")  # what is not there yet, or not here
DISPENSABLE = ("hook", "swaps", "kernels", "sources", "cost", "model", "latency_ms")  # the first goes first


def answer(run: "Run", command: Command, room: int) -> Result:
    whole = run.report(Ending(0))
    told = {key: value for key, value in whole.items() if key not in OF_THE_END or value}
    return without(told, DISPENSABLE, room)
