"""Which kernels serve."""

from collections.abc import Iterator

from edge.doctor.check import Check, Patient


def examine(patient: Patient) -> Iterator[Check]:
    import kernels

    yield judged(kernels.IMPLEMENTATION, kernels.LEVEL)


def judged(implementation: str, level: str) -> Check:
    if implementation == "compiled":
        return Check("kernels", "ok", f"compiled, level {level}")
    mend = "install a wheel of lensracer, or a C compiler and python3-dev and install again; is EDGE_KERNELS set?"
    return Check("kernels", "warn", "the NumPy twins serve, many times slower than compiled kernels", mend)
