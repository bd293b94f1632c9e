"""Makes tests/data/observations.npz: what Pillow makes of the pictures below. Needs Pillow, which nothing else does.

Run from the repository's folder: python tests/tools/make_observations.py
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIZES = {  # name: source (height, width), observation (height, width)
    "camera": ((480, 640), (120, 160)),
    "wide": ((360, 640), (120, 160)),
    "same": ((12, 16), (12, 16)),
    "larger": ((9, 7), (12, 16)),
    "odd": ((131, 203), (31, 47)),
    "quarter": ((40, 56), (10, 14)),
    "thin": ((3, 64), (2, 16)),
    "pixel": ((1, 1), (3, 2)),
}
FILE = Path(__file__).resolve().parents[1] / "data" / "observations.npz"


def picture(name: str, eye: int = 0) -> NDArray[np.uint8]:
    """A BGR picture with soft hills, hard edges and noise: the same on every machine, being whole numbers alone."""
    height, width = SIZES[name][0]
    y, x, channel = np.indices((height, width, 3))
    hills = (x * (3 + channel) + y * (5 - channel) + x * y // 7 + 31 * eye) % 511
    levels = np.where(hills > 255, 510 - hills, hills)
    noise = (x * 7919 + y * 104729 + channel * 1299709 + eye * 15485863) % 4093 % 61
    mixed = np.where((x // 11 + y // 9) % 5 == 0, 255 * ((x + y) % 2), (levels + noise) % 256)
    return mixed.astype(np.uint8)


def main() -> None:
    from PIL import Image

    made = {}
    for name, (_, (height, width)) in SIZES.items():
        for eye in (0, 1):
            rgb = np.ascontiguousarray(picture(name, eye)[:, :, ::-1])
            small = Image.fromarray(rgb).resize((width, height), resample=Image.Resampling.BILINEAR)
            red, green, blue = np.moveaxis(np.asarray(small), 2, 0)
            made[f"{name}-{eye}-luma"] = (0.2989 * red + 0.5870 * green + 0.1140 * blue).astype(np.uint8)
            made[f"{name}-{eye}-L"] = np.asarray(small.convert("L"))
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, **made)


if __name__ == "__main__":
    main()
