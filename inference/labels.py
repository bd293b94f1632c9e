"""Names of classes: from the manifest, else from the model's metadata, else their numbers."""

from collections.abc import Mapping

from inference import metadata as model_metadata
from inference.errors import ModelMismatch
from inference.manifest import Manifest


def given_labels(manifest: Manifest, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The names that somebody gave, maybe none."""
    return manifest.labels or model_metadata.read(metadata).labels


def settled_labels(manifest: Manifest, metadata: Mapping[str, str], classes: int | None) -> tuple[str, ...]:
    """One name a class; empty where nobody gave any and the model's outputs do not tell how many there are.

    classes: how many the outputs have, None where they do not tell.
    Raises ModelMismatch with both numbers where names and outputs disagree.
    """
    given = given_labels(manifest, metadata)
    if not given:
        return tuple(map(str, range(classes or 0)))
    if classes is not None and len(given) != classes:
        origin = "labels names" if manifest.labels else "the model's own metadata names"
        raise ModelMismatch(
            f"{origin} {len(given)} classes, but the outputs of {manifest.model.name} have {classes}",
            "labels",
        )
    return given
