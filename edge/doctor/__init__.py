"""Whether this machine is fit: one examination a file, each giving checks with what was found and how to mend it."""

import importlib
from collections.abc import Iterator

from edge.doctor.check import Check, Patient

__all__ = ["EXAMINATIONS", "Check", "Patient", "examine"]

# In this order: a processor that lacks instructions is found before any kernel is loaded.
EXAMINATIONS = (
    "system",
    "kernels",
    "names",
    "backends",
    "cameras",
    "access",
    "clock",
    "state",
    "certificates",
    "broker",
)


def examine(patient: Patient) -> Iterator[Check]:
    """Every check of every examination, each as soon as it is done. An examination that fails is a failed check."""
    for name in EXAMINATIONS:
        try:
            yield from importlib.import_module(f"edge.doctor.{name}").examine(patient)
        except Exception as error:
            found = f"could not be examined: {type(error).__name__}: {error}"
            yield Check(name, "fail", found, "the cause is told by: edge doctor --log debug")
