"""A project: a folder with `project.yaml`: what is looked for, with which model, and what is told of it."""

import dataclasses
import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge import durations, yamlfile
from edge.errors import ConfigInvalid, Fault, ProjectMissing
from edge.faults import fault_at
from inference.errors import InferenceError, ManifestInvalid
from inference.manifest import Manifest, mistakes

FILE = "project.yaml"
ALIKE = ("project.yml", "project.yaml", "projects.yaml", "project.yaml.txt")  # in small letters
SAMPLES = Path(__file__).parent / "samples"
OF_THE_MODEL = ("name", "task", "model", "labels", "input", "output")
OURS = ("publish", "hook", "clip")
HOOK_BUDGET = 0.010  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Publish:
    """Which results become messages.

    every: each n-th of them; None: those that differ from the last one (`on_change`), at least `min_interval`
    seconds apart, and one after `heartbeat` seconds without a difference. hold: a difference counts once so many
    results running have shown it.
    """

    every: int | None = None
    on_change: bool = True
    min_interval: float = 1.0
    heartbeat: float = 60.0
    hold: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """What `project.yaml` says. clip: played where no source is named. lines: of each dotted key, from 1.

    labels_file: the one that `labels` names, if it names one. hook_budget: seconds that the hook may take for a result.
    overrides: what stood in place of the file's values.
    """

    folder: Path
    manifest: Manifest
    publish: Publish
    hook: Path | None
    clip: Path | None
    file: Path
    lines: Mapping[str, int]
    labels_file: Path | None = None
    hook_budget: float = HOOK_BUDGET
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.manifest.name

    def fault(self, message: str, key: str) -> Fault:
        """A Fault of a dotted key, placed in the project's file."""
        return fault_at(self.file, yamlfile.line_of(self.lines, key), key, message)


