"""The frames of a recording put through the pipeline again, and what comes out compared with what came out then."""

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge import build
from edge import project as projects
from edge.comparison import Comparison
from edge.config import Config
from edge.config.origin import DEFAULT
from edge.difference import Difference, difference
from edge.errors import ProjectMissing
from edge.lane import Lane
from edge.loop import Loop
from edge.playback import Playback
from edge.progress import Progress
from edge.project import Project
from edge.recorder import identity
from edge.switch import Switch
from edge.tally import Tally
from edge.tap import Tap
from edge.thresholds import is_threshold
from inference.model import Model
from streams.errors import RecordingInvalid
from streams.recording import Recording
from streams.sequence import Sequence as Numbers
from streams.spool import MemorySpool

SCHEMA = "lensracer.replay/1"
ENGINE = ("backend", "device", "requests", "hint", "threads")
ROOM = 16 << 20  # bytes of messages at once: one, in truth
PACES = ("fast", "real-time")
WITH_MEMORY = ("activity",)
Clock = Callable[[], float]


class Asked(NamedTuple):
    """project: a folder or name, None for the recorded one. frames: so many at most. pace: of PACES. ignored: dotted
    fields of messages that are not compared. tolerance: see edge.comparison."""

    path: Path
    project: str | None = None
    frames: int | None = None
    pace: str = "fast"
    ignored: tuple[str, ...] = ()
    tolerance: float | None = None


class Outcome(NamedTuple):
    """same: whether nothing differs. told: the schema `lensracer.replay/1`, see docs/record.md."""

    same: bool
    told: dict[str, Any]
    tally: Tally
    seconds: float


