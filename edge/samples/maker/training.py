"""Teaching the networks (PyTorch, on the maker's machine only): one loop for all; `losses.py` has what each is told."""

import copy
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

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


def taught(network: nn.Module, pictures: NDArray[np.uint8], loss: Loss, plan: Plan) -> nn.Module:
    """The network after `plan`, its weights averaged over the last steps.

    `pictures` are (n, h, w, 3) BGR; `loss` gets the network, the prepared batch, which pictures they are, and which
    of them are mirrored.
    """
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    network.train().to(memory_format=torch.channels_last)
    mean_network = copy.deepcopy(network)
    ladder = {scale: shrunk(pictures, scale) for _, scale in plan.ladder}
    steps = plan.epochs * (len(pictures) // plan.batch)
    optimizer = torch.optim.AdamW(_groups(network), lr=plan.rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.rate, total_steps=steps + 1, pct_start=0.15
    )
    started, total = time.perf_counter(), 0.0
    for step in range(steps):
        picked = _batch(rng, step, len(pictures), plan)
        batch, mirrored = augmented(rng, ladder[_scale(plan, step / steps)][picked])
        value = loss(network, batch, picked, mirrored)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        _follow(mean_network, network, min(0.998, step / (step + 10)))
        total += float(value.detach())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            _progress(step + 1, steps, total / (step % 100 + 1), time.perf_counter() - started)
            total = 0.0
    return mean_network.eval().to(memory_format=torch.contiguous_format)


def _groups(network: nn.Module) -> list[dict[str, object]]:
    """Weights decay; biases and the normalisations' own numbers do not."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]


def _batch(rng: np.random.Generator, step: int, count: int, plan: Plan) -> NDArray[np.int64]:
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


def _progress(step: int, steps: int, loss: float, seconds: float) -> None:
    left = seconds / step * (steps - step)
    end = "\r" if sys.stderr.isatty() and step < steps else "\n"
    sys.stderr.write(f"  step {step}/{steps}  loss {loss:.4f}  {left / 60:.1f} min left {end}")
    sys.stderr.flush()


def augmented(rng: np.random.Generator, pictures: NDArray[np.uint8]) -> tuple[Tensor, NDArray[np.bool_]]:
    """Normalised RGB (n, 3, h, w), half of them mirrored, each with its own brightness, contrast and colour."""
    count = len(pictures)
    batch = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
    mirrored = rng.random(count) < 0.5
    which = torch.from_numpy(mirrored)
    batch[which] = batch[which].flip(3)
    gain = torch.from_numpy(rng.uniform(0.9, 1.12, (count, 3, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.uniform(-12, 12, (count, 1, 1, 1)).astype(np.float32))
    return prepared((batch * gain + lift).clamp_(0, 255).flip(1)), mirrored


def prepared(rgb: Tensor) -> Tensor:
    """(n, 3, h, w) of 0..255 to what the network takes."""
    mean, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, SCALE))
    return ((rgb - mean) / scale).contiguous(memory_format=torch.channels_last)
