"""A project's model made into INT8 by pictures of its owner, and kept only if it still says the same."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from edge import picture_set, project_files
from edge.delivery import Delivery
from edge.errors import AlreadyThere
from edge.progress import Progress
from edge.project import Project
from edge.subject import Subject
from inference import quantize as int8
from inference.agreement import ClassShare
from inference.errors import ModelInvalid, PicturesUnfit
from inference.files import sha256_of
from inference.formats.kinds import files_of
from inference.manifest import Manifest
from inference.quantize import LIMIT, Compared, Verdict
from inference.results import label_name

REPORT = "quantize.json"
SCHEMA = "lensracer.quantize/1"
HELD_OUT = 0.3
LEAST = 20  # pictures in all
MOST = 300  # pictures of each part
MOST_READ = 1000  # pictures that are looked at
IN_ORDER = ("activity",)  # tasks for which pictures tell a story


class Wish(NamedTuple):
    """What is asked. agreement, held_out: 0..1. task: of a model that no project speaks of."""

    pictures: Path
    into: Path
    agreement: float = LIMIT
    held_out: float = HELD_OUT
    seed: int = 0
    task: str | None = None
    force: bool = False


class Outcome(NamedTuple):
    """accepted: whether `folder` was written. report: see docs/models.md."""

    accepted: bool
    folder: Path
    report: dict[str, Any]


def quantize(
    subject: Subject,
    wish: Wish,
    *,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Quantizes, compares, and writes the folder if both models agree; nothing otherwise.

    Raises AlreadyThere, ConfigInvalid, PicturesUnfit, and what inference.quantize does.
    """
    manifest = manifest_of(subject, wish.task)
    delivery = Delivery(wish.into, force=wish.force)
    check_place(delivery.folder, subject)
    told = Told(progress or Progress(), clock)
    try:
        parts = pictures_of(manifest, wish, told)
        with delivery as made:
            return _quantized(subject.project, manifest, wish, parts, made, delivery, told)
    finally:
        told.clear()


def _quantized(
    project: Project | None,
    manifest: Manifest,
    wish: Wish,
    parts: picture_set.Parts,
    made: Path,
    delivery: Delivery,
    told: "Told",
) -> Outcome:
    xml = made / f"{manifest.model.stem}.xml"
    int8.quantize(manifest, picture_set.loads(parts.first), xml, told)
    compared = int8.compare(manifest, xml, picture_set.loads(parts.second), told)
    verdict = int8.judge(compared.agreement, wish.agreement)
    report = report_of(manifest, xml, parts, wish, compared, verdict)
    if verdict.accepted:
        if project is not None:
            project_files.carry(project, made, xml.name)
        (made / REPORT).write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        delivery.finish()
    return Outcome(verdict.accepted, delivery.folder, report)


def manifest_of(subject: Subject, task: str | None) -> Manifest:
    """The project's, or one made of a bare model's own metadata and a task. Raises ConfigInvalid, ModelInvalid."""
    if subject.manifest is not None:
        if task is not None and task != subject.manifest.task:
            raise ModelInvalid(f"the project's task is {subject.manifest.task}; --task {task} contradicts it")
        return subject.manifest
    if task is None:
        raise ModelInvalid(
            f"{subject.path} is a model without a project: say by --task what it does, or name a project"
        )
    return Manifest("quantized", task, subject.path)


def check_place(folder: Path, subject: Subject) -> None:
    """What is read must never be written over, not even with --force."""
    own = [subject.path.parent, *([subject.project.folder] if subject.project is not None else [])]
    if folder.exists() and any(folder.resolve() == place.resolve() for place in own):
        raise AlreadyThere(f"{folder} holds the model itself; choose another folder")


def pictures_of(manifest: Manifest, wish: Wish, told: "Told") -> picture_set.Parts:
    """The pictures to calibrate by and those to compare on. Raises PicturesUnfit."""
    paths = picture_set.found(wish.pictures)
    in_order = manifest.task in IN_ORDER
    looked_at = paths[:MOST_READ] if in_order else picture_set.drawn(paths, MOST_READ, wish.seed)
    different = picture_set.distinct(looked_at, told)
    if len(different) < LEAST:
        raise PicturesUnfit(
            f"{wish.pictures} holds {len(different)} different pictures; at least {LEAST} are needed, better "
            "some hundred such as the camera will see"
        )
    return picture_set.parted(
        looked_at if in_order else different, wish.held_out, seed=wish.seed, most=MOST, in_order=in_order
    )


def report_of(
    manifest: Manifest,
    xml: Path,
    parts: picture_set.Parts,
    wish: Wish,
    compared: Compared,
    verdict: Verdict,
) -> dict[str, Any]:
    agreed = verdict.agreement
    return {
        "schema": SCHEMA,
        "model": manifest.name if manifest.model.stem == "model" else manifest.model.stem,
        "task": manifest.task,
        "accepted": verdict.accepted,
        "limit": verdict.limit,
        "agreement": round(agreed.share, 4),
        "counted": agreed.counted,
        "classes": [class_row(each, compared, verdict) for each in agreed.classes],
        "unseen": list(compared.unseen),
        "pictures": {
            "calibrated": len(parts.first),
            "held_out": len(parts.second),
            "compared": agreed.pictures,
            "seed": wish.seed,
        },
        "sha256": {"original": sha256_of(manifest.model), "int8": sha256_of(xml)},
        "bytes": {"original": size_of(manifest.model), "int8": size_of(xml)},
        "made_by": int8.versions(),
    }


def class_row(share: ClassShare, compared: Compared, verdict: Verdict) -> dict[str, Any]:
    named = label_name(compared.labels, share.label_id) if share.label_id >= 0 else "(nothing)"
    return {
        "label": named,
        "label_id": share.label_id,
        "agreement": round(share.share, 4),
        "original": share.left,
        "int8": share.right,
        "decides": int8.decides(share, compared.agreement.counted),
        "refused": share in verdict.refused,
    }


def size_of(model: Path) -> int:
    return sum(part.stat().st_size for part in files_of(model))


class Told:
    """One line on a terminal: what is done, how many of how many pictures."""

    def __init__(self, progress: Progress, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._clock = clock

    def __call__(self, step: str, done: int, total: int) -> None:
        now = self._clock()
        if self._progress.due(now) or (self._progress.watched and done == total):
            more = ", computing" if step == "calibrating" and done == total else ""
            self._progress.show(f"{step}, {done} of {total} pictures{more}", now)

    def clear(self) -> None:
        self._progress.clear()
