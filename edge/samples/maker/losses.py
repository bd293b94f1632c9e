"""What the networks are told (PyTorch, on the maker's machine only): the losses of naming and of finding."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from training import Loss

CENTRE = 0.18  # how far from its centre a box is still taught, as a share of its sides


def naming_loss(kinds: NDArray[np.int64], masks: NDArray[np.uint8]) -> Loss:
    """Cross entropy against `kinds` (n,), and at each place against what stands there by `masks` (n, h/8, w/8)."""
    known, shares = torch.from_numpy(kinds), torch.from_numpy(masks).float() / 255

    def loss(
        network: nn.Module, batch: Tensor, picked: NDArray[np.int64], mirrored: NDArray[np.bool_]
    ) -> Tensor:
        of_picture, of_places = network(batch)
        share = functional.adaptive_avg_pool2d(shares[picked], of_places.shape[2:])
        share[mirrored] = share[mirrored].flip(2)
        wanted = known[picked]
        nothing = of_places.shape[1] - 1
        places = torch.where(share > 0.5, wanted[:, None, None], torch.where(share < 0.1, nothing, -100))
        return functional.cross_entropy(of_picture, wanted, label_smoothing=0.05) + functional.cross_entropy(
            of_places, places
        )

    return loss


class Targets(NamedTuple):
    """What a batch's maps should say: heat (n, classes, h, w) 0..1, and for the taught cells their place and sides."""

    heat: Tensor
    cells: tuple[Tensor, Tensor, Tensor]  # picture, row, column
    reach: Tensor  # (cells, 4)
    weight: Tensor  # (cells,)


def finding_loss(boxes: list[NDArray[np.float32]], kinds: list[NDArray[np.int32]], stride: int) -> Loss:
    """Penalty-reduced focal loss on the centres' heat, generalised IoU on the boxes of the cells about them.

    `boxes` are normalised (n, 4) for each picture, `kinds` (n,) say what is in them.
    """

    def loss(
        network: nn.Module, batch: Tensor, picked: NDArray[np.int64], mirrored: NDArray[np.bool_]
    ) -> Tensor:
        logits, reach = network(batch)
        size = np.array([batch.shape[3], batch.shape[2]] * 2, np.float32)
        chosen = [_mirrored(boxes[p], m) * size for p, m in zip(picked, mirrored, strict=True)]
        wanted = targets(chosen, [kinds[p] for p in picked], logits.shape, stride)
        picture, row, column = wanted.cells
        return heat_loss(logits, wanted.heat) + 1.5 * reach_loss(reach[picture, :, row, column], wanted)

    return loss


def _mirrored(boxes: NDArray[np.float32], mirrored: bool) -> NDArray[np.float32]:
    return (
        np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1) if mirrored else boxes
    )


def targets(
    boxes: list[NDArray[np.float32]], labels: list[NDArray[np.int32]], shape: torch.Size, stride: int
) -> Targets:
    """For boxes in input pixels: each has a bell of heat and tells its sides to the cells near its centre."""
    heat = np.zeros(shape, np.float32)
    y, x = (np.mgrid[0 : shape[2], 0 : shape[3]].astype(np.float32) + 0.5) * stride
    rows: list[NDArray[np.float32]] = []
    for picture, (corners, names) in enumerate(zip(boxes, labels, strict=True)):
        for box, label in zip(corners, names, strict=True):
            bell, taught_cells = _bell(box, x, y, stride)
            np.maximum(heat[picture, label], bell, out=heat[picture, label])
            r, c = np.nonzero(taught_cells)
            sides = [x[r, c] - box[0], y[r, c] - box[1], box[2] - x[r, c], box[3] - y[r, c]]
            rows.append(np.stack([np.full(len(r), picture), r, c, *sides, bell[r, c]], axis=1))
    table = torch.from_numpy(np.concatenate(rows or [np.zeros((0, 8))]).astype(np.float32))
    places = table[:, :3].long()
    return Targets(
        torch.from_numpy(heat), (places[:, 0], places[:, 1], places[:, 2]), table[:, 3:7], table[:, 7]
    )


def _bell(
    box: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32], stride: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    centre, sides = (box[:2] + box[2:]) / 2, np.maximum(box[2:] - box[:2], stride)
    cell = (np.floor(centre / stride) + 0.5) * stride  # the centre of the cell that the box's centre lies in
    dx, dy = (x - cell[0]) / sides[0], (y - cell[1]) / sides[1]
    bell = np.exp(-(dx**2 + dy**2) / (2 * 0.11**2))
    inside = (x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])
    taught_cells = inside & (np.abs(dx) < CENTRE) & (np.abs(dy) < CENTRE)
    return bell.astype(np.float32), taught_cells


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """CornerNet's focal loss: full weight at the centres, less the nearer a cell is to one; per true box."""
    p = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = heat > 0.999
    hit = -torch.log(p) * (1 - p) ** 2 * centre
    miss = -torch.log(1 - p) * p**2 * (1 - heat) ** 4 * ~centre
    return (hit.sum() + miss.sum()) / centre.sum().clamp(min=1)


def reach_loss(reach: Tensor, wanted: Targets) -> Tensor:
    """1 - generalised IoU of (cells, 4) distances, weighted by how near the cell is to its box's centre."""
    if not len(reach):
        return reach.sum()
    target = wanted.reach.clamp(min=0.5)
    low, high = torch.minimum(reach, target), torch.maximum(reach, target)
    common = (low[:, 0] + low[:, 2]) * (low[:, 1] + low[:, 3])
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3])
    union = _area(reach) + _area(target) - common
    giou = common / union - (hull - union) / hull
    return ((1 - giou) * wanted.weight).sum() / wanted.weight.sum()


def _area(reach: Tensor) -> Tensor:
    return (reach[:, 0] + reach[:, 2]) * (reach[:, 1] + reach[:, 3])
