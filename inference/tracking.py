"""Which things of a picture were there in the last one, too: ByteTrack's association of every box, weak ones also.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022, arXiv 2110.06864: a
Kalman filter of constant velocity says where each track is expected; boxes of high scores are matched first, weak
ones then continue tracks that nothing else continues, as those of things half hidden are, and never begin one.
"""

import numpy as np
from numpy.typing import NDArray

import kernels
from inference.results import UNTRACKED
from kernels.motion import STATE

# The numbers of the paper (section 4.1), and where it gives none those of its authors' program.
FLOOR = 0.1  # boxes of lower scores are left out
LEAST = 0.2  # overlap of a track and the high box that continues it
LEAST_WEAK = 0.5  # of a track and a weak box
LEAST_SECOND = 0.3  # of a track that has one box so far and its second
ABOVE = 0.1  # a track begins with a box whose score is so much above the threshold
PATIENCE = 30  # pictures that a track outlives without a box
ALIKE = 0.85  # overlap above which a track that is seen and one that is lost are the same
ROOM = 64  # tracks at first; doubled when they are more

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Rows = NDArray[np.intp]


def floor_of(threshold: float) -> float:
    """The score from which boxes are of use to a tracker whose high boxes are those of `threshold` and above."""
    return min(FLOOR, threshold)


