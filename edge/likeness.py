"""How far the results of two runs over the same frames are from one another: labels, boxes, scores, raw numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge import recorded
from inference.agreement import overlaps

Row = Mapping[str, Any]
NOTHING = "(nothing)"
LEAST_OVERLAP = 0.5  # of two boxes of one label that are taken for the same thing
MOST_CHANGES = 20  # kinds that are told
DECIMALS = 9


class Spread:
    """Count, mean and the extreme values of numbers."""

    def __init__(self) -> None:
        self.count = 0
        self.total = self.largest = 0.0
        self.smallest = float("inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.largest, self.smallest = max(self.largest, value), min(self.smallest, value)

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0


class Likeness:
    """Takes in the results of one frame after the other, as `edge.recorded` tells them."""

    def __init__(self) -> None:
        self._frames = self._relabelled = self._missing = self._added = 0
        self._changes: Counter[tuple[str, str]] = Counter()
        self._scores, self._overlap, self._outputs = Spread(), Spread(), Spread()

    def add(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """before, after: what two records tell of one frame."""
        self._frames += 1
        left, right = before["result"]["rows"], after["result"]["rows"]
        if any("box" in row for row in (*left, *right)):
            self._add_boxes(left, right)
        else:
            self._add_classes(left, right)
        for each, other in zip(before["outputs"], after["outputs"], strict=False):
            self._add_output(each, other)

    def _add_classes(self, left: Sequence[Row], right: Sequence[Row]) -> None:
        names = best(left), best(right)
        if names[0] != names[1]:
            self._relabelled += 1
            self._changes[names] += 1
        after = {str(row.get("label")): row for row in right}
        for row in left:
            self._add_scores(row, after.get(str(row.get("label"))))

    def _add_boxes(self, left: Sequence[Row], right: Sequence[Row]) -> None:
        """Each box is matched with the free one that overlaps most of the same label; what is left over differs."""
        free = list(right)
        lost: list[Row] = []
        for row in left:
            shares = [overlap(row, each) if each.get("label") == row.get("label") else 0.0 for each in free]
            best_place = int(np.argmax(shares)) if shares else -1
            if best_place < 0 or shares[best_place] < LEAST_OVERLAP:
                lost.append(row)
                continue
            self._overlap.add(shares[best_place])
            self._add_scores(row, free.pop(best_place))
        self._missing += len(lost)
        self._added += len(free)
        self._name_changes(lost, free)

    def _name_changes(self, lost: Sequence[Row], free: list[Row]) -> None:
        """A box that is lost where one of another label is found has changed its label."""
        changed = False
        for row in lost:
            there = next((each for each in free if overlap(row, each) >= LEAST_OVERLAP), None)
            if there is not None:
                free.remove(there)
            self._changes[str(row.get("label")), str(there.get("label")) if there else NOTHING] += 1
            changed = True
        for row in free:
            self._changes[NOTHING, str(row.get("label"))] += 1
            changed = True
        self._relabelled += changed

    def _add_scores(self, row: Row, other: Row | None) -> None:
        for key in ("score", "area"):
            if other is not None and key in row and key in other:
                self._scores.add(abs(float(row[key]) - float(other[key])))

    def _add_output(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        left, right = recorded.values(before), recorded.values(after)
        if left is None or right is None or left.shape != right.shape or not left.size:
            return
        with np.errstate(invalid="ignore"):
            apart = np.abs(left.astype(np.float64) - right.astype(np.float64))
        self._outputs.add(float(np.nan_to_num(apart, nan=0.0, posinf=np.inf).max()))

    def figures(self) -> dict[str, Any]:
        """labels: frames whose labels changed, and from which to which; boxes: how they overlap, as intersection over
        union; scores: how far they are apart; outputs: likewise the raw numbers, of outputs of 4 KiB at most."""
        changes = [
            {"from": before, "to": after, "count": count}
            for (before, after), count in self._changes.most_common(MOST_CHANGES)
        ]
        overlap_told = (self._overlap.smallest, self._overlap.mean) if self._overlap.count else (None, None)
        return {
            "frames": self._frames,
            "labels": {"changed": self._relabelled, "changes": changes},
            "boxes": {
                "matched": self._overlap.count,
                "missing": self._missing,
                "added": self._added,
                "iou": dict(zip(("least", "mean"), map(rounded, overlap_told), strict=True)),
            },
            "scores": {"largest": rounded(self._scores.largest), "mean": rounded(self._scores.mean)},
            "outputs": {"compared": self._outputs.count, "largest": self._outputs.largest},
        }


def best(rows: Sequence[Row]) -> str:
    return str(rows[0].get("label")) if rows else NOTHING


def overlap(left: Row, right: Row) -> float:
    """Intersection over union of two boxes; 0 where one row has none."""
    boxes = [np.array([row.get("box") or [0, 0, 0, 0]], np.float32) for row in (left, right)]
    return float(overlaps(*boxes)[0, 0])


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
