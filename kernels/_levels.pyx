"""Which instructions the kernels run on, chosen once, when this module is imported.

LEVEL is its name ("v2", "v3", "v4"; "neon" or "generic" where there is one body alone), NUMBER what the other
extensions choose their bodies by (simd/each_level.h), LEVELS every name that this CPU can run. EDGE_CPU=v2|v3|v4
forces one; a level that is unknown, or that the CPU does not have, is a ValueError.
"""

import os

cdef extern from "level.h":
    enum:
        LEVEL_FLOOR
    int level_of_cpu()
    const char* level_name(int level)

NAMES = ("v2", "v3", "v4")
LEVELS = tuple(level_name(level).decode() for level in range(LEVEL_FLOOR, level_of_cpu() + 1))


def chosen(forced):
    """The number of the level to run; `forced` is EDGE_CPU, or empty."""
    if not forced:
        return level_of_cpu()
    if forced not in NAMES and forced not in LEVELS:
        raise ValueError(f"EDGE_CPU must be one of {', '.join(NAMES)}, not {forced!r}")
    if forced not in LEVELS:
        raise ValueError(f"EDGE_CPU={forced}, but this CPU runs no more than {', '.join(LEVELS)}")
    return LEVEL_FLOOR + LEVELS.index(forced)


NUMBER = chosen(os.environ.get("EDGE_CPU", ""))
LEVEL = level_name(NUMBER).decode()
