"""Teaching the networks (PyTorch, on the maker's machine only): one loop for all; `losses.py` has what each is told."""

import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from answers import MEAN, SCALE
from numpy.typing import NDArray
from torch import Tensor, nn


class Plan(NamedTuple):
    """How long and how hard: passes over all pictures, pictures a step, the greatest step, the seed.

    `ladder`: up to which share of the steps the pictures are how small. Small ones teach most of it, much faster.
    """

    epochs: int
    batch: int
    rate: float
    seed: int
    ladder: tuple[tuple[float, float], ...] = ((1.0, 1.0),)


Loss = Callable[[nn.Module, Tensor, NDArray[np.int64], NDArray[np.bool_]], Tensor]


class Course:
    """A network being taught: all that a step changes, kept in a file so that a broken run goes on where it was."""

    def __init__(self, network: nn.Module, plan: Plan, steps: int, file: Path) -> None:
        torch.set_num_threads(1)  # more would add in another order, and the maker's machine has other work
        torch.manual_seed(plan.seed)
        self.plan, self.steps, self.step, self._file = plan, steps, 0, file
        self.rng = np.random.default_rng(plan.seed)
        self.network = network.train().to(memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.network)
        self._optimizer = torch.optim.AdamW(_groups(network), lr=plan.rate, fused=True)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, plan.rate, total_steps=steps + 1, pct_start=0.15
        )
        self._parts = (self.network, self.mean, self._optimizer, self._schedule)
        if file.exists():
            self._go_on(torch.load(file, weights_only=False))

    def learn(self, loss: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimizer.step()
        self._schedule.step()
        _follow(self.mean, self.network, min(0.998, self.step / (self.step + 10)))
        self.step += 1
        if self.step % 250 == 0:
            self._keep()

    def _keep(self) -> None:
        states = [part.state_dict() for part in self._parts]
        chances = (self.rng.bit_generator.state, torch.get_rng_state())
        fresh = self._file.with_suffix(".new")
        torch.save({"step": self.step, "states": states, "chances": chances}, fresh)
        fresh.replace(self._file)

    def _go_on(self, kept: dict[str, Any]) -> None:
        self.step = kept["step"]
        for part, state in zip(self._parts, kept["states"], strict=True):
            part.load_state_dict(state)
        self.rng.bit_generator.state = kept["chances"][0]
        torch.set_rng_state(kept["chances"][1])


def taught(network: nn.Module, pictures: NDArray[np.uint8], loss: Loss, plan: Plan, file: Path) -> None:
    """Teach the network by `plan` and write its weights, averaged over the last steps, to `file`.

    `pictures` are (n, h, w, 3) BGR; `loss` gets the network, the prepared batch, which pictures they are, and which
    of them are mirrored. What is needed to go on after a break stands beside `file` until the end.
    """
    ladder = {scale: shrunk(pictures, scale) for _, scale in plan.ladder}
    part = file.with_suffix(".part")
    course = Course(network, plan, plan.epochs * (len(pictures) // plan.batch), part)
    watch = Watch(course.steps, course.step)
    while course.step < course.steps:
        picked = _batch(course.step, len(pictures), plan)
        batch, mirrored = augmented(course.rng, ladder[_scale(plan, course.step / course.steps)][picked])
        value = loss(course.network, batch, picked, mirrored)
        course.learn(value)
        watch.saw(float(value.detach()))
    torch.save(course.mean.eval().to(memory_format=torch.contiguous_format).state_dict(), file)
    part.unlink(missing_ok=True)


class Watch:
    """Says every hundred steps how far it is, with the mean loss and the time left."""

    def __init__(self, steps: int, step: int) -> None:
        self._steps, self._first, self._step = steps, step, step
        self._started = time.perf_counter()
        self._losses: list[float] = []

    def saw(self, loss: float) -> None:
        self._step += 1
        self._losses.append(loss)
        if self._step % 100 == 0 or self._step == self._steps:
            each = (time.perf_counter() - self._started) / (self._step - self._first)
            end = "\r" if sys.stderr.isatty() and self._step < self._steps else "\n"
            left = each * (self._steps - self._step) / 60
            mean = sum(self._losses) / len(self._losses)
            sys.stderr.write(f"  step {self._step}/{self._steps}  loss {mean:.4f}  {left:.1f} min left {end}")
            sys.stderr.flush()
            self._losses.clear()


def _groups(network: nn.Module) -> list[dict[str, object]]:
    """Weights decay; biases and the normalisations' own numbers do not."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]


def _batch(step: int, count: int, plan: Plan) -> NDArray[np.int64]:
    """The pictures of a step: every epoch has its own order, told by the seed and the epoch alone."""
    per_epoch = count // plan.batch
    order = np.random.default_rng([plan.seed, step // per_epoch]).permutation(count)
    at = step % per_epoch * plan.batch
    return np.sort(order[at : at + plan.batch])


def _scale(plan: Plan, done: float) -> float:
    return next(scale for until, scale in plan.ladder if done < until)


def shrunk(pictures: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """All pictures, smaller by `scale`."""
    if scale == 1:
        return pictures
    size = (round(pictures.shape[2] * scale), round(pictures.shape[1] * scale))
    return np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures])


@torch.no_grad()
def _follow(mean_network: nn.Module, network: nn.Module, keep: float) -> None:
    for kept, now in zip(mean_network.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(now, 1 - keep)
        else:
            kept.copy_(now)


def augmented(rng: np.random.Generator, pictures: NDArray[np.uint8]) -> tuple[Tensor, NDArray[np.bool_]]:
    """Normalised RGB (n, 3, h, w), half of them mirrored, each with its own brightness, contrast and colour."""
    count = len(pictures)
    batch = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
    mirrored = rng.random(count) < 0.5
    which = torch.from_numpy(mirrored)
    batch[which] = batch[which].flip(3)
    gain = torch.from_numpy(rng.uniform(0.9, 1.12, (count, 3, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.uniform(-12, 12, (count, 1, 1, 1)).astype(np.float32))
    return prepared((batch * gain * _shade(rng, batch.shape) + lift).clamp_(0, 255).flip(1)), mirrored


def _shade(rng: np.random.Generator, shape: torch.Size) -> Tensor:
    """Light that is not the same everywhere: for each picture a few random values, smooth between them."""
    coarse = torch.from_numpy(rng.uniform(0.75, 1.25, (shape[0], 1, 5, 5)).astype(np.float32))
    return nn.functional.interpolate(coarse, shape[2:], mode="bilinear", align_corners=False)


def prepared(rgb: Tensor) -> Tensor:
    """(n, 3, h, w) of 0..255 to what the network takes."""
    mean, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, SCALE))
    return ((rgb - mean) / scale).contiguous(memory_format=torch.channels_last)
