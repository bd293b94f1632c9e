"""Who answers: a project, its model, its hook, and the ways out built of them. A swap exchanges just this."""

import dataclasses
import logging
from collections.abc import Mapping

from edge.errors import EdgeError
from edge.hook import Hook
from edge.lane import Lane
from edge.project import Project
from inference.acceptance import Report
from inference.model import Model
from streams.pace import Policy

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Answering:
    """One project ready to answer. lanes, policies: by the names of the sources. accepted: what the gate saw of the
    model; None where it was only glanced at."""

    project: Project
    model: Model
    hook: Hook | None
    lanes: Mapping[str, Lane]
    policies: Mapping[str, Policy]
    accepted: Report | None = None

    def begin(self) -> None:
        """Start the hook. Raises RunFailed."""
        if self.hook is not None:
            self.hook.on_start(self.project)

    def begin_again(self) -> None:
        """Start a hook anew that was stopped for another; where that fails it is told, and the rest goes on."""
        try:
            self.begin()
        except EdgeError as error:
            log.error("%s", error)

    def end(self) -> None:
        """Stop the hook."""
        if self.hook is not None:
            self.hook.on_stop()

    def close(self) -> None:
        """Let go of model and hook. Nobody may be using them."""
        self.model.close()
        if self.hook is not None:
            self.hook.close()
