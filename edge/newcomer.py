"""Where another project comes from: an installed one, or a signed bundle that is fetched; and why one is refused."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from edge import bundle, signing
from edge import project as projects
from edge.bundle import BundleRefused, Ledger, Statement
from edge.config import Config
from edge.errors import ConfigInvalid, EdgeError, ProjectMissing
from edge.project import Project
from inference.errors import (
    AddressRefused,
    DigestWrong,
    ExtraMissing,
    FetchFailed,
    InferenceError,
    ModelInvalid,
    ModelMismatch,
    NotAccepted,
)

log = logging.getLogger(__name__)

Fetch = Callable[[str, str, Path], Path]
FOLDER = "bundles"  # in the state folder of the thing
LEDGER = "taken.json"
INSIDE = "project"
OF_A_BUNDLE = frozenset({"uri", "sha256", "signature"})
MOST_QUOTED = 120  # characters of a request in a sentence
VET_BYTES, VET_SECONDS = 4 << 30, 60.0


class Refusal(Exception):
    """Why a project is not taken: `cause` in a word, the sentence as its text. Never leaves the swap."""

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause


def cause_of(error: Exception) -> str | None:
    """The cause of an error of ours, in a word; None for a surprise."""
    match error:
        case BundleRefused() | NotAccepted():
            return error.cause
        case ProjectMissing():
            return "missing"
        case ConfigInvalid() | EdgeError():
            return "project"
        case AddressRefused():
            return "address"
        case DigestWrong():
            return "digest"
        case FetchFailed() | ExtraMissing():
            return "fetch"
        case ModelMismatch():
            return "labels" if error.key == "labels" else "shape"
        case InferenceError():
            return "model"
        case OSError():
            return "storage"
    return None


class Supply:
    """Finds the project that a request names. fetch: brings the file of an address and a digest to a path.

    Raises errors that `cause_of` knows.
    """

    def __init__(self, config: Config, fetch: Fetch | None = None) -> None:
        self._config = config
        self._folder = config.spool.folder(config.thing) / FOLDER
        self._ledger = Ledger(self._folder / LEDGER)
        self._fetch = fetch or fetched
        self._signed: dict[Path, Statement] = {}  # by the folder of the unpacked project
        self._swept = False

    def project(self, wanted: Mapping[str, Any], overrides: Mapping[str, Any], *, local: bool) -> Project:
        """The project, loaded; its model is not looked at. local: any folder of this machine may be named."""
        if set(wanted) == {"project"} and isinstance(wanted["project"], str):
            return projects.load(self._named(wanted["project"], local=local), overrides)
        if set(wanted) == OF_A_BUNDLE and all(isinstance(wanted[key], str) for key in ("uri", "sha256")):
            return self._bundled(wanted, overrides)
        raise Refusal(
            "request",
            f"expected {{project}} or {{uri, sha256, signature}}, got {_shortened(sorted(map(str, wanted)))}",
        )

    def _named(self, name: str, *, local: bool) -> Path:
        if local:
            return projects.find(name)
        known = projects.installed()
        if name not in known:
            there = ", ".join(sorted(known))
            raise ProjectMissing(
                f"no project named {_shortened(name)} is installed, and from outside none else is taken: {there}"
            )
        return known[name]

    def _bundled(self, wanted: Mapping[str, Any], overrides: Mapping[str, Any]) -> Project:
        """Who signed it is asked before a byte is fetched, and before any of it is looked at."""
        statement = bundle.verified(wanted["signature"], self._keys())
        if wanted["sha256"].strip().lower() != statement.sha256:
            raise Refusal("digest", f"sha256 is {wanted['sha256'][:80]}, but {statement.sha256} is signed")
        self._ledger.check(statement)
        self._sweep()
        place = Path(tempfile.mkdtemp(prefix=f"{statement.name}-{statement.version}-", dir=self._folder))
        try:
            found = projects.load(self._unpacked(wanted["uri"], statement, place / INSIDE), overrides)
            if found.name != statement.name:
                raise Refusal("signature", f"{statement.name} is signed, but the bundle holds {found.name}")
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        self._signed[found.folder] = statement
        return found

    def _sweep(self) -> None:
        """Before the first bundle of a run: what an earlier run left behind, if it was killed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._swept:
            self._swept = True
            for place in [path for path in self._folder.iterdir() if path.is_dir()]:
                shutil.rmtree(place, ignore_errors=True)

    def _unpacked(self, uri: str, statement: Statement, into: Path) -> Path:
        """The folder with the project. Raises Refusal for an archive that is none, or a harmful one."""
        from inference.formats.archive import unpack

        archive = into.with_name("archive")
        self._fetch(uri, statement.sha256, archive)
        try:
            unpack(archive, into)
        except ModelInvalid as error:
            raise Refusal("archive", str(error)) from error
        archive.unlink()
        return into

    def _keys(self) -> tuple[signing.Key, ...]:
        path = self._config.swap.keys
        return signing.public_keys(path) if path is not None else ()

    def vet(self, project: Project) -> None:
        """Have a child process read the model first, where opening it will not: no reader's crash may be ours."""
        if project.manifest.is_fake or self._config.inference.cache.folder is not None:
            return
        from inference.formats.vetting import vet

        vet(project.manifest.model, memory_bytes=VET_BYTES, seconds=VET_SECONDS, cache=self._folder)

    def note(self, project: Project) -> None:
        """A project has proved itself: from now on no older bundle of its name is taken."""
        statement = self._signed.get(project.folder)
        if statement is not None:
            try:
                self._ledger.note(statement)
            except OSError as error:
                log.error("that %s was taken cannot be noted: %s", statement.name, error)

    def tidy(self, kept: Iterable[Project]) -> None:
        """Remove the unpacked bundles that nobody needs any more."""
        needed = {project.folder for project in kept}
        for place in [place for place in self._signed if place not in needed]:
            del self._signed[place]
            shutil.rmtree(place.parent, ignore_errors=True)


def _shortened(value: object) -> str:
    """What a stranger sent, as it may stand in a log."""
    text = repr(value)
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}…"


def fetched(uri: str, sha256: str, into: Path) -> Path:
    """The file of an https or s3 address; no address of this machine or its neighbours."""
    from inference.fetch import fetch

    return fetch(uri, sha256, into)
