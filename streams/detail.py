"""How much of a picture anybody needs: a decoder that knows saves the rest of its work."""

from collections.abc import Callable

Size = tuple[int, int]  # (height, width) in pixels


class Detail:
    """Shared by the one who knows what is needed and the sources, whose threads ask before each picture.

    needed: from the size of a picture to the size that it is scaled to afterwards, both (height, width) in pixels;
    None: every pixel is needed. It may be set anew at any time, from any thread.
    """

    def __init__(self, needed: Callable[[Size], Size] | None = None) -> None:
        self.needed = needed