def replay(
    asked: Asked,
    config: Config,
    *,
    ended: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
    clock: Clock = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Outcome:
    """Replay a recording. config: of this machine; where it does not say how a model is run, the recorded way counts.

    Nothing is published, no state of the thing is touched. ended: looked at between frames. clock: monotonic seconds of
    now; frames and messages live in the time of the recording. May be called on any thread, also beside a running loop.
    Raises SourceNotFound and RecordingInvalid for the file, ProjectMissing and ConfigInvalid for the project, and what
    loading a model does.
    """
    with contextlib.ExitStack() as open_parts:
        recording = open_parts.enter_context(Recording(asked.path))
        project = project_of(recording, asked.project)
        config = configured(config, recording.header)
        model = build.model_of(config, project)
        open_parts.callback(model.close)
        set_threshold(model, recording.header)
        tally = Tally()
        comparison = Comparison(
            tuple(identities(recording.header, project, model)), asked.ignored, asked.tolerance
        )
        pace = sleep if asked.pace == "real-time" else None
        playback = Playback(recording, model, comparison, most=asked.frames, sleep=pace)
        state = Path(open_parts.enter_context(tempfile.TemporaryDirectory(prefix="edge-replay-")))
        numbers = Numbers(state)
        open_parts.callback(numbers.close)
        from_start = recording.header.get("from_start") is True
        stage = Stage(config, project, model, playback, numbers, tally, from_start=from_start)
        open_parts.callback(stage.close)
        began = clock()
        stage.run(ended, Told(progress or Progress(), playback, clock))
        seconds = clock() - began
        told = figures(asked, recording, project, model, playback, comparison)
        return Outcome(comparison.same, told, tally, seconds)


class Stage:
    """The loop and what it needs, in the time of the recording and with no way out."""

    def __init__(
        self,
        config: Config,
        project: Project,
        model: Model,
        playback: Playback,
        numbers: Numbers,
        tally: Tally,
        *,
        from_start: bool,
    ) -> None:
        def clock() -> float:
            return playback.now

        def lane(name: str) -> Lane:
            stream = build.project_stream(config, project, name, self._spool, numbers, clock)
            return Lane(subject, stream, None, None, hook, tap=tap)

        hook, tap = build.hook_of(project), Tap()
        self._spool = MemorySpool(ROOM)
        subject = build.subject_of(project, model)
        answering = build.answering(project, model, hook, {name: lane(name) for name in playback.names})
        if not from_start:  # what the policy knew of the time before is not in the recording
            answering = dataclasses.replace(
                answering, policies={name: AsRecorded(playback) for name in playback.names}
            )
        self._answering, self._hook = answering, hook
        switch = Switch(answering, playback.detail, clock)
        self._loop = Loop(playback, switch, tally, clock, frozenset(), tap)
        model.witness = playback.tensors
        tap.listener = playback

    def run(self, ended: Callable[[], bool], after_each: Callable[[], None]) -> None:
        """Put all frames through. Raises RecordingInvalid where the recording turns out to be damaged."""

        def clear() -> None:
            while (entry := self._spool.take()) is not None:
                self._spool.done(entry)
            after_each()

        self._answering.begin()
        try:
            self._loop.run(ended, clear)
        finally:
            self._answering.end()

    def close(self) -> None:
        if self._hook is not None:
            self._hook.close()


class AsRecorded:
    """A policy that has just the messages that the recording has."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback

    def wants(self, key: Hashable, now: float) -> bool:
        return self._playback.published


class Told:
    """How far a replay is, on a terminal."""

    def __init__(self, progress: Progress, playback: Playback, clock: Clock) -> None:
        self._progress, self._playback, self._clock = progress, playback, clock

    def __call__(self) -> None:
        if self._playback.ended:
            self._progress.clear()
        elif self._progress.due(now := self._clock()):
            self._progress.show(f"{self._playback.given} frames replayed", now)


def project_of(recording: Recording, named: str | None) -> Project:
    """The one that is named; else the recorded one: where it was then, or one of its name. Raises RecordingInvalid,
    ProjectMissing, ConfigInvalid."""
    if named is not None:
        return projects.load(projects.find(named))
    told = recording.header.get("project")
    if not isinstance(told, dict) or not isinstance(told.get("name"), str):
        raise RecordingInvalid(f"{recording.path} does not tell its project; name one by --project")
    overrides = told.get("overrides")
    overrides = overrides if isinstance(overrides, dict) else {}
    folder = Path(str(told.get("folder")))
    if (folder / projects.FILE).is_file():
        return projects.load(folder, overrides)
    try:
        return projects.load(projects.find(told["name"]), overrides)
    except ProjectMissing as error:
        raise ProjectMissing(f"{recording.path} was made of {folder}, which is not there: {error}") from None


def configured(config: Config, header: Mapping[str, Any]) -> Config:
    """The thing, the streams and how the model is run as they were recorded, but for what this one says itself."""
    told = header.get("engine")
    told = told if isinstance(told, dict) else {}
    own = {key for key in ENGINE if config.origin(("inference", key)) != DEFAULT}
    recorded_so = {
        key: told[key] for key in ENGINE if key not in own and isinstance(told.get(key), str | int)
    }
    changes: dict[str, Any] = {"thing": str(header.get("thing"))}
    changes["inference"] = config.inference.model_copy(update={**recorded_so, "profile": False})
    rows = header.get("config")
    silent = any(
        row.get("key") == "streams.project.enabled" and row.get("value") is False for row in rows or ()
    )
    project = config.streams.project.model_copy(update={"enabled": not silent})
    changes["streams"] = config.streams.model_copy(update={"project": project})
    return config.model_copy(update=changes)


def set_threshold(model: Model, header: Mapping[str, Any]) -> None:
    """The threshold that somebody had set when the recording began; else the project's own, whatever this machine keeps
    for its next run."""
    told = header.get("engine")
    told = told if isinstance(told, dict) else {}
    then = told.get("threshold")
    was_set = is_threshold(then) and then != told.get("own_threshold", then)
    wanted = then if was_set else model.own_threshold
    if wanted is not None and model.threshold is not None:
        model.set_threshold(wanted)


def identities(header: Mapping[str, Any], project: Project, model: Model) -> Iterator[Difference]:
    """What differs for all frames at once: the project's name and task, the model, where it runs, its threshold."""
    told, engine = header.get("project"), header.get("engine")
    before = {
        "project": told.get("name") if isinstance(told, dict) else None,
        "task": told.get("task") if isinstance(told, dict) else None,
        "model": header.get("model"),
        "threshold": engine.get("threshold") if isinstance(engine, dict) else None,
    }
    after = {
        "project": project.name,
        "task": project.manifest.task,
        "model": model.identity._asdict(),
        "threshold": model.threshold,
    }
    for key in before:
        found = difference(before[key], after[key], key)
        if found is not None:
            yield found


def changed_files(header: Mapping[str, Any], project: Project) -> list[str]:
    """Which of the project's files are not as they were recorded."""
    told = header.get("project")
    before = told.get("files") if isinstance(told, dict) else None
    before = before if isinstance(before, dict) else {}
    after = identity(project)["files"]
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def figures(
    asked: Asked,
    recording: Recording,
    project: Project,
    model: Model,
    playback: Playback,
    comparison: Comparison,
) -> dict[str, Any]:
    header = recording.header
    return {
        "schema": SCHEMA,
        "recording": str(asked.path),
        "recorded_by": header.get("made_by"),
        "project": project.name,
        "model": model.identity._asdict(),
        "changed_files": changed_files(header, project),
        **comparison.figures(),
        "notes": list(notes(recording, playback, project)),
    }


def notes(recording: Recording, playback: Playback, project: Project) -> Iterator[str]:
    """What must be known of the recording to judge the answer."""
    memory = project.manifest.task in WITH_MEMORY or bool(project.manifest.output.track)
    if recording.cut_at is not None:
        yield f"the recording is cut off at byte {recording.cut_at}: whatever came after is missing"
    if playback.holes:
        more = "; tracks and activities need not be the same after one" if memory else ""
        yield f"the recording has {playback.holes} holes, frames that its writer had no room for{more}"
    if playback.covered:
        yield f"{playback.covered} frames have zones covered that the model saw then: what it says may differ for that"
    if recording.header.get("from_start") is not True:
        more = (
            ", nor what the task remembered of frames before: tracks and activities may begin otherwise"
            if memory
            else ""
        )
        yield f"the recording began in mid-run: when messages were due is taken from it{more}"
