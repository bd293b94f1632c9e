"""From a run to its desk, as the configuration wants it."""

from typing import TYPE_CHECKING

from edge.remote.desk import Desk
from edge.remote.ids import Ids
from edge.remote.registry import camera
from streams import clock as wall

if TYPE_CHECKING:
    from edge.run import Run


def desk_of(run: "Run") -> Desk | None:
    """The desk, subscribed and not yet started; None where nobody may command this device."""
    runtime = run.runtime
    config = runtime.config
    if not config.commands.enabled:
        return None
    desk = Desk(
        run,
        camera(),
        config.commands.allowed(config.transport),
        runtime.spool,
        Ids(config.spool.folder(config.thing), wall_ms=wall.wall_ms),
        rate=config.commands.rate,
        clock=runtime.clock,
    )
    desk.listen(runtime.transport)
    return desk
