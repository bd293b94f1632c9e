"""What is asked of one run beside its configuration; it comes from the command line alone."""

import dataclasses
from pathlib import Path

DRAIN = 10.0  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What one run is to do.

    frames: end after so many inferred ones (None: when the sources end, or never). report: write it there.
    drain: seconds to wait at the end for acknowledgements. print_messages: each project message as a line of
    JSON on the standard output. browser, webcam: what `edge dev` may open. watch: whether the project is loaded anew
    when a file of it changes.
    """

    frames: int | None = None
    report: Path | None = None
    drain: float = DRAIN
    print_messages: bool = False
    browser: bool = True
    webcam: bool = True
    watch: bool = False
