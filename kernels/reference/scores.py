"""The best of many scores; the twin of kernels/_scores.pyx."""

import numpy as np
from numpy.typing import NDArray

from kernels import checks

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


def softmax_top_k(
    scores: Floats,
    k: int,
    *,
    softmax: bool = True,
    ids: Ints | None = None,
    values: Floats | None = None,
) -> tuple[Ints, Floats]:
    """The k highest of scores (N,) float32, highest first, equal ones by the lower id; k is cut to N.

    With softmax the values are probabilities 0..1 over all N, else the scores as they came. ids (k,) int32
    and values (k,) float32 are written to and returned where given. A NaN is the lowest score of all: it
    comes last, and its probability is 0. Infinite scores share the probability equally; where no score is
    above minus infinity every probability is 0. Raises TypeError for another dtype, ValueError for k below
    one or an array of another shape.
    """
    k = checks.top_k(scores, k)
    ids = checks.room(ids, "ids", checks.INT32, (k,))
    values = checks.room(values, "values", checks.FLOAT32, (k,))
    ids[:] = np.argsort(-scores, kind="stable")[:k]  # NaN sorts last
    values[:] = (_probabilities(scores) if softmax else scores)[ids]
    return ids, values


def _probabilities(scores: Floats) -> Floats:
    """Every exponent is taken relative to the peak, so none overflows."""
    known = np.where(np.isnan(scores), np.float32(-np.inf), scores)
    peak = known.max(initial=-np.inf)
    if peak == -np.inf:
        return np.zeros_like(scores)
    with np.errstate(over="ignore"):  # further below the peak than a float32 reaches is minus infinity
        weights = (known == peak).astype(np.float32) if peak == np.inf else np.exp(known - peak)
    shares: Floats = (weights / weights.sum(dtype=np.float64)).astype(np.float32)
    return shares
