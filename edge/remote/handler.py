"""What carries out one verb, and how it says that it will not, or could not."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

Result = Mapping[str, Any]


class Unable(Exception):
    """It did not come about. outcome: refused (it was not tried) or failed; cause: why, in a word; the text: in a
    sentence."""

    def __init__(self, cause: str, sentence: str, outcome: str = "refused") -> None:
        super().__init__(sentence)
        self.cause, self.outcome = cause, outcome


class Handler(NamedTuple):
    """A verb, and what carries it out.

    answer: called on the desk's thread with the run, the command, and the bytes that the result may take as JSON
    (of an immediate verb: on the transport's thread, and what it gives is nobody's). It gives the result, or the
    future of one where the work is another thread's, and raises Unable.
    """

    verb: Verb
    answer: "Callable[[Run, Command, int], Result | Future[Result]]"
