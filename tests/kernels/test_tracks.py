"""How tracks move, and which box continues which."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

from kernels.motion import STATE

INTS = np.int32


def ints(*values):
    return np.array(values, INTS)


def boxes(*rows):
    return np.array(rows, np.float64).reshape(-1, 4)


def begun(kernel, *rows):
    states = np.zeros((len(rows), STATE))
    every = np.arange(len(rows), dtype=INTS)
    kernel.start_tracks(states, every, boxes(*rows), every)
    return states


def as_box(state):
    across, down, shape, height = state[:4]
    return [
        across - shape * height / 2,
        down - height / 2,
        across + shape * height / 2,
        down + height / 2,
    ]


class Whole:
    """The filter of DeepSORT and ByteTrack as it is published: eight dimensions, full matrices."""

    MOVE = np.eye(8) + np.eye(8, k=4)
    SEE = np.eye(4, 8)

    def __init__(self, box):
        measured = self.measured(box)
        height = measured[3]
        self.mean = np.concatenate([measured, np.zeros(4)])
        spread = [height / 10, height / 10, 1e-2, height / 10, height / 16, height / 16, 1e-5, height / 16]
        self.covariance = np.diag(np.square(spread))

    @staticmethod
    def measured(box):
        x1, y1, x2, y2 = box
        return np.array([(x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / (y2 - y1), y2 - y1])

    def predict(self):
        height = self.mean[3]
        spread = [height / 20, height / 20, 1e-2, height / 20]
        spread += [height / 160, height / 160, 1e-5, height / 160]
        self.mean = self.MOVE @ self.mean
        self.covariance = self.MOVE @ self.covariance @ self.MOVE.T + np.diag(np.square(spread))

    def correct(self, box):
        height = self.mean[3]
        noise = np.diag(np.square([height / 20, height / 20, 1e-1, height / 20]))
        seen = self.SEE @ self.covariance @ self.SEE.T + noise
        gain = self.covariance @ self.SEE.T @ np.linalg.inv(seen)
        self.mean = self.mean + gain @ (self.measured(box) - self.SEE @ self.mean)
        self.covariance = self.covariance - gain @ seen @ gain.T


def test_the_filter_is_the_published_one_of_eight_dimensions(kernel, rng):
    box = np.array([10.0, 20.0, 40.0, 100.0])
    states, whole = begun(kernel, box), Whole(box)
    for _ in range(40):
        kernel.predict_tracks(states, np.zeros(1, np.uint8))
        whole.predict()
        box = box + rng.normal(0, 2, 4)
        kernel.correct_tracks(states, ints(0), boxes(box), ints(0))
        whole.correct(box)
        np.testing.assert_allclose(states[0, :8], whole.mean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(states[0, 8:12], np.diag(whole.covariance)[:4], rtol=1e-9)
        np.testing.assert_allclose(states[0, 12:16], np.diag(whole.covariance[:4, 4:]), rtol=1e-9)
        np.testing.assert_allclose(states[0, 16:20], np.diag(whole.covariance)[4:], rtol=1e-9)


def test_a_thing_that_moves_steadily_is_expected_where_it_comes(kernel):
    states = begun(kernel, [0, 0, 10, 20])
    for step in range(1, 30):
        kernel.predict_tracks(states, np.zeros(1, np.uint8))
        kernel.correct_tracks(
            states, ints(0), boxes([3 * step, 2 * step, 3 * step + 10, 2 * step + 20]), ints(0)
        )
    kernel.predict_tracks(states, np.zeros(1, np.uint8))
    assert as_box(states[0]) == pytest.approx([90, 60, 100, 80], abs=0.3)


def test_the_height_of_a_lost_track_stays(kernel):
    states = begun(kernel, [0, 0, 10, 20], [0, 0, 10, 20])
    states[:, 7] = 2.0
    kernel.predict_tracks(states, np.array([0, 1], np.uint8))
    assert states[:, 3].tolist() == [22, 20]
    assert states[:, 7].tolist() == [2, 0]


def test_the_unit_of_length_does_not_matter(kernel, rng):
    ways = []
    for unit in (1.0, 1 / 480):
        noise = np.random.default_rng(3)
        box = np.array([10.0, 20.0, 40.0, 100.0])
        states = begun(kernel, box * unit)
        for _ in range(10):
            kernel.predict_tracks(states, np.zeros(1, np.uint8))
            box = box + noise.normal(0, 2, 4)
            kernel.correct_tracks(states, ints(0), boxes(box * unit), ints(0))
        ways.append(np.array(as_box(states[0])) / unit)
    np.testing.assert_allclose(*ways, rtol=1e-9)


def test_only_the_places_named_are_written(kernel):
    guarded = Guarded((5, STATE), np.float64)
    guarded.array[...] = 7.0
    kernel.start_tracks(guarded.array, ints(3, 1), boxes([0, 0, 1, 1], [0, 0, 2, 4]), ints(0, 1))
    assert guarded.array[3, :4].tolist() == [0.5, 0.5, 1, 1]
    assert guarded.array[1, :4].tolist() == [1, 2, 0.5, 4]
    assert (guarded.array[[0, 2, 4]] == 7).all()
    kernel.correct_tracks(guarded.array, ints(1), boxes([0, 0, 2, 4]), ints(0))
    assert (guarded.array[[0, 2, 4]] == 7).all()
    guarded.check()


def matched(kernel, states, found, least=0.2, labels=None, others=None):
    count = len(found)
    labels = np.zeros(len(states), INTS) if labels is None else ints(*labels)
    others = np.zeros(count, INTS) if others is None else ints(*others)
    out = Guarded((len(states),), INTS)
    kernel.match_tracks(
        states,
        np.arange(len(states), dtype=INTS),
        boxes(*found),
        np.arange(count, dtype=INTS),
        (labels, others),
        least,
        out.array,
    )
    out.check()
    return out.array.tolist()


def test_each_track_gets_the_box_that_overlaps_it(kernel):
    states = begun(kernel, [0, 0, 10, 10], [100, 0, 110, 10], [200, 0, 210, 10])
    assert matched(kernel, states, [[101, 0, 111, 10], [1, 1, 11, 11]]) == [1, 0, -1]


def test_the_sum_counts_and_not_who_comes_first(kernel):
    states = begun(kernel, [0, 0, 10, 10], [4, 0, 14, 10])
    # The box at 3 suits the second track best, but is the only one for the first.
    assert matched(kernel, states, [[3, 0, 13, 10], [6, 0, 16, 10]]) == [0, 1]


def test_an_overlap_must_be_above_the_least(kernel):
    states = begun(kernel, [0, 0, 1, 1])
    third = [[0.5, 0, 1.5, 1]]  # an overlap of a third
    assert matched(kernel, states, third, least=0.33) == [0]
    assert matched(kernel, states, third, least=0.34) == [-1]


def test_a_track_never_takes_a_box_of_another_label(kernel):
    states = begun(kernel, [0, 0, 10, 10], [0, 0, 10, 10])
    assert matched(kernel, states, [[0, 0, 10, 10]] * 2, labels=[1, 2], others=[2, 3]) == [-1, 0]


@pytest.mark.parametrize(("tracks", "found"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_matches_nothing(kernel, tracks, found):
    states = begun(kernel, *[[0, 0, 1, 1]] * tracks)
    assert matched(kernel, states, [[0, 0, 1, 1]] * found) == [-1] * tracks


def test_a_box_or_track_that_is_no_number_matches_nothing(kernel):
    states = begun(kernel, [0, 0, 10, 10], [0, 0, 10, 10])
    states[0] = np.nan
    assert matched(kernel, states, [[0, 0, 10, np.nan]]) == [-1, -1]


def best_sum(costs):
    """The least sum over every way to pair rows with columns, by trying them all."""
    rows, columns = costs.shape
    if rows > columns:
        return best_sum(costs.T)
    usable = np.minimum(costs, 0)
    ways = itertools.permutations(range(columns), rows)
    return min((sum(usable[row, column] for row, column in enumerate(way)) for way in ways), default=0.0)


def assigned(kernel, costs):
    out = Guarded((costs.shape[0],), INTS)
    kernel.assign_pairs(costs, out.array)
    out.check()
    columns = [column for column in out.array.tolist() if column >= 0]
    assert len(set(columns)) == len(columns), "no column is used twice"
    return out.array


@pytest.mark.parametrize("rows", range(6))
@pytest.mark.parametrize("columns", range(6))
def test_the_assignment_is_the_best_of_all(kernel, rng, rows, columns):
    for _ in range(20):
        costs = rng.uniform(-1, 0.6, (rows, columns))
        pairs = assigned(kernel, costs)
        reached = sum(costs[row, column] for row, column in enumerate(pairs) if column >= 0)
        assert reached == pytest.approx(best_sum(costs), abs=1e-12)
        assert all(costs[row, column] < 0 for row, column in enumerate(pairs) if column >= 0)


def test_a_large_assignment_is_no_worse_than_any_exchange_of_two(kernel, rng):
    costs = -rng.uniform(0, 1, (120, 150))
    pairs = assigned(kernel, costs)
    assert (pairs >= 0).all()
    own = costs[np.arange(120), pairs]
    exchanged = costs[:, pairs]  # row i with the column of row j
    assert (exchanged + exchanged.T >= own[:, None] + own[None] - 1e-9).all()


COST = st.one_of(st.integers(-4, 2).map(float), st.floats(-1, 1, width=32))


@hypothesis.given(st.integers(0, 6), st.integers(0, 6), st.data())
def test_the_compiled_assignment_equals_its_twin_and_is_the_best(twins, rows, columns, data):
    values = data.draw(st.lists(COST, min_size=rows * columns, max_size=rows * columns))
    costs = np.array(values, np.float64).reshape(rows, columns)
    ours, theirs = (assigned(twin, costs) for twin in twins)
    assert ours.tolist() == theirs.tolist()
    reached = sum(costs[row, column] for row, column in enumerate(ours) if column >= 0)
    assert reached == pytest.approx(best_sum(costs), abs=1e-9)


SIDE = st.floats(1, 60, width=32)
BOX = st.tuples(st.floats(0, 100, width=32), st.floats(0, 100, width=32), SIDE, SIDE).map(
    lambda box: [box[0], box[1], box[0] + box[2], box[1] + box[3]]
)


@hypothesis.given(st.lists(BOX, max_size=8), st.lists(BOX, max_size=8), st.floats(0, 1), st.data())
def test_the_compiled_tracks_equal_their_twins(twins, first, second, least, data):
    labels = data.draw(st.lists(st.integers(0, 1), min_size=len(first), max_size=len(first)))
    others = data.draw(st.lists(st.integers(0, 1), min_size=len(second), max_size=len(second)))
    told = []
    for twin in twins:
        states = begun(twin, *first)
        twin.predict_tracks(states, np.arange(len(first)).astype(np.uint8) % 2)
        pairs = matched(twin, states, second, least, labels, others)
        places = [place for place, pick in enumerate(pairs) if pick >= 0]
        picks = [pick for pick in pairs if pick >= 0]
        twin.correct_tracks(states, ints(*places), boxes(*second), ints(*picks))
        twin.predict_tracks(states, np.zeros(len(first), np.uint8))
        told.append((pairs, states))
    assert told[0][0] == told[1][0]
    np.testing.assert_array_equal(told[0][1], told[1][1])


def test_two_threads_at_once_keep_their_own(kernel, rng):
    costs = [rng.uniform(-1, 0.2, (40, 50)) for _ in range(2)]
    alone = [assigned(kernel, each).tolist() for each in costs]

    def work(thread):
        assert assigned(kernel, costs[thread]).tolist() == alone[thread]

    at_once(work)


STATES, SOME, PICKS = np.zeros((3, STATE)), boxes([0, 0, 1, 1], [0, 0, 2, 2]), ints(0, 1)


@pytest.mark.parametrize("name", ["start_tracks", "correct_tracks"])
@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (
            (STATES[:, :8], PICKS, SOME, PICKS),
            ValueError,
            r"states must have the shape \(N, 20\), not \(3, 8\)",
        ),
        ((STATES.astype(np.float32), PICKS, SOME, PICKS), TypeError, "states must be float64, not float32"),
        ((frozen(STATES), PICKS, SOME, PICKS), ValueError, "states must be writable"),
        ((STATES, ints(0, 3), SOME, PICKS), ValueError, r"places must lie in 0..2, they go from 0 to 3"),
        ((STATES, ints(-1, 0), SOME, PICKS), ValueError, r"places must lie in 0..2"),
        ((STATES, PICKS, SOME, ints(0, 2)), ValueError, r"picks must lie in 0..1"),
        ((STATES, PICKS, SOME, ints(0)), ValueError, r"picks must have the shape \(2\,\), not \(1\,\)"),
        ((STATES, PICKS.astype(np.int64), SOME, PICKS), TypeError, "places must be int32, not int64"),
        ((STATES, PICKS, SOME[:, :3], PICKS), ValueError, r"boxes must have the shape \(M, 4\)"),
        (
            (STATES, PICKS, [[0, 0, 1, 1]], PICKS),
            TypeError,
            "boxes must be a NumPy array of float64, not list",
        ),
    ],
)
def test_what_pairs_no_state_with_a_box_is_refused(kernel, name, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        getattr(kernel, name)(*arguments)


def test_what_cannot_be_moved_matched_or_assigned_is_refused(kernel):
    with pytest.raises(ValueError, match=r"lost must have the shape \(3,\), not \(2,\)"):
        kernel.predict_tracks(STATES.copy(), np.zeros(2, np.uint8))
    with pytest.raises(TypeError, match="lost must be uint8, not bool"):
        kernel.predict_tracks(STATES.copy(), np.zeros(3, np.bool_))
    labels, out = (np.zeros(3, INTS), np.zeros(2, INTS)), np.zeros(2, INTS)
    with pytest.raises(ValueError, match=r"least must lie in 0..1, it is 1.5"):
        kernel.match_tracks(STATES.copy(), PICKS, SOME, PICKS, labels, 1.5, out)
    with pytest.raises(ValueError, match=r"labels\[0\] must have the shape \(3,\), not \(2,\)"):
        kernel.match_tracks(STATES.copy(), PICKS, SOME, PICKS, labels[::-1], 0.2, out)
    with pytest.raises(ValueError, match=r"out must have the shape \(2,\), not \(3,\)"):
        kernel.match_tracks(STATES.copy(), PICKS, SOME, PICKS, labels, 0.2, np.zeros(3, INTS))
    with pytest.raises(ValueError, match="costs must be finite numbers"):
        kernel.assign_pairs(np.array([[0.0, np.nan]]), np.zeros(1, INTS))
    with pytest.raises(ValueError, match=r"out must have the shape \(1,\), not \(2,\)"):
        kernel.assign_pairs(np.zeros((1, 2)), np.zeros(2, INTS))
    with pytest.raises(ValueError, match="out must be writable"):
        kernel.assign_pairs(np.zeros((1, 2)), frozen(np.zeros(1, INTS)))
