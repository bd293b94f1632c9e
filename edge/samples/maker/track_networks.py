"""The network of track-view and what it is told (PyTorch, on the maker's machine only)."""

import numpy as np
import torch
from networks import Added, convolution, linear, separable, wide
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from training import Loss

CLASSES = 3
RARE = (1.0, 1.0, 2.0)  # how much a pixel of each class counts


class Marker(nn.Module):
    """(n, 3, h, w) normalised RGB to logits of classes (n, 3, h, w); h and w divide by eight.

    Down to an eighth and up again, what was finer laid beside on the way; the last step makes four pixels of one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(convolution(3, 24, 2), Added(linear(24, 24)))
        self.second = nn.Sequential(separable(24, 48, 2), wide(48))
        self.third = nn.Sequential(separable(48, 80, 2), *[wide(80) for _ in range(4)])
        self.to_quarter, self.to_half = convolution(80, 48, kernel=1), convolution(48, 24, kernel=1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.at_quarter = nn.Sequential(separable(96, 48, kernel=5), wide(48))
        self.at_half = nn.Sequential(separable(48, 32, kernel=5), convolution(32, 32))
        self.classes = nn.Conv2d(32, 4 * CLASSES, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        half = self.first(x)
        quarter = self.second(half)
        eighth = self.third(quarter)
        quarter = self.at_quarter(torch.cat([quarter, self.up(self.to_quarter(eighth))], dim=1))
        half = self.at_half(torch.cat([half, self.up(self.to_half(quarter))], dim=1))
        logits: Tensor = self.shuffle(self.classes(half))
        return logits


def marking_loss(masks: NDArray[np.uint8]) -> Loss:
    """Cross entropy against `masks` (n, h, w), and how far each class overlaps its truth."""
    known = torch.from_numpy(masks)

    def loss(
        network: nn.Module, batch: Tensor, picked: NDArray[np.int64], mirrored: NDArray[np.bool_]
    ) -> Tensor:
        logits = network(batch)
        mask = known[picked]
        if mask.shape[1:] != logits.shape[2:]:
            mask = functional.interpolate(mask[:, None], logits.shape[2:], mode="nearest-exact")[:, 0]
        mask = mask.long()
        mask[mirrored] = mask[mirrored].flip(2)
        return functional.cross_entropy(logits, mask, torch.tensor(RARE)) + 0.5 * apart(logits, mask)

    return loss


def apart(logits: Tensor, mask: Tensor) -> Tensor:
    """One minus the mean overlap (soft intersection over union) of the classes, over the whole batch."""
    shares = logits.softmax(dim=1)
    truth = functional.one_hot(mask, CLASSES).permute(0, 3, 1, 2).float()
    common = (shares * truth).sum(dim=(0, 2, 3))
    united = (shares + truth).sum(dim=(0, 2, 3)) - common
    return 1 - (common / united.clamp(min=1)).mean()
