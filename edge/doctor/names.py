"""Clashes of import names: other distributions have packages called `inference`, `control` or `kernels` too."""

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import edge
from edge.doctor.check import Check, Patient

OURS = ("control", "edge", "inference", "kernels", "streams")
NOT_OURS = "packaging"  # a folder of ours has this name, and must never be taken for the library
MEND = "install lensracer into a virtual environment of its own"


def examine(patient: Patient) -> Iterator[Check]:
    root = Path(edge.__file__).resolve().parent.parent
    clashes = [sentence for name in OURS if (sentence := clash(name, origin(name), root))]
    library = origin(NOT_OURS)
    if library is not None and library.is_relative_to(root) and "site-packages" not in library.parts:
        clashes.append(f"{NOT_OURS} is found in {library}, where only data of ours is")
    clashes += rivals(importlib.metadata.packages_distributions())
    if clashes:
        yield Check("import names", "fail", "; ".join(clashes), MEND)
    else:
        yield Check("import names", "ok", f"{', '.join(OURS)} come from {root}")


def origin(name: str) -> Path | None:
    """The file or folder that an import of `name` would take."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    if spec.origin:
        return Path(spec.origin).resolve()
    return next((Path(place).resolve() for place in spec.submodule_search_locations or ()), None)


def clash(name: str, found: Path | None, root: Path) -> str:
    """What is wrong with where a package of ours is found; empty if nothing is."""
    if found is None:
        return f"{name} is not found at all"
    if not found.is_relative_to(root / name):
        return f"{name} is found in {found}, which is another distribution's"
    return ""


def rivals(distributions: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Other distributions that bring a package with one of our names: whichever was installed last wins."""
    for name in OURS:
        for other in sorted(set(distributions.get(name, [])) - {"lensracer"}):
            yield f"{name} is also a package of the installed distribution {other}"
