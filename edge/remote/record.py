"""`record`: keep what the loop does in a file on the device, for so many seconds, or until told to stop."""

from typing import TYPE_CHECKING

from edge.errors import AlreadyThere, EdgeError
from edge.recorder import MOST_SECONDS
from edge.remote.handler import Result, Unable
from streams import clock as wall
from streams import verb as fields
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb(
    "record",
    {"seconds": fields.number(1, MOST_SECONDS), "name": fields.text(64), "stop": fields.flag},
)
USUAL = 10.0  # seconds


def answer(run: "Run", command: Command, room: int) -> Result:
    """Answered as soon as it has begun: the file is whole when `seconds` are over."""
    given = command.fields
    if given.get("stop", False) and len(given) > 1:
        raise Unable("fields", "`stop` goes with neither `seconds` nor `name`")
    try:
        if given.get("stop", False):
            return run.recorder.stop()
        seconds = given.get("seconds", USUAL)
        name = given.get("name") or wall.utc(wall.wall_ms())[:19].replace(":", "-").lower()
        return {"file": run.recorder.start(seconds, name), "name": name, "seconds": seconds}
    except AlreadyThere as error:
        raise Unable("name", str(error)) from None
    except EdgeError as error:
        raise Unable("recording", str(error)) from None
    except OSError as error:
        raise Unable("storage", f"nothing can be recorded: {error}", "failed") from None
