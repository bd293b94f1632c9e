"""One thread for everybody, and the peers held to the level that ours is forced to: said before they are imported."""

import os
import sys

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
DONE = "LENSRACER_BENCH_CAPPED"
# What each peer must not use at a level of ours: its own names for what lies above.
CAPS = {
    "v2": {
        "OPENCV_CPU_DISABLE": "AVX,FP16,AVX2,FMA3,AVX512-SKX",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "JSIMD_FORCESSE2": "1",
    },
    "v3": {
        "OPENCV_CPU_DISABLE": "AVX512-SKX",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    },
}


def begin_again() -> None:
    """Start this process anew with what the peers read at their import; returns where that is done."""
    if os.environ.get(DONE):
        return
    wanted = dict.fromkeys(ONE_THREAD, "1") | CAPS.get(os.environ.get("EDGE_CPU", ""), {}) | {DONE: "1"}
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


def caps() -> dict[str, str]:
    """What was set, for the report."""
    return {name: os.environ[name] for name in CAPS["v2"] if name in os.environ}
