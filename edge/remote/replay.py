"""`replay`: put a recording of this device through the running project again, and tell what differs."""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from edge import replay_child
from edge.errors import RecordingRefused
from edge.remote.handler import Result, Unable
from streams import verb as fields
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb("replay", {"name": fields.text(64)}, required=frozenset({"name"}))
SPARE = ("notes", "identity", "changed_files", "first", "stages")  # the first is left out first


def answer(run: "Run", command: Command, room: int) -> Result | Future[Result]:
    """Answered when it is done, by a process beside the run: the heads of `lensracer.replay/1`."""
    try:
        path = run.recorder.path_of(command.fields["name"])
    except RecordingRefused as error:
        raise Unable("name", str(error)) from None
    told: Future[Result] = Future()

    def pass_on(done: "Future[dict[str, Any]]") -> None:
        error = done.exception()
        if error is not None:
            told.set_exception(Unable("replay", str(error), "failed"))
        else:
            told.set_result(within(done.result(), room))

    replay_child.start(path, run.runtime.config).add_done_callback(pass_on)
    return told


def within(found: Mapping[str, Any], room: int) -> dict[str, Any]:
    """As much of it as has room."""
    kept = dict(found)
    for key in SPARE:
        if len(json.dumps(kept, ensure_ascii=False).encode()) <= room:
            break
        del kept[key]
    return kept
