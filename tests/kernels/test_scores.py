"""The best of many scores."""

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

INF, NAN = np.inf, np.nan


def floats(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("k", [1, 2, 5, 64, 1000])
def test_the_best_come_first_with_their_share_of_all(kernel, rng, count, k):
    scores = rng.normal(0, 4, count).astype(np.float32)
    ids, values = kernel.softmax_top_k(scores, k)
    wide = np.exp(scores.astype(np.float64) - scores.max())
    wanted = np.argsort(-scores, kind="stable")[:k]
    assert ids.dtype == np.int32
    assert values.dtype == np.float32
    assert (ids == wanted).all()
    assert np.allclose(values, (wide / wide.sum())[wanted], rtol=1e-5, atol=1e-9)


def test_without_softmax_the_scores_come_as_they_are(kernel, rng):
    scores = rng.normal(0, 4, 50).astype(np.float32)
    ids, values = kernel.softmax_top_k(scores, 7, softmax=False)
    assert (values == scores[ids]).all()


def test_equal_scores_come_by_the_lower_id(kernel):
    ids, _ = kernel.softmax_top_k(floats(1, 3, 3, 2, 3, 1), 6)
    assert ids.tolist() == [1, 2, 4, 3, 0, 5]


def test_very_large_scores_do_not_overflow(kernel):
    _, values = kernel.softmax_top_k(floats(3e38, -3e38, 3e38), 3)
    assert np.allclose(values, [0.5, 0.5, 0])


def test_a_nan_comes_last_and_has_no_probability(kernel):
    ids, values = kernel.softmax_top_k(floats(NAN, 1, -INF, NAN, 2), 5)
    assert ids.tolist() == [4, 1, 2, 0, 3]
    assert np.allclose(values, [0.7310586, 0.2689414, 0, 0, 0])


def test_a_nan_without_softmax_stays_what_it_is(kernel):
    ids, values = kernel.softmax_top_k(floats(NAN, 1), 2, softmax=False)
    assert ids.tolist() == [1, 0]
    assert values[0] == 1
    assert np.isnan(values[1])


@pytest.mark.parametrize("scores", [(NAN,) * 4, (-INF,) * 4, (NAN, -INF, NAN, -INF)])
def test_where_nothing_is_known_every_probability_is_zero(kernel, scores):
    _, values = kernel.softmax_top_k(floats(*scores), 4)
    assert values.tolist() == [0, 0, 0, 0]


def test_infinite_scores_share_the_probability(kernel):
    ids, values = kernel.softmax_top_k(floats(1, INF, NAN, INF), 4)
    assert ids.tolist() == [1, 3, 0, 2]
    assert values.tolist() == [0.5, 0.5, 0, 0]


@pytest.mark.parametrize("softmax", [True, False])
def test_no_scores_give_no_answer(kernel, softmax):
    ids, values = kernel.softmax_top_k(floats(), 5, softmax=softmax)
    assert ids.shape == values.shape == (0,)


def test_ids_and_values_are_filled_and_returned_and_nothing_beside_them(kernel, rng):
    scores = frozen(rng.normal(0, 1, 33).astype(np.float32))
    ids, values = Guarded((5,), np.int32), Guarded((5,), np.float32)
    told = kernel.softmax_top_k(scores, 5, ids=ids.array, values=values.array)
    assert told[0] is ids.array
    assert told[1] is values.array
    ids.check()
    values.check()
    assert (ids.array == kernel.softmax_top_k(scores, 5)[0]).all()


def test_two_threads_at_once_find_their_own(kernel, rng):
    scores = rng.normal(0, 3, (2, 400)).astype(np.float32)
    alone = [kernel.softmax_top_k(each, 9)[0] for each in scores]

    def work(thread):
        assert (kernel.softmax_top_k(scores[thread], 9)[0] == alone[thread]).all()

    at_once(work)


@pytest.mark.parametrize(
    ("scores", "k", "more", "error", "sentence"),
    [
        (floats(1, 2), 0, {}, ValueError, "k must be at least one, it is 0"),
        (np.zeros((2, 2), np.float32), 1, {}, ValueError, r"scores must have the shape \(N,\), not \(2, 2\)"),
        (np.zeros(4), 1, {}, TypeError, "scores must be float32, not float64"),
        ([1.0], 1, {}, TypeError, "scores must be a NumPy array of float32, not list"),
        (np.zeros(8, np.float32)[::2], 1, {}, ValueError, "scores must be C-contiguous"),
        (floats(1, 2), 2, {"ids": np.zeros(2, np.int64)}, TypeError, "ids must be int32, not int64"),
        (
            floats(1, 2),
            5,
            {"ids": np.zeros(5, np.int32)},
            ValueError,
            r"ids must have the shape \(2,\), not \(5,\)",
        ),
        (
            floats(1, 2),
            2,
            {"values": np.zeros(4, np.float32)[::2]},
            ValueError,
            "values must be C-contiguous",
        ),
        (floats(1, 2), 2, {"values": frozen(floats(0, 0))}, ValueError, "values must be writable"),
    ],
)
def test_what_cannot_be_ranked_is_refused_with_a_sentence(kernel, scores, k, more, error, sentence):
    with pytest.raises(error, match=sentence):
        kernel.softmax_top_k(scores, k, **more)


@hypothesis.given(
    hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(width=32, allow_nan=True)),
    st.integers(1, 70),
    st.booleans(),
)
def test_the_compiled_kernel_equals_its_twin(twins, scores, k, softmax):
    ours, theirs = (twin.softmax_top_k(scores, k, softmax=softmax) for twin in twins)
    assert (ours[0] == theirs[0]).all()
    assert np.allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-9, equal_nan=True)
