"""`threshold`: from which score on results are told, from the next frame on."""

import logging
from concurrent.futures import TimeoutError as TookTooLong
from typing import TYPE_CHECKING

from edge import thresholds
from edge.remote.handler import Result, Unable
from streams import verb as fields
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

log = logging.getLogger(__name__)

VERB = Verb(
    "threshold",
    {"threshold": fields.number(0.0, 1.0), "persist": fields.flag},
    required=frozenset({"threshold"}),
)
PATIENCE = 5.0  # seconds that the loop may take to come round


def answer(run: "Run", command: Command, room: int) -> Result:
    wanted, persist = command.fields["threshold"], command.fields.get("persist", False)
    runtime = run.runtime

    def change() -> tuple[str, float | None]:
        before = runtime.model.threshold
        runtime.model.set_threshold(wanted)
        return runtime.model.identity.name, before

    asked = runtime.interlude.ask(change)
    try:
        name, before = asked.result(PATIENCE)
    except TookTooLong:
        asked.cancel()
        raise Unable("busy", f"the loop did not come round within {PATIENCE:g} s", "failed") from None
    except ValueError as error:
        raise Unable("no_threshold", str(error)) from None
    if persist:
        keep(run, name, wanted)
    log.info("the threshold of %s is %g now", name, wanted)
    return {"project": name, "threshold": wanted, "before": before, "persist": persist}


def keep(run: "Run", name: str, wanted: float) -> None:
    config = run.runtime.config
    try:
        thresholds.keep(config.spool.folder(config.thing), name, wanted)
    except OSError as error:
        told = f"the threshold holds until the next start only, for it cannot be written down: {error}"
        raise Unable("storage", told, "failed") from None
