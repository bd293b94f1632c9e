"""How many anchors the grids of a detector have over an input."""

LEVELS = ((8, 16, 32), (8, 16, 32, 64))


def grid_cells(size: tuple[int, int], stride: int) -> int:
    """Cells of a stride's grid over an input of (height, width) pixels."""
    return -(-size[0] // stride) * -(-size[1] // stride)


def strides_of(anchors: int, size: tuple[int, int], anchors_a_cell: int = 1) -> tuple[int, ...] | None:
    """The usual strides whose grids together have so many anchors; None where no such strides are."""
    for strides in LEVELS:
        if anchors == anchors_a_cell * sum(grid_cells(size, stride) for stride in strides):
            return strides
    return None


def stride_of(cells: int, size: tuple[int, int]) -> int | None:
    """The one stride whose grid has so many cells; None where no usual stride has."""
    return next((stride for stride in LEVELS[-1] if grid_cells(size, stride) == cells), None)
