"""The networks (PyTorch, on the maker's machine only): small, of plain and depthwise-separable convolutions."""

import torch
from torch import Tensor, nn


def linear(inputs: int, outputs: int, stride: int = 1, kernel: int = 3, groups: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs))


def convolution(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(linear(inputs, outputs, stride, kernel), nn.ReLU())


def separable(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        linear(inputs, inputs, stride, kernel, groups=inputs), convolution(inputs, outputs, kernel=1)
    )


class Added(nn.Module):
    """What `inner` makes of the features, added to them."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.inner(x))


def wide(channels: int) -> Added:
    """A look about (5 x 5, each channel alone), then two mixings of the channels."""
    look = linear(channels, channels, kernel=5, groups=channels)
    return Added(
        nn.Sequential(look, convolution(channels, channels, kernel=1), linear(channels, channels, kernel=1))
    )


class Trunk(nn.Module):
    """Pictures to features at a stride of 8, 16 and 32."""

    def __init__(self, eighth: int, sixteenth: int, last: int) -> None:
        super().__init__()
        stem = (convolution(3, 16, 2), convolution(16, 32, 2), convolution(32, eighth, 2))
        self.eighth = nn.Sequential(*stem, Added(linear(eighth, eighth)))
        self.sixteenth = nn.Sequential(separable(eighth, sixteenth, 2), *[wide(sixteenth) for _ in range(3)])
        self.last = nn.Sequential(separable(sixteenth, last, 2), wide(last))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        eighth = self.eighth(x)
        sixteenth = self.sixteenth(eighth)
        return eighth, sixteenth, self.last(sixteenth)


class Sorter(nn.Module):
    """(n, 3, h, w) normalised RGB to logits of kinds: (n, kinds) of the picture, (n, kinds + 1, h/16, w/16) of places.

    The last number of a place is for what is no trash; the picture is named by its places, each counting as much as
    it is trash, so that what lies about has little to say.
    """

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.trunk = Trunk(64, 96, 144)
        self.lateral = linear(144, 96, kernel=1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.mix = wide(96)
        self.places = nn.Conv2d(96, kinds + 1, 1)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(96, kinds)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        _, sixteenth, last = self.trunk(x)
        mixed = self.mix(torch.relu(sixteenth + self.up(self.lateral(last))))
        places = self.places(mixed)
        trash = 1.01 - places.softmax(dim=1)[:, -1:]
        pooled = (mixed * trash).sum(dim=(2, 3)) / trash.sum(dim=(2, 3))
        return self.head(self.drop(pooled)), places


class SorterLabels(nn.Module):
    """The sorter as it is exported: (1, labels) logits, each label's from those of its kinds."""

    def __init__(self, sorter: Sorter, labels: int) -> None:
        super().__init__()
        self.sorter, self.labels = sorter, labels

    def forward(self, x: Tensor) -> Tensor:
        kinds = self.sorter(x)[0].reshape(1, self.labels, -1)
        most = kinds.amax(
            dim=2, keepdim=True
        )  # by hand: OpenVINO 2026.4 overlooks the axes of ReduceLogSumExp
        return (kinds - most).exp().sum(dim=2).log() + most[..., 0]


class Finder(nn.Module):
    """(n, 3, h, w) normalised RGB to maps at a stride of 8: logits of kinds (n, kinds, h/8, w/8), distances (n, 4, ..).

    A distance is how far the box reaches from the cell's centre to the left, top, right, bottom, in input pixels.
    """

    stride = 8

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.trunk = Trunk(64, 96, 144)
        width = 56
        self.lateral = nn.ModuleList([convolution(c, width, kernel=1) for c in (64, 96, 144)])
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = nn.ModuleList([separable(width, width, kernel=5) for _ in range(2)])
        self.naming = nn.Sequential(
            separable(width, width), separable(width, width), nn.Conv2d(width, kinds, 1)
        )
        self.reach = nn.Sequential(separable(width, width), separable(width, width), nn.Conv2d(width, 4, 1))
        nn.init.constant_(self.naming[-1].bias, -4.0)
        nn.init.constant_(self.reach[-1].bias, 1.6)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        eighth, sixteenth, last = (side(f) for side, f in zip(self.lateral, self.trunk(x), strict=True))
        merged = self.merge[0](sixteenth + self.up(last))
        merged = self.merge[1](eighth + self.up(merged))
        return self.naming(merged), torch.exp(self.reach(merged).clamp(-2, 4)) * self.stride


class FinderRows(nn.Module):
    """The finder as it is exported: one output (1, 4 + labels, cells) in YOLOv8's form.

    Rows are cx, cy, w, h in input pixels, then a score of 0..1 for each label: that of its likeliest kind.
    """

    def __init__(self, finder: Finder, labels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.finder, self.labels = finder, labels
        self.register_buffer("centres", cell_centres(size, finder.stride))

    def forward(self, x: Tensor) -> Tensor:
        logits, reach = self.finder(x)
        left, top, right, bottom = reach.flatten(2).split(1, dim=1)
        middle = self.centres + torch.cat([right - left, bottom - top], dim=1) / 2
        sides = torch.cat([left + right, top + bottom], dim=1)
        scores = logits.reshape(1, self.labels, -1, middle.shape[2]).amax(dim=2).sigmoid()
        return torch.cat([middle, sides, scores], dim=1)


def cell_centres(size: tuple[int, int], stride: int) -> Tensor:
    """(1, 2, cells): x and y in pixels of each cell's centre, row by row, for a picture of (width, height)."""
    width, height = size
    y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
    return ((torch.stack([x, y]).flatten(1).float() + 0.5) * stride)[None]
