"""What becomes of a file on a disk that fails: cut, flipped, zeroed, without its head, or empty."""

import random
from pathlib import Path


def damage(path: Path, chance: random.Random) -> str:
    """Damages a file in one of many ways; which, in a word."""
    data = bytearray(path.read_bytes())
    kind = chance.choice(["cut", "flip", "zero", "header", "empty"])
    if kind == "cut":
        del data[chance.randrange(len(data)) :]
    elif kind == "empty":
        data.clear()
    elif kind == "header":
        data[:32] = chance.randbytes(32)
    else:
        for _ in range(chance.choice([1, 10, 200])):
            place = chance.randrange(len(data))
            data[place] = 0 if kind == "zero" else chance.randrange(256)
    path.write_bytes(data)
    return kind
