"""A model and what a run would make of it, as plain values."""

from typing import Any

from edge.config.inference import Cache
from edge.subject import Subject, subject
from inference import inspection
from inference.anatomy import Anatomy, anatomy
from inference.backends import TensorSpec
from inference.files import sha256_of
from inference.formats.kinds import KINDS, files_of, kind_of
from inference.vetted import size_of


def inspect(named: str) -> dict[str, Any]:
    """What `edge model inspect --json` answers.

    named: a model file, or a project's folder or name. Raises what reading a project or a model raises; that no
    task fits is no error, but `accepted` is false.
    """
    found = subject(named)
    seen = anatomy(found.path)
    fits = inspection.fits(found.path, found.manifest, cache=Cache().folder)
    return {
        **_file(found),
        **_anatomy(seen),
        "settings": [row._asdict() for row in inspection.settings(seen, found.manifest)],
        "tasks": [fit._asdict() for fit in fits],
        "accepted": any(fit.fits for fit in fits),
    }


def _file(found: Subject) -> dict[str, Any]:
    kind, parts = kind_of(found.path), files_of(found.path)
    return {
        "path": str(found.path),
        "project": found.project.name if found.project is not None else None,
        "format": kind,
        "kind": KINDS[kind],
        "files": [part.name for part in parts],
        "bytes": size_of(found.path),
        "sha256": sha256_of(found.path),
    }


def _anatomy(seen: Anatomy) -> dict[str, Any]:
    return {
        "reader": seen.reader,
        "inputs": [_tensor(spec) for spec in seen.inputs],
        "outputs": [_tensor(spec) for spec in seen.outputs],
        "metadata": dict(seen.metadata),
        "precision": seen.precision,
        "weights": dict(seen.weights),
        "operations": dict(seen.operations),
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    shape = [None if size < 0 else size for size in spec.shape]
    return {"name": spec.name, "shape": shape, "type": spec.dtype.name}
