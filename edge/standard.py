"""Standard input, output and error, also where whoever started us has closed them."""

import os
import sys
from pathlib import Path

NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2}


def fill() -> None:
    """Put the null device where one is closed: the next file opened would get its number, and our words."""
    for name, number in NUMBERS.items():
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
            os.set_inheritable(opened, True)  # noqa: FBT003 - it takes no name
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115 - for ever
