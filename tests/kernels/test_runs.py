"""Masks as lengths of runs: COCO's form, and back."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from kernels.runs import decode_runs, encode_runs, halve_runs

MASK = np.array([[0, 1, 1], [0, 1, 2]], np.uint8)


def test_a_mask_is_read_column_by_column_from_the_top_left() -> None:
    # Columns: 0 0, 1 1, 1 2.
    assert encode_runs(MASK, (0, 1, 2, 3)) == [[0, 2, 4], [2, 3, 1], [5, 1], [6]]


def test_the_counts_are_those_of_pycocotools() -> None:
    """The example of its documentation: M = [0 0 1 1 1 0 1] has R = [2 3 1 1], [1 1 1 1 1 1 0] has [0 6 1]."""
    assert encode_runs(np.array([[0, 0, 1, 1, 1, 0, 1]], np.uint8), (1,)) == [[2, 3, 1, 1]]
    assert encode_runs(np.array([[1, 1, 1, 1, 1, 1, 0]], np.uint8), (1,)) == [[0, 6, 1]]


@hypothesis.given(st.integers(1, 7), st.integers(1, 7), st.data())
def test_what_is_written_is_what_is_read(height: int, width: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, 3), min_size=height * width, max_size=height * width))
    mask = np.array(values, np.uint8).reshape(height, width)
    for label, counts in enumerate(encode_runs(mask, range(5))):
        assert sum(counts) == mask.size
        assert (decode_runs(counts, mask.shape) == (mask == label)).all()
        half, size = halve_runs(counts, mask.shape)
        assert (decode_runs(half, size) == (mask[::2, ::2] == label)).all()


def test_a_part_of_a_mask_is_taken_as_it_lies() -> None:
    assert encode_runs(MASK[:, 1:], (1,)) == [[0, 3, 1]]


def test_what_is_no_mask_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        encode_runs(np.zeros((0, 3), np.uint8), (1,))
    with pytest.raises(TypeError, match="mask must be uint8, not int64"):
        encode_runs(np.zeros((2, 3), np.int64), (1,))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"add up to 2 x 3 = 6; they add up to 7"):
        decode_runs([3, 4], (2, 3))
    with pytest.raises(ValueError, match="must not be negative"):
        decode_runs([7, -1], (2, 3))
    with pytest.raises(ValueError, match="of one to 67108864 pixels"):
        decode_runs([], (0, 3))
