"""The network of figures and how it is taught (PyTorch, on the maker's machine only)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from figure_moves import LABELS, RISING, SITTING
from networks import convolution, separable, wide
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from training import Course, Plan, Watch, prepared

SHIFTED = 4  # one channel in four looks a frame ahead, one in four a frame back


class Watcher(nn.Module):
    """(n, t, 3, h, w) normalised RGB to logits (n, labels): plain convolutions on each frame, shifts between frames.

    Beside each frame the network gets how it differs from the one before. Some channels of the features are moved by a
    frame before they are mixed (temporal shift, Lin et al. 2019), so that no convolution needs three dimensions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(6, 20, 2), separable(20, 32, 2))
        self.blocks = nn.ModuleList([wide(32), separable(32, 64, 2), wide(64), wide(64), wide(64)])
        self.first, self.second = nn.Conv1d(128, 96, 3, padding=1), nn.Conv1d(96, 96, 3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.labels = nn.Linear(192, len(LABELS))

    def forward(self, clip: Tensor) -> Tensor:
        count, time = clip.shape[0], clip.shape[1]
        moved = torch.cat([clip[:, :1] - clip[:, :1], clip[:, 1:] - clip[:, :-1]], dim=1)
        x = self.stem(torch.cat([clip, moved], dim=2).flatten(0, 1))
        for block in self.blocks:
            x = block(shifted(x, count, time))
        pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)
        x = torch.relu(self.first(pooled.reshape(count, time, 128).transpose(1, 2)))
        x = torch.relu(self.second(x))
        logits: Tensor = self.labels(self.drop(torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)))
        return logits


def shifted(x: Tensor, count: int, time: int) -> Tensor:
    """(n * t, c, h, w): one part of the channels from the frame before, one from the frame after, the rest as it is."""
    part = x.shape[1] // SHIFTED
    x = x.reshape(count, time, *x.shape[1:])
    back, ahead, here = x[:, :, :part], x[:, :, part : 2 * part], x[:, :, 2 * part :]
    edge = torch.zeros_like(back[:, :1])
    back = torch.cat([edge, back[:, :-1]], dim=1)
    ahead = torch.cat([ahead[:, 1:], edge], dim=1)
    return torch.cat([back, ahead, here], dim=2).flatten(0, 1)


def taught(
    network: nn.Module, clips: NDArray[np.uint8], labels: NDArray[np.int64], plan: Plan, file: Path
) -> None:
    """Teach the network by `plan` with `clips` (n, t, h, w, 3) BGR and write its averaged weights to `file`."""
    part = file.with_suffix(".part")
    per_epoch = len(clips) // plan.batch
    course = Course(network, plan, plan.epochs * per_epoch, part)
    watch = Watch(course.steps, course.step)
    while course.step < course.steps:
        order = np.random.default_rng([plan.seed, course.step // per_epoch]).permutation(len(clips))
        at = course.step % per_epoch * plan.batch
        picked = np.sort(order[at : at + plan.batch])
        batch, wanted = varied(course.rng, clips[picked], labels[picked])
        value = functional.cross_entropy(course.network(batch), wanted, label_smoothing=0.05)
        course.learn(value)
        watch.saw(float(value.detach()))
    torch.save(course.mean.eval().to(memory_format=torch.contiguous_format).state_dict(), file)
    part.unlink(missing_ok=True)


def varied(
    rng: np.random.Generator, clips: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Normalised RGB (n, t, 3, h, w) and labels: mirrored, each in other colours, some run backwards."""
    batch = torch.from_numpy(clips).permute(0, 1, 4, 2, 3).float()
    wanted = torch.from_numpy(labels.copy())
    mirrored = torch.from_numpy(rng.random(len(clips)) < 0.5)
    batch[mirrored] = batch[mirrored].flip(4)
    backwards = torch.from_numpy(rng.random(len(clips)) < 0.3)
    batch[backwards] = batch[backwards].flip(1)
    sits, rises = backwards & (wanted == SITTING), backwards & (wanted == RISING)
    wanted[sits], wanted[rises] = RISING, SITTING
    gain = torch.from_numpy(rng.uniform(0.8, 1.25, (len(clips), 1, 3, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.uniform(-20, 20, (len(clips), 1, 1, 1, 1)).astype(np.float32))
    seen = (batch * gain + lift).clamp_(0, 255).flip(2)
    return prepared(seen.flatten(0, 1)).reshape(seen.shape), wanted


def answering(network: nn.Module) -> Callable[[NDArray[np.uint8]], int]:
    """What a network that was taught on single frames says to the middle frame of a window (t, h, w, 3) BGR."""
    network.eval()

    @torch.no_grad()
    def answer(window: NDArray[np.uint8]) -> int:
        middle = window[len(window) // 2, :, :, ::-1].transpose(2, 0, 1)
        frame = prepared(torch.from_numpy(middle.astype(np.float32))[None])
        return int(network(frame[:, None]).argmax())

    return answer
