"""Rendered sets of pictures, kept in a folder between runs: drawing twenty thousand takes minutes."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

T = TypeVar("T")


def drawn(
    folder: Path,
    name: str,
    count: int,
    shape: tuple[int, ...],
    draw: Callable[[int], tuple[NDArray[np.uint8], T]],
) -> tuple[NDArray[np.uint8], list[T]]:
    """Pictures (count, *shape) and what `draw` says beside each; taken from `folder` where an earlier run left them."""
    pictures_file, truths_file = folder / f"{name}-{count}.npy", folder / f"{name}-{count}.truth.npy"
    if pictures_file.exists() and truths_file.exists():
        return np.load(pictures_file, mmap_mode="r"), list(np.load(truths_file, allow_pickle=True))
    folder.mkdir(parents=True, exist_ok=True)
    pictures = open_memmap(pictures_file, "w+", np.uint8, (count, *shape))
    truths: list[T] = []
    for index in range(count):
        pictures[index], truth = draw(index)
        truths.append(truth)
        if (index + 1) % 1000 == 0 or index + 1 == count:
            _progress(name, index + 1, count)
    pictures.flush()
    np.save(truths_file, _objects(truths), allow_pickle=True)
    return pictures, truths


def _objects(truths: Sequence[object]) -> NDArray[np.object_]:
    held = np.empty(len(truths), object)
    for index, truth in enumerate(truths):
        held[index] = truth
    return held


def _progress(name: str, done: int, count: int) -> None:
    end = "\r" if sys.stderr.isatty() and done < count else "\n"
    sys.stderr.write(f"  drawing {name}: {done}/{count} {end}")
    sys.stderr.flush()
