"""What the recipes of all samples share: where things go, and the writing of the small files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """The sample's folder, the one for what is kept between runs, real clips if any, whether a rough run will do."""

    folder: Path
    work: Path
    clips: Path | None
    quick: bool


def texts(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def project(folder: Path, head: str, keys: Mapping[str, str]) -> None:
    """project.yaml: a comment, then one line for each key."""
    lines = [f"# {head}", *(f"{key}: {value}" for key, value in keys.items())]
    (folder / "project.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def labels(folder: Path, names: Sequence[str]) -> None:
    (folder / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


def clips(place: Place) -> list[Path]:
    """The real clips to look at, by name."""
    kinds = (".mp4", ".mkv", ".gif", ".avi")
    return sorted(file for file in place.clips.iterdir() if file.suffix in kinds) if place.clips else []