class Tracker:
    """The tracks of one source. threshold: the score (0..1) from which a box is a high one.

    Tracks are numbered from 1 in the order in which they are confirmed: at once in the first picture, in later ones
    with the second box in a row. A track keeps its label; boxes of another label do not continue it.
    """

    def __init__(self, threshold: float) -> None:
        self.follow(threshold)
        self._pictures = self._confirmed = self._count = 0
        self._states = np.zeros((ROOM, STATE))
        self._ids = np.zeros(ROOM, np.int32)  # UNTRACKED until confirmed
        self._labels = np.zeros(ROOM, np.int32)
        self._missed = np.zeros(ROOM, np.int32)  # pictures since the last box
        self._lost = np.zeros(ROOM, np.uint8)
        self._born = np.zeros(ROOM, np.int32)

    def follow(self, threshold: float) -> None:
        """From now on a box is a high one from this score on; the tracks stay."""
        self._threshold = threshold
        self._start = min(threshold + ABOVE, (1.0 + threshold) / 2)

    @property
    def alive(self) -> Ints:
        """int32 (m,): the confirmed tracks, those out of sight included, ascending."""
        ids = self._ids[: self._count]
        return np.sort(ids[ids != UNTRACKED])

    def update(self, boxes: Floats, scores: Floats, labels: Ints, aspect: float) -> Ints:
        """The track of each box of the next picture: int32 (n,), 0 for none (yet).

        boxes: float32 (n, 4), x1, y1, x2, y2 in shares of the picture. scores: float32 (n,). labels: int32 (n,).
        aspect: the picture's width / height; lengths are reckoned in heights of the picture.
        """
        self._pictures += 1
        places = boxes * np.array([aspect, 1.0, aspect, 1.0])
        usable = (places[:, 2] > places[:, 0]) & (places[:, 3] > places[:, 1])
        kernels.predict_tracks(self._states[: self._count], self._lost[: self._count])
        track_of = self._matched(places, scores, labels, usable)
        self._follow(places, track_of)
        self._begin(places, scores, labels, usable & (track_of < 0), track_of)
        ids = np.where(track_of >= 0, self._ids[track_of], UNTRACKED).astype(np.int32)
        if given_up := self._twins():
            ids[np.isin(ids, given_up)] = UNTRACKED
        self._bury()
        return ids

    def _matched(
        self, places: NDArray[np.float64], scores: Floats, labels: Ints, usable: NDArray[np.bool_]
    ) -> Rows:
        """The row of the track that each box continues, -1 for none."""
        track_of = np.full(len(places), -1, np.intp)
        if not (self._count and len(places)):
            return track_of
        known = self._ids[: self._count] != UNTRACKED
        high = usable & (scores >= self._threshold)
        free = np.ones(self._count, np.bool_)
        for tracks, found, least in (
            (known, high, LEAST),
            (known & (self._lost[: self._count] == 0), usable & ~high, LEAST_WEAK),
            (~known, high, LEAST_SECOND),
        ):
            rows = np.flatnonzero(tracks & free).astype(np.int32)
            picks = np.flatnonzero(found & (track_of < 0)).astype(np.int32)
            if len(rows) and len(picks):
                out = np.empty(len(rows), np.int32)
                kernels.match_tracks(self._states, rows, places, picks, (self._labels, labels), least, out)
                pairs = out >= 0
                track_of[picks[out[pairs]]] = rows[pairs]
                free[rows[pairs]] = False
        return track_of

    def _follow(self, places: NDArray[np.float64], track_of: Rows) -> None:
        """Move the tracks that were seen to their boxes, and confirm those that were seen a second time."""
        seen = np.flatnonzero(track_of >= 0).astype(np.int32)
        rows = track_of[seen].astype(np.int32)
        kernels.correct_tracks(self._states, rows, places, seen)
        self._missed[: self._count] += 1
        self._lost[: self._count] = 1
        self._missed[rows], self._lost[rows] = 0, 0
        self._confirm(rows[self._ids[rows] == UNTRACKED])

    def _confirm(self, rows: Ints | Rows) -> None:
        self._ids[rows] = self._confirmed + 1 + np.arange(len(rows), dtype=np.int32)
        self._confirmed += len(rows)

    def _begin(
        self,
        places: NDArray[np.float64],
        scores: Floats,
        labels: Ints,
        free: NDArray[np.bool_],
        track_of: Rows,
    ) -> None:
        picks = np.flatnonzero(free & (scores >= self._start)).astype(np.int32)
        if not len(picks):
            return
        rows = np.arange(self._count, self._count + len(picks), dtype=np.int32)
        self._count += len(picks)
        while self._count > len(self._ids):
            self._grow()
        kernels.start_tracks(self._states, rows, places, picks)
        self._ids[rows], self._missed[rows], self._lost[rows] = UNTRACKED, 0, 0
        self._labels[rows], self._born[rows] = labels[picks], self._pictures
        track_of[picks] = rows
        if self._pictures == 1:
            self._confirm(rows)

    def _grow(self) -> None:
        for name in ("_states", "_ids", "_labels", "_missed", "_lost", "_born"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))

    def _twins(self) -> list[int]:
        """Of a track that is seen and one that is lost in the same place the younger is given up; its number."""
        ids, lost = self._ids[: self._count], self._lost[: self._count]
        if not lost.any():
            return []
        seen = np.flatnonzero((ids != UNTRACKED) & (lost == 0)).astype(np.int32)
        away = np.flatnonzero((ids != UNTRACKED) & (lost != 0)).astype(np.int32)
        if not (len(seen) and len(away)):
            return []
        out = np.empty(len(seen), np.int32)
        every = np.arange(len(away), dtype=np.int32)
        labels = (self._labels, self._labels[away])
        kernels.match_tracks(self._states, seen, _boxes(self._states[away]), every, labels, ALIKE, out)
        given_up = []
        for row, other in zip(seen[out >= 0], away[out[out >= 0]], strict=True):
            younger = other if self._born[row] < self._born[other] else row
            given_up.append(int(self._ids[younger]))
            self._missed[younger] = PATIENCE + 1
        return given_up

    def _bury(self) -> None:
        """Give up tracks that had no box for too long, and those whose first box was followed by none."""
        ids, missed = self._ids[: self._count], self._missed[: self._count]
        kept = np.flatnonzero(np.where(ids == UNTRACKED, missed == 0, missed <= PATIENCE))
        if len(kept) == self._count:
            return
        self._count = len(kept)
        for name in ("_states", "_ids", "_labels", "_missed", "_lost", "_born"):
            column = getattr(self, name)
            column[: self._count] = column[kept]


def _boxes(states: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where tracks are: (n, 4) x1, y1, x2, y2."""
    half = 0.5 * np.stack([states[:, 2] * states[:, 3], states[:, 3]], axis=1)
    return np.concatenate([states[:, :2] - half, states[:, :2] + half], axis=1)
