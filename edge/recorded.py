"""What a recording keeps of a frame beside its picture: digests of tensors, the result by columns, the message."""

import base64
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.results import Result

SMALL = 4096  # bytes: arrays up to here are kept themselves, so that differences can be measured
NOT_COLUMNS = ("timings", "placement")
Told = dict[str, Any]


def array(values: NDArray[Any]) -> Told:
    """An array as plain JSON: dtype, shape, digest of both and the content, and a small one's content in base64."""
    whole = np.ascontiguousarray(values)
    told: Told = {"dtype": whole.dtype.str, "shape": list(whole.shape)}
    kind = f"{told['dtype']}{told['shape']}".encode()
    told["digest"] = hashlib.blake2b(whole.data, digest_size=16, key=kind[:64]).hexdigest()
    if whole.nbytes <= SMALL:
        told["values"] = base64.b64encode(whole.tobytes()).decode("ascii")
    return told


def values(told: Mapping[str, Any]) -> NDArray[Any] | None:
    """The content of an array that was told, where it is there and makes sense."""
    try:
        content = base64.b64decode(told["values"], validate=True)
        return np.frombuffer(content, np.dtype(str(told["dtype"]))).reshape(told["shape"])
    except (KeyError, TypeError, ValueError):
        return None


def result(said: Result, labels: Sequence[str]) -> Told:
    """kind: of the result; columns: each array or number of it; rows: those of a message, without masks."""
    rows = [{key: value for key, value in row.items() if key != "mask"} for row in said.rows(labels)]
    return {"kind": type(said).__name__, "columns": dict(columns(said)), "rows": rows}


def columns(said: Result) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(said):
        value = getattr(said, field.name)
        if field.name not in NOT_COLUMNS:
            yield field.name, array(value) if isinstance(value, np.ndarray) else value


def frame(
    *,
    number: int,
    now: float,
    threshold: float | None,
    inputs: Sequence[NDArray[Any]],
    outputs: Sequence[NDArray[Any]],
    said: Result,
    labels: Sequence[str],
    told: bool,
    message: Mapping[str, Any] | None,
) -> Told:
    """What a frame's record holds beside its picture. Inputs are kept as digests alone."""
    return {
        "n": number,
        "now": now,
        "threshold": threshold,
        "inputs": [{key: value for key, value in array(each).items() if key != "values"} for each in inputs],
        "outputs": [array(each) for each in outputs],
        "result": result(said, labels),
        "told": told,
        "message": message,
        "action": None,
    }
