"""`logs`: the newest lines of the log, as they were told, with nothing secret in them."""

from typing import TYPE_CHECKING

from edge.remote.handler import Result
from edge.remote.room import listed
from streams import verb as fields
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb("logs", {"lines": fields.count(1, 500)})
USUAL = 50


def answer(run: "Run", command: Command, room: int) -> Result:
    """The newest that fit, the oldest of them first."""
    newest = run.logbook.newest(command.fields.get("lines", USUAL))
    told = dict(listed({}, "lines", newest[::-1], room))
    return told | {"lines": told["lines"][::-1]}
