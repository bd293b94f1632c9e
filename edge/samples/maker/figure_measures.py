"""How good figures is: on held-out windows and on its own clip, beside what one frame alone tells."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import answers
import figure_film
import figure_pictures
import numpy as np
import onnxruntime
from answers import MEAN, SCALE
from figure_pictures import LABELS, SIDE, STRIDE, WINDOW
from numpy.typing import NDArray
from trash_figures import frames_of, track


class Watching(NamedTuple):
    """Shares of right answers, 0..1: in all, by label, of the baselines, on the clip; what is called what."""

    windows: int
    top_1: float
    by_label: dict[str, float]
    confused: dict[tuple[str, str], int]  # true label and what was said instead
    alone: float  # the same network taught and asked with one frame
    frozen: float  # this model, shown the middle frame throughout
    clip: float
    clip_windows: int


class Network:
    """A model with one clip in, (1, 16, 3, 64, 64) float32, and one score for each label out."""

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name

    def label(self, window: NDArray[np.uint8]) -> int:
        """The number of the label of frames (16, 64, 64, 3) BGR."""
        normal = (window[..., ::-1].astype(np.float32) - np.float32(MEAN)) / np.float32(SCALE)
        clip = np.ascontiguousarray(normal.transpose(0, 3, 1, 2)[None])
        return int(self._session.run(None, {self._name: clip})[0].argmax())


def watching(folder: Path, count: int, alone: Callable[[NDArray[np.uint8]], int]) -> Watching:
    """The figures on `count` held-out windows; `alone` is the baseline that looks at one frame of them."""
    network = Network(folder / "model.onnx")
    true, said, single, frozen = [], [], [], []
    for index in range(count):
        shown = figure_pictures.window(figure_pictures.HELD_OUT, index)
        true.append(shown.label)
        said.append(network.label(shown.frames))
        single.append(alone(shown.frames))
        frozen.append(network.label(held(shown.frames)))
    truth, answer = np.array(true), np.array(said)
    right = answer == truth
    clip, windows = _clip(folder, network)
    return Watching(
        count,
        float(right.mean()),
        {name: float(right[truth == i].mean()) for i, name in enumerate(LABELS)},
        _confused(truth, answer),
        float((np.array(single) == truth).mean()),
        float((np.array(frozen) == truth).mean()),
        clip,
        windows,
    )


def held(window: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle frame of a window, over and over."""
    return np.repeat(window[len(window) // 2][None], len(window), axis=0)


def _confused(truth: NDArray[np.int64], answer: NDArray[np.int64]) -> dict[tuple[str, str], int]:
    wrong = np.flatnonzero(truth != answer)
    pairs = [(LABELS[truth[i]], LABELS[answer[i]]) for i in wrong]
    return {pair: pairs.count(pair) for pair in sorted(set(pairs), key=lambda pair: -pairs.count(pair))}


def _clip(folder: Path, network: Network) -> tuple[float, int]:
    """The share of right answers at the frames of the clip where one thing fills most of the window before them."""
    labels = [line["label"] for line in track(folder)]
    small = [answers.cropped(picture, (SIDE, SIDE)) for picture in frames_of(folder / "clip.mp4")]
    right = []
    for last in range((WINDOW - 1) * STRIDE, len(labels)):
        wanted = figure_film.asked(labels, last)
        if wanted is not None:
            seen = np.stack(small[last - (WINDOW - 1) * STRIDE : last + 1 : STRIDE])
            right.append(LABELS[network.label(seen)] == wanted)
    return float(np.mean(right)), len(right)
