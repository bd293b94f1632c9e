"""A component's life: configured by the nucleus, running, changed while it runs, and ended in good order."""

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge import build, exits, validate
from edge import project as projects
from edge.component import lastgood, settings
from edge.component.allowance import Allowance
from edge.component.wire import Wire
from edge.config import Config
from edge.errors import ConfigInvalid, EdgeError
from edge.options import Options
from edge.project import Project
from edge.run import Run, live
from edge.tally import Tally
from inference.errors import InferenceError
from streams.errors import StreamError

log = logging.getLogger(__name__)

LOOK_ROUND_S = 0.25
PROVEN_FRAMES = 30  # results after which project and configuration are the last good ones
DRAIN_S = 1.0  # of the three seconds that a stop may take
AGAIN = -1  # no exit code: live once more, with what is wanted now
CANNOT_START = (EdgeError, InferenceError, StreamError, OSError)
Values = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is to run. fallback: it is the last good one, in the place of what was wanted."""

    config: Config
    project: Project
    values: Values
    fallback: bool = False


class Component:
    """One process of a component. wire: its conversation with the nucleus. folder: the project that was deployed. work:
    its own folder. version: of the component, as far as it is known."""

    def __init__(
        self, wire: Wire, folder: Path, work: Path, environ: Mapping[str, str], version: str = "unknown"
    ) -> None:
        self.wire = wire
        self.moving: Callable[[], bool] = lambda: False  # whether an update must wait
        self._folder, self._work, self._environ, self._version = folder, work, environ, version
        self._allowance = Allowance(work)
        self._last_good: Values | None = None  # of this process
        self._life: Run | None = None
        self._leave = threading.Event()
        self._code: int | None = None
        self._kept: Values | None = None

    def run(self) -> int:
        """Live until the end; the exit code."""
        self.wire.begin(self._judged)
        try:
            code = AGAIN
            while code == AGAIN:
                code = self._once()
            return code
        finally:
            self.wire.end()

    def _once(self) -> int:
        """One life, from the configuration of now to its end or its change."""
        try:
            wanted = self._wanted()
        except CANNOT_START as error:
            return self._broken(error)
        try:
            runtime = self._built(wanted)
        except CANNOT_START as error:
            return self._broken(error) if wanted.fallback else self._fallen_back(error)
        return self._lived(wanted, runtime)

    def _wanted(self) -> Wanted:
        """What the deployment says; where that is wrong, what ran well before in this process."""
        values = settings.ours(self.wire.configuration())
        try:
            return self._read(values)
        except ConfigInvalid as error:
            if self._last_good is None:
                raise
            self._refuse(error)
            return self._read(self._last_good)

    def _read(self, values: Values, folder: Path | None = None) -> Wanted:
        config = settings.load(values, self._environ, self._work, self.wire.kind)
        place = folder or self._folder
        named = projects.find(config.project) if config.project and folder is None else place
        return Wanted(config, projects.load(named), values)

    def _built(self, wanted: Wanted) -> build.Runtime:
        self._tally = Tally()
        return build.runtime(
            wanted.config,
            wanted.project,
            on_sent=self._tally.stages["capture_to_publish"].add,
            transport=self.wire.transport(wanted.config)
            if wanted.config.transport.kind == "greengrass"
            else None,
            clock=time.monotonic,
        )

    def _fallen_back(self, error: Exception) -> int:
        """A version that does not start: the classic nucleus rolls it back; lite does not, so we do it ourselves."""
        kept = lastgood.kept(self._work)
        if kept is None or self.wire.kind == "classic":
            return self._broken(error)
        log.error("%s; the last good version %s runs in its place", error, kept.version)
        self.wire.rolled_back_from = self._version
        try:
            wanted = dataclasses.replace(self._read(kept.values, kept.project), fallback=True)
            runtime = self._built(wanted)
        except CANNOT_START as second:
            return self._broken(second)
        return self._lived(wanted, runtime)

    def _broken(self, error: Exception) -> int:
        log.error("%s", error)
        self.wire.report("ERRORED")
        return exits.code_of(error) or exits.FAILED

    def _refuse(self, error: Exception) -> None:
        log.error("the new configuration is not taken, the last good one stays: %s", error)
        self.wire.refused = str(error)

    def _lived(self, wanted: Wanted, runtime: build.Runtime) -> int:
        """Run it until a signal, a change that a swap cannot bring about, or the loss of the nucleus."""
        self._leave.clear()
        self._code = None
        options = Options(drain=DRAIN_S, until=self._leave.is_set)
        self._life = life = Run(runtime, self._tally, options)
        self._last_good = wanted.values
        keeper = threading.Thread(target=self._attend, args=(wanted, life), name="component", daemon=True)
        self.wire.report("RUNNING")
        keeper.start()
        try:
            code = live(life, options)
        finally:
            ended, self._life = self._leave.is_set(), None
            self._leave.set()
            keeper.join(2.0)
        return self._code if ended and self._code is not None else code

    def _attend(self, wanted: Wanted, life: Run) -> None:
        """On a thread of its own: everything that waits for the nucleus, so that the loop never does."""
        now = wanted
        while not self._leave.wait(LOOK_ROUND_S):
            try:
                self._keep_when_proven(now, life)
                self.wire.attend(self.moving)
                if self.wire.gone and self._allowance.take():
                    self._end(exits.FAILED)
                elif self.wire.changed.is_set():
                    self.wire.changed.clear()
                    now = self._changed(now, life)
            except Exception:  # whoever attends must not end in silence
                log.exception("the component's attendant failed; it goes on")

    def _end(self, code: int) -> None:
        self._code = code
        self._leave.set()

    def _keep_when_proven(self, wanted: Wanted, life: Run) -> None:
        if self._kept is wanted.values or wanted.fallback or life.tally.frames < PROVEN_FRAMES:
            return
        self._kept = wanted.values
        try:
            lastgood.keep(self._work, wanted.project, wanted.values, self._version)
        except OSError as error:
            log.warning("what runs well cannot be kept for the next time: %s", error)

    def _changed(self, before: Wanted, life: Run) -> Wanted:
        """A new configuration: by a swap where only the project is another, else by a new life."""
        try:
            after = self._read(settings.ours(self.wire.configuration()))
        except CANNOT_START as error:
            self._refuse(error)
            return before
        self.wire.refused = None
        if after.values == before.values:
            return before
        if bare(after.config) == bare(before.config):
            return self._swapped(before, after, life)
        faults = validate.Trial(after.config, after.project).faults()
        if faults:
            self._refuse(ConfigInvalid(*faults))
            return before
        self._end(AGAIN)
        return after

    def _swapped(self, before: Wanted, after: Wanted, life: Run) -> Wanted:
        outcome = life.swap.request({"project": str(after.project.folder)}, local=True).result()
        if outcome["outcome"] == "done":
            self._last_good = after.values
            return after
        self._refuse(EdgeError(f"project: {outcome.get('cause')}: {outcome.get('error')}"))
        return before

    def _judged(self, configuration: Any) -> str | None:
        """Why a configuration that is about to be deployed would not run; None where it would."""
        try:
            wanted = self._read(settings.ours(configuration))
        except CANNOT_START as error:
            return str(error)
        faults = validate.Trial(wanted.config, wanted.project).faults()
        return "\n".join(map(str, faults)) or None


def bare(config: Config) -> dict[str, Any]:
    """A configuration without what a swap changes."""
    return config.model_dump(exclude={"project"})


def begin(folder: Path, environ: Mapping[str, str], work: Path, patience: float | None = None) -> int:
    """The component's process, from start to exit code. patience: seconds without the nucleus before it asks for a new
    start; None: the usual. Raises ConfigInvalid where no nucleus started it."""
    wire = Wire.of_environment(environ, patience)
    with contextlib.closing(wire):
        return Component(wire, folder, work, environ, version_of(folder)).run()


def version_of(folder: Path) -> str:
    """The component's version: the nucleus unpacks an artifact below a folder of that name."""
    for part in folder.resolve().parents:
        if part.name.count(".") == 2 and part.name.replace(".", "").isdigit():
            return part.name
    return "unknown"
