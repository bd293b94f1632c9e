"""What is asked of one run beside its configuration; it comes from the command line alone."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.recorder import Wish

DRAIN = 10.0  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What one run is to do.

    frames: end after so many inferred ones (None: when the sources end, or never). report: write it there.
    drain: seconds to wait at the end for acknowledgements. print_messages: each project message as a line of
    JSON on the standard output. record: what `edge record` is asked. browser, webcam: what `edge dev` may open.
    watch: whether the project is loaded anew when a file of it changes. until: asked between two frames whether to end.
    """

    frames: int | None = None
    report: Path | None = None
    drain: float = DRAIN
    print_messages: bool = False
    browser: bool = True
    webcam: bool = True
    watch: bool = False
    record: "Wish | None" = None
    until: Callable[[], bool] | None = None
