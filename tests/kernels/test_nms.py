"""Choosing among boxes."""

import cv2
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

from kernels import Candidates, candidates

INF, NAN = np.inf, np.nan


def filled(boxes, scores, labels=None):
    into = candidates(len(boxes))
    into.boxes[:] = boxes
    into.scores[:] = scores
    into.labels[:] = 0 if labels is None else labels
    return into


def crowd(rng, count, classes=5, spread=80.0):
    corner = rng.uniform(0, spread, (count, 2))
    boxes = np.hstack([corner, corner + rng.uniform(5, 40, (count, 2))])
    return filled(boxes, rng.uniform(0.05, 1, count), rng.integers(0, classes, count))


def plain_greedy(into, count, iou, by_class):
    """The definition, box by box in float64."""
    kept = []
    for i in sorted(range(count), key=lambda i: -into.scores[i]):
        if all(
            overlap(into.boxes[i], into.boxes[j]) <= iou or (by_class and into.labels[i] != into.labels[j])
            for j in kept
        ):
            kept.append(i)
    return kept


def overlap(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    united = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / united if united > 0 else 0.0


@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize("iou", [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("count", [1, 2, 30, 200])
def test_it_keeps_what_the_definition_keeps(kernel, rng, count, iou, by_class):
    into = crowd(rng, count)
    assert kernel.nms(into, count, iou, by_class=by_class).tolist() == plain_greedy(
        into, count, iou, by_class
    )


@pytest.mark.parametrize("iou", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("seed", range(5))
def test_it_keeps_what_opencv_keeps(kernel, seed, iou):
    into = crowd(np.random.default_rng(seed), 400, classes=7, spread=200)
    corners = into.boxes.astype(np.float64)
    sized = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    wanted = cv2.dnn.NMSBoxesBatched(sized, into.scores, into.labels, 0.0, iou)
    assert sorted(kernel.nms(into, 400, iou)) == sorted(np.ravel(wanted))


def test_the_best_score_comes_first(kernel, rng):
    into = crowd(rng, 100)
    scores = into.scores[kernel.nms(into, 100, 0.5)]
    assert (np.diff(scores) <= 0).all()


def test_of_equal_scores_the_earlier_box_wins(kernel):
    into = filled([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], 0.5)
    assert kernel.nms(into, 3, 0.5).tolist() == [0, 2]


def test_an_overlap_of_exactly_the_threshold_stays(kernel):
    into = filled([[0, 0, 2, 1], [1, 0, 3, 1], [0, 0, 2, 1]], [0.9, 0.8, 0.7])
    assert kernel.nms(into, 2, 1 / 3).tolist() == [0, 1]
    assert kernel.nms(into, 3, 1.0).tolist() == [0, 1, 2]


def test_other_classes_overlap_freely_unless_told_otherwise(kernel):
    into = filled([[0, 0, 10, 10]] * 3, [0.5, 0.9, 0.7], [1, 2, 1])
    assert kernel.nms(into, 3, 0.5).tolist() == [1, 2]
    assert kernel.nms(into, 3, 0.5, by_class=False).tolist() == [1]


def test_only_the_first_count_rows_are_looked_at(kernel):
    into = filled([[0, 0, 1, 1], [5, 5, 6, 6], [9, 9, 10, 10]], [0.1, 0.2, 0.9])
    assert kernel.nms(into, 2, 0.5).tolist() == [1, 0]


def test_a_limit_keeps_the_best(kernel, rng):
    into = crowd(rng, 60)
    everything = kernel.nms(into, 60, 0.5)
    for limit in (0, 1, 3, 1000):
        assert kernel.nms(into, 60, 0.5, limit=limit).tolist() == everything[:limit].tolist()


def test_nothing_in_gives_nothing_out(kernel):
    for into in (candidates(0), candidates(4)):
        kept = kernel.nms(into, 0, 0.5)
        assert kept.dtype == np.int32
        assert kept.shape == (0,)


@pytest.mark.parametrize(
    "odd",
    [
        [5, 5, 5, 5],
        [5, 5, 5, 20],
        [20, 20, 5, 5],
        [20, 0, 5, 10],
        [NAN, 0, 10, 10],
        [0, 0, NAN, 10],
        [NAN] * 4,
        [-INF, -INF, INF, INF],
        [INF, 0, INF, 10],
        [0, 0, INF, 10],
        [-3e38, -3e38, 3e38, 3e38],
    ],
)
def test_a_box_without_a_proper_area_suppresses_nothing_and_is_kept(kernel, odd):
    into = filled([odd, [0, 0, 10, 10], odd], [0.9, 0.8, 0.7])
    assert kernel.nms(into, 3, 0.5).tolist() == [0, 1, 2]


def test_a_nan_score_comes_last(kernel):
    into = filled([[9 * i, 0, 9 * i + 5, 5] for i in range(5)], [NAN, -INF, 0.5, NAN, INF])
    assert kernel.nms(into, 5, 0.5).tolist() == [4, 2, 1, 0, 3]


def test_keep_is_filled_and_returned_in_part_and_nothing_beside_it(kernel, rng):
    into, keep = crowd(rng, 40), Guarded((40,), np.int32)
    kept = kernel.nms(into, 40, 0.4, keep=keep.array)
    assert np.shares_memory(kept, keep.array)
    assert kept.tolist() == kernel.nms(into, 40, 0.4).tolist()
    keep.check()


def test_read_only_columns_are_refused_as_those_of_a_decoder_are(kernel):
    into = filled([[0, 0, 1, 1]], [0.5])
    with pytest.raises(ValueError, match=r"into\.scores must be writable"):
        kernel.nms(into._replace(scores=frozen(into.scores)), 1, 0.5)


def test_two_threads_at_once_choose_their_own(kernel, rng):
    crowds = [crowd(rng, 150), crowd(rng, 150)]
    alone = [kernel.nms(each, 150, 0.4).tolist() for each in crowds]

    def work(thread):
        assert kernel.nms(crowds[thread], 150, 0.4).tolist() == alone[thread]

    at_once(work)


SPACE = candidates(4, landmarks=True)


@pytest.mark.parametrize(
    ("into", "count", "iou", "more", "error", "sentence"),
    [
        (SPACE, 5, 0.5, {}, ValueError, r"count must lie in 0..4, the capacity of into, it is 5"),
        (SPACE, -1, 0.5, {}, ValueError, "it is -1"),
        (SPACE, 1, NAN, {}, ValueError, "iou must lie in 0..1, it is nan"),
        (SPACE, 1, 1.5, {}, ValueError, "iou must lie in 0..1, it is 1.5"),
        (SPACE, 1, 0.5, {"limit": -1}, ValueError, "limit must not be negative, it is -1"),
        (SPACE, 3, 0.5, {"keep": np.zeros(2, np.int32)}, ValueError, "room for 3 indices, it has 2"),
        (SPACE, 3, 0.5, {"keep": np.zeros(4, np.int64)}, TypeError, "keep must be int32, not int64"),
        (SPACE, 3, 0.5, {"keep": np.zeros(8, np.int32)[::2]}, ValueError, "keep must be C-contiguous"),
        (SPACE, 3, 0.5, {"keep": frozen(np.zeros(4, np.int32))}, ValueError, "keep must be writable"),
        (
            SPACE._replace(boxes=np.zeros((4, 4))),
            1,
            0.5,
            {},
            TypeError,
            r"into\.boxes must be float32, not float64",
        ),
        (
            SPACE._replace(scores=np.zeros(3, np.float32)),
            1,
            0.5,
            {},
            ValueError,
            r"into\.scores .* \(4,\), not \(3,\)",
        ),
        (SPACE._replace(labels=np.zeros(4, np.int64)), 1, 0.5, {}, TypeError, r"into\.labels must be int32"),
        (
            SPACE._replace(landmarks=np.zeros((4, 10), np.float32)),
            1,
            0.5,
            {},
            ValueError,
            r"\(4, 5, 2\), not \(4, 10\)",
        ),
    ],
)
def test_what_cannot_be_chosen_among_is_refused_with_a_sentence(
    kernel, into, count, iou, more, error, sentence
):
    with pytest.raises(error, match=sentence):
        kernel.nms(into, count, iou, **more)


def test_room_for_less_than_nothing_is_refused():
    with pytest.raises(ValueError, match="capacity must not be negative, it is -1"):
        candidates(-1)


COORDINATE = st.one_of(st.integers(0, 30).map(float), st.floats(width=32, allow_nan=True))


@hypothesis.given(
    st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE), max_size=30),
    st.floats(0, 1),
    st.data(),
)
def test_the_compiled_kernel_equals_its_twin(twins, boxes, iou, data):
    count = len(boxes)
    scores = data.draw(
        st.lists(st.sampled_from([0.1, 0.5, 0.9, NAN, INF, -INF]), min_size=count, max_size=count)
    )
    labels = data.draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    into: Candidates = filled(np.array(boxes, np.float32).reshape(-1, 4), scores, labels)
    by_class = data.draw(st.booleans())
    ours, theirs = (twin.nms(into, count, iou, by_class=by_class) for twin in twins)
    assert ours.tolist() == theirs.tolist()
