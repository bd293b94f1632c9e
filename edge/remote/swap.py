"""`swap`: another project in the place of the running one: an installed one, or a bundle signed for this device."""

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from edge.remote.handler import Result, Unable
from streams import verb as fields
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb(
    "swap",
    {
        "project": fields.text(128),
        "uri": fields.text(2048),
        "sha256": fields.text(64),
        "signature": fields.anything,
    },
)
BUNDLE = {"uri", "sha256", "signature"}


def answer(run: "Run", command: Command, room: int) -> "Future[Result]":
    given = set(command.fields)
    if given != {"project"} and given != BUNDLE:
        raise Unable("fields", "expected `project`, or `uri`, `sha256` and `signature` of a signed bundle")
    return answered(run.swap.request(dict(command.fields)))


def answered(outcome: "Future[dict[str, Any]]") -> "Future[Result]":
    """The swap's outcome as a result, or as Unable."""
    told: Future[Result] = Future()

    def settle(done: "Future[dict[str, Any]]") -> None:
        said = done.result()
        if said["outcome"] == "done":
            told.set_result({key: said[key] for key in ("project", "sha256") if key in said})
        else:
            how = "refused" if said["outcome"] == "refused" else "failed"
            told.set_exception(Unable(said["cause"], said["error"], how))

    outcome.add_done_callback(settle)
    return told
