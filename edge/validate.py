"""What `edge run` would refuse, found by the very steps with which it starts."""

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from edge import blame, build, hook, outlets
from edge import config as configuration
from edge import project as projects
from edge.config import Config
from edge.config.source import Source
from edge.errors import ConfigInvalid, EdgeError, Fault, ProjectMissing
from edge.project import Project
from edge.writable import can_be_written
from inference.errors import InferenceError
from streams.errors import BadFrame, SourceInvalid, SourceUnavailable, StateBusy, StreamError
from streams.sources import Reader
from streams.topics import Topics

T = TypeVar("T")
COMMAND_LINE = "command line"
RUNTIME = (SourceUnavailable, StateBusy)  # may be otherwise when the run starts


def check(
    project: str | Path | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Any] | None = None,
) -> list[Fault]:
    """Every reason for which `edge run` would not start; empty if it would.

    project: a folder or name; None takes the configuration's. config, environ, overrides: as `edge.config.load`.
    The model is loaded, file sources are opened, the hook is imported; no camera is opened, nothing published.
    """
    faults: list[Fault] = []
    settings = collected(lambda: configuration.load(config, environ, overrides), faults)
    named = project or (settings.project if settings is not None else None)
    if named is None:
        if settings is not None:
            faults.append(
                Fault("is missing: give a folder, or a bundled one such as trash-sorter", "project")
            )
        return faults
    found = collected(lambda: projects.load(projects.find(named)), faults, None if project else settings)
    if settings is not None and found is not None:
        faults += Trial(settings, found).faults()
    return faults


def collected(step: Callable[[], T], faults: list[Fault], settings: Config | None = None) -> T | None:
    """What a step gives; None if it fails, its faults then being added. settings: what named the project."""
    try:
        return step()
    except ConfigInvalid as error:
        faults += error.faults
    except ProjectMissing as error:
        named_here = settings.fault(str(error), "project") if settings is not None else None
        faults.append(named_here or Fault(str(error), "project", COMMAND_LINE))
    return None


class Trial:
    """Builds what a run is built of, part by part, and lets go of it again."""

    def __init__(self, config: Config, project: Project) -> None:
        self._config = config
        self._project = project

    def faults(self) -> list[Fault]:
        found: list[Fault] = []
        for step in (
            self._sources,
            self._hook,
            self._model,
            self._transport,
            self._outlets,
            self._topics,
            self._state,
        ):
            found += self._tried(step)
        return list(dict.fromkeys(found))

    def _tried(self, step: Callable[[], None]) -> list[Fault]:
        try:
            step()
        except RUNTIME:
            return []
        except ConfigInvalid as error:
            return list(error.faults)
        except (EdgeError, InferenceError, StreamError) as error:
            return [blame.fault_of(error, self._config, self._project) or Fault(str(error))]
        return []

    def _sources(self) -> None:
        faults: list[Fault] = []
        for name, source in build.sources_of(self._config, self._project).items():
            faults += self._tried(lambda name=name, source=source: self._source(name, source))  # type: ignore[misc]
        if faults:
            raise ConfigInvalid(*faults)

    def _source(self, name: str, source: Source) -> None:
        try:
            reader = build.reader_of(self._config, name, source, time.monotonic)
            if not reader.live and "://" not in source.uri:
                check_pictures(reader)
        except RUNTIME:
            raise
        except StreamError as error:
            raise ConfigInvalid(blame.at_source(str(error), name, self._config, self._project)) from error

    def _hook(self) -> None:
        if self._project.hook is not None:
            hook.load(self._project.hook).close()

    def _model(self) -> None:
        build.model_of(self._config, self._project).close()

    def _transport(self) -> None:
        transport = build.transport_of(self._config)
        if self._config.streams.device.enabled:
            build.check_carries_pictures(self._config, transport)

    def _outlets(self) -> None:
        names = list(build.sources_of(self._config, self._project))
        outlets.outlets(self._config, names, time.monotonic)
        for name in names:
            outlets.curtain_of(self._config, name, names)

    def _topics(self) -> None:
        topics = Topics(self._config.thing)
        for name in build.sources_of(self._config, self._project):
            try:
                topics.infer(name)
                topics.frame(name)
            except StreamError as error:
                raise ConfigInvalid(self._config.fault(str(error), "sources", name)) from error

    def _state(self) -> None:
        folder = self._config.spool.folder(self._config.thing)
        if not can_be_written(folder):
            raise ConfigInvalid(self._config.fault(f"the folder {folder} cannot be written", "spool", "path"))


def check_pictures(reader: Reader) -> None:
    """Open a file or folder and read its first picture. Raises SourceInvalid where there is none."""
    try:
        reader.open()
        with contextlib.suppress(BadFrame):  # the next one may be good
            if reader.read() is None:
                raise SourceInvalid(f"{reader.describe()} holds no picture")
    finally:
        reader.close()