def find(name_or_path: str | Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of a project: a path, or the name of a bundled or installed one. Raises ProjectMissing."""
    path = Path(name_or_path).expanduser()
    if path.name == FILE and path.is_file():
        path = path.parent
    if (path / FILE).is_file():
        return path.absolute()
    named = installed(environ)
    if str(name_or_path) in named:
        return named[str(name_or_path)]
    raise ProjectMissing(why_missing(str(name_or_path), path, named))


def why_missing(asked: str, path: Path, named: Mapping[str, Path]) -> str:
    if path.is_dir():
        alike = next((file.name for file in sorted(path.iterdir()) if file.name.lower() in ALIKE), None)
        meant = f"; rename {alike} to {FILE}" if alike else ""
        return f"the folder {path} is no project: it has no {FILE}{meant}"
    close = difflib.get_close_matches(asked, named, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    known = f"there are {', '.join(sorted(named))}" if named else "there is none"
    return (
        f"there is no project '{asked}': no such folder, and of bundled and installed projects {known}{meant}"
    )


def installed(environ: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """Bundled and installed projects by name; an installed one goes before a bundled one of the same name."""
    home = Path(environ.get("HOME") or Path.home())
    own = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "lensracer" / "projects"
    return {
        file.parent.name: file.parent for place in (SAMPLES, own) for file in sorted(place.glob(f"*/{FILE}"))
    }


def load(folder: Path, overrides: Mapping[str, Any] | None = None) -> Project:
    """The project of a folder. overrides: dotted keys whose values stand in place of the file's.

    Raises ProjectMissing where there is no project.yaml, ConfigInvalid with a Fault for each mistake in it.
    The model itself is not looked at.
    """
    file = folder / FILE
    if not file.is_file():
        raise ProjectMissing(why_missing(str(folder), folder, {}))
    return Reading(yamlfile.load(file), overrides or {}).project()


class Reading:
    """Makes a Project of one document, collecting what is wrong with it."""

    def __init__(self, document: yamlfile.Document, overrides: Mapping[str, Any]) -> None:
        self._document = document
        self._folder = document.path.parent
        self._overrides = overrides
        self._values = overlaid(document.values, overrides)
        self._faults: list[Fault] = list(self._unknown())

    def project(self) -> Project:
        manifest = self._manifest()
        publish = self._publish()
        labels = self._values.get("labels")
        (hook, hook_budget), clip = self._hook(), self._path("clip", self._values.get("clip"))
        if self._faults or manifest is None:
            raise ConfigInvalid(*sorted(self._faults, key=lambda fault: fault.line or 0))
        return Project(
            folder=self._folder,
            manifest=manifest,
            publish=publish,
            hook=hook,
            clip=clip,
            file=self._document.path,
            lines=self._document.lines,
            labels_file=self._folder / Path(labels).expanduser() if isinstance(labels, str) else None,
            hook_budget=hook_budget,
            overrides=self._overrides,
        )

    def _unknown(self) -> Iterator[Fault]:
        known = (*OF_THE_MODEL, *OURS)
        for key in self._values:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                more = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                yield self._document.fault(key, f"is not a key; {more}")

    def _manifest(self) -> Manifest | None:
        own = {key: value for key, value in self._values.items() if key in OF_THE_MODEL}
        try:
            return Manifest.from_mapping(own, self._folder)
        except ManifestInvalid:
            for mistake in mistakes(own, self._folder):
                self._faults.append(self._document.fault(mistake.key, str(mistake)))
        except InferenceError as error:
            self._faults.append(self._document.fault("", str(error)))
        return None

    def _hook(self) -> tuple[Path | None, float]:
        """File and budget of `hook: hook.py`, or of `hook: {file: hook.py, budget: 20ms}`."""
        value = self._values.get("hook")
        if not isinstance(value, Mapping):
            return self._path("hook", value), HOOK_BUDGET
        for key in value:
            if key not in ("file", "budget"):
                self._wrong(f"hook.{key}", "is not a key; known are file, budget")
        if value.get("file") is None:
            self._wrong("hook.file", "is missing: the name of a Python file, such as hook.py")
        budget = (
            HOOK_BUDGET if value.get("budget") is None else self._duration("hook.budget", value["budget"])
        )
        return self._path("hook.file", value.get("file")), budget or HOOK_BUDGET

    def _path(self, key: str, value: object) -> Path | None:
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong(key, f"expected the path of a file, got {value!r}")
            return None
        path = self._folder / Path(value).expanduser()
        if not path.is_file():
            self._wrong(key, f"names the file {path}, which does not exist")
        return path

    def _publish(self) -> Publish:
        values = self._values.get("publish")
        if values is None:
            return Publish()
        if not isinstance(values, Mapping):
            self._wrong("publish", f"expected keys such as every: 1, or on_change: true, got {values!r}")
            return Publish()
        known = [field.name for field in dataclasses.fields(Publish)]
        for key in values:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                more = f"did you mean publish.{close[0]}?" if close else f"known are {', '.join(known)}"
                self._wrong(f"publish.{key}", f"is not a key; {more}")
        return self._every(values) if values.get("every") is not None else self._on_change(values)

    def _every(self, values: Mapping[str, Any]) -> Publish:
        every = values["every"]
        if not isinstance(every, int) or isinstance(every, bool) or every < 1:
            self._wrong("publish.every", f"expected a whole number from 1, got {every!r}")
        for key in ("on_change", "min_interval", "heartbeat", "hold"):
            if values.get(key) not in (None, False):
                self._wrong(f"publish.{key}", "stands beside publish.every; write one of the two")
        return Publish(every=every, on_change=False)

    def _on_change(self, values: Mapping[str, Any]) -> Publish:
        if values.get("on_change", True) is not True:
            self._wrong(
                "publish.on_change", "expected true; for a message of each result write every: 1 instead"
            )
        default = Publish()
        min_interval = self._seconds(values, "min_interval", default.min_interval)
        heartbeat = self._seconds(values, "heartbeat", default.heartbeat)
        if heartbeat == 0:
            self._wrong("publish.heartbeat", "expected more than 0 seconds")
        hold = default.hold if values.get("hold") is None else values["hold"]
        if not isinstance(hold, int) or isinstance(hold, bool) or hold < 1:
            self._wrong("publish.hold", f"expected a whole number from 1, got {hold!r}")
        return Publish(min_interval=min_interval, heartbeat=heartbeat, hold=hold)

    def _seconds(self, values: Mapping[str, Any], key: str, default: float) -> float:
        if values.get(key) is None:
            return default
        found = self._duration(f"publish.{key}", values[key])
        return default if found is None else found

    def _duration(self, key: str, value: object) -> float | None:
        try:
            return durations.seconds(value)
        except ValueError as error:
            self._wrong(key, str(error))
            return None

    def _wrong(self, key: str, message: str) -> None:
        self._faults.append(self._document.fault(key, message))


def overlaid(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of nested values with some dotted keys replaced."""
    result = dict(values)
    for dotted, value in overrides.items():
        first, _, rest = dotted.partition(".")
        below = result.get(first)
        result[first] = (
            overlaid(below if isinstance(below, Mapping) else {}, {rest: value}) if rest else value
        )
    return result
