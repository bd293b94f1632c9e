"""The masks of a message's rows: made coarser, or left out, to keep within a broker's limit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kernels.runs import halve_runs

HALVINGS = (
    3  # a mask of an eighth of its size in each direction still says where things are; a coarser one does not
)


def coarser(rows: Sequence[Any]) -> Iterator[list[Any]]:
    """The rows with every mask halved, then again, up to HALVINGS times, and at last without masks; nothing where
    there are none. Masks that are none (a hook may write anything) are left out at once.
    """
    for _ in range(HALVINGS if _has_mask(rows) else 0):
        rows = [_halved(row) for row in rows]
        yield list(rows)
    if _has_mask(rows):
        yield without(rows)


def without(rows: Sequence[Any]) -> list[Any]:
    return [_without_mask(row) if _is_masked(row) else row for row in rows]


def _has_mask(rows: Sequence[Any]) -> bool:
    return any(map(_is_masked, rows))


def _is_masked(row: Any) -> bool:
    return isinstance(row, Mapping) and "mask" in row


def _without_mask(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "mask"}


def _halved(row: Any) -> Any:
    if not _is_masked(row):
        return row
    try:
        mask = row["mask"]
        counts, size = halve_runs(mask["counts"], mask["size"])
    except (TypeError, ValueError, KeyError, OverflowError):
        return _without_mask(row)
    return {**row, "mask": {**mask, "size": size, "counts": counts}}
