"""A model of the catalogue, or of any address with a digest, as a folder that is a project where it can be one."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from edge.config.inference import cache_home
from edge.delivery import Delivery
from edge.errors import EdgeError
from edge.progress import Progress
from edge.project import FILE
from inference import private
from inference.catalogue import Entry
from inference.errors import ModelInvalid
from inference.fetch import checked_digest, digest_of, fetch
from inference.fetch_address import Reach
from inference.fetch_partial import human
from inference.files import check_file
from inference.formats.kinds import kind_of

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
LABELS = "labels.txt"
_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")  # which YAML takes for something else
CACHE = Path("lensracer", "pulled")  # below the user's cache folder


class Wanted(NamedTuple):
    """What is pulled. size: its bytes, None if unknown. task: of a bare model, None if it was not said."""

    name: str
    uri: str
    sha256: str
    file: str
    size: int | None = None
    task: str | None = None
    entry: Entry | None = None


class Pulled(NamedTuple):
    """What lies in `folder` now. project: its project.yaml, None where there is none."""

    folder: Path
    project: Path | None
    sha256: str
    size: int


def of_entry(entry: Entry, uri: str | None = None) -> Wanted:
    """A model of the catalogue, from another address where one is given: the digest decides all the same."""
    return Wanted(entry.name, uri or entry.uri, entry.sha256, entry.file, entry.size, entry.task, entry)


def of_address(uri: str, sha256: str, task: str | None) -> Wanted:
    """What lies at an address. Its file's name is the address's last part."""
    last = unquote(urlsplit(uri).path).rpartition("/")[2]
    file = re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".") or "model"
    return Wanted(slug(_stem(file)), uri, sha256, file, task=task)


def pull(
    wanted: Wanted,
    folder: Path,
    *,
    insecure: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.monotonic,
) -> Pulled:
    """Fetches what is wanted into the cache, and lays it into `folder`: all of it or, if anything fails, nothing.

    insecure: http addresses may be asked. force: files of the same names in `folder` are replaced.
    Raises what `inference.fetch.fetch` does, AlreadyThere, ModelInvalid for what is no model, EdgeError.
    """
    delivery = Delivery(folder, force=force)
    reach = Reach(insecure=insecure, file=True, loopback=True)  # who types an address may mean this machine
    told = Told(wanted.name, progress or Progress(), clock)
    try:
        found = fetch(
            wanted.uri,
            wanted.sha256,
            cached(wanted.sha256, environ),
            reach=reach,
            size=wanted.size,
            progress=told,
            clock=clock,
        )
    finally:
        told.clear()
    with delivery as made:
        _lay_out(found, wanted, made)
        delivery.finish()
    project = delivery.folder / FILE
    return Pulled(
        delivery.folder, project if project.is_file() else None, digest_of(found), found.stat().st_size
    )


def cached(sha256: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where a file of this digest is kept: in a folder that is its owner's alone. Raises EdgeError."""
    place = cache_home(environ) / CACHE
    try:
        private.folder(place.parent)  # which others of our kinds share, and which must be private too
        return private.folder(place) / checked_digest(sha256)
    except OSError as error:
        raise EdgeError(f"the cache folder {place} cannot be used: {error}") from None


def slug(text: str) -> str:
    """A name of a-z, digits and hyphens, as projects have."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-") or "model"


class Told:
    """One line on a terminal: how much there is, how much there will be, how quick it comes."""

    def __init__(self, name: str, progress: Progress, clock: Callable[[], float]) -> None:
        self._name = name
        self._progress = progress
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int | None) -> None:
        now = self._clock()
        if self._first is None:
            self._first = now, done
        if self._progress.due(now):
            self._progress.show(self._line(done, total, now), now)

    def clear(self) -> None:
        self._progress.clear()

    def _line(self, done: int, total: int | None, now: float) -> str:
        began, before = self._first or (now, done)
        rate = f"  {human(int((done - before) / (now - began)))}/s" if now > began else ""
        if total is None:
            return f"{self._name}  {human(done)}{rate}"
        return f"{self._name}  {human(done)} of {human(total)}  {100 * done // max(total, 1)} %{rate}"


def _lay_out(found: Path, wanted: Wanted, made: Path) -> None:
    if wanted.file.lower().endswith(ARCHIVES):
        model = _unpacked(found, wanted, made)
    else:
        model = made / wanted.file
        shutil.copyfile(found, model)
        _check_model(model, wanted)
    if wanted.entry is not None:
        (made / LABELS).write_text("\n".join(wanted.entry.labels) + "\n", encoding="utf-8")
    if wanted.task is not None and model is not None:
        text = project_text(wanted, model.relative_to(made).as_posix())
        (made / FILE).write_text(text, encoding="utf-8")


def _unpacked(found: Path, wanted: Wanted, made: Path) -> Path | None:
    """The model that a project is to be written for: the only one of an archive that is no project itself."""
    from inference.formats import archive

    named = made / wanted.file
    shutil.copyfile(found, named)
    inside = made / f".{wanted.sha256[:16]}"
    try:
        archive.unpack(named, inside)
    except ModelInvalid as error:
        raise ModelInvalid(str(error).replace(f"{made}/", "")) from None
    named.unlink()
    top = list(inside.iterdir())
    within = top[0] if len(top) == 1 and (top[0] / FILE).is_file() else inside
    for path in sorted(within.iterdir()):
        path.rename(made / path.name)
    shutil.rmtree(inside, ignore_errors=True)
    if (made / FILE).is_file():
        return None
    models = [path for path in sorted(made.rglob("*")) if path.is_file() and _is_model(path)]
    return models[0] if len(models) == 1 else None


def _is_model(path: Path) -> bool:
    try:
        return bool(kind_of(path))
    except ModelInvalid:
        return False


def _check_model(model: Path, wanted: Wanted) -> None:
    try:
        check_file(model)
    except (ModelInvalid, FileNotFoundError) as error:
        told = str(error).replace(f"{model.parent}/", "")
        raise ModelInvalid(f"what {wanted.name} is does not do: {told}") from None


def project_text(wanted: Wanted, model: str) -> str:
    """The project.yaml of a model, a path in its folder. JSON, in which values are written, is YAML too."""
    entry = wanted.entry
    rows: dict[str, Any] = {"name": wanted.name, "task": wanted.task, "model": model}
    head = f"# SHA-256 {wanted.sha256}\n"
    if entry is not None:
        head = f"# {entry.title}\n# {entry.origin}; licence {entry.licence}\n{head}"
        rows |= {"labels": LABELS, "input": entry.input, "output": entry.output, "publish": {"every": 1}}
    lines = [f"{key}: {_yaml(value)}" for key, value in rows.items() if value]
    return head + "\n".join(lines) + "\n"


def _yaml(value: Any) -> str:
    plain = isinstance(value, str) and re.fullmatch("[a-z][a-z0-9_.-]*", value) and value not in _WORDS
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def _stem(file: str) -> str:
    ending = next((each for each in ARCHIVES if file.lower().endswith(each)), Path(file).suffix)
    return file[: -len(ending)] if ending else file
