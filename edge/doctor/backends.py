"""What can run a model, and on which devices."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from edge.doctor.check import Check, Patient
from inference.backends.choice import devices_of

MEND = "pip install --force-reinstall {name}; where its wheel does not suit this system, the other backend serves"


def examine(patient: Patient) -> Iterator[Check]:
    from edge import devices

    found = [devices.backend(name) for name in devices.BACKENDS]
    yield from judged(found)
    if patient.config is not None:
        wanted = patient.config.inference
        yield from wanted_device(found, wanted.backend, wanted.device)


def judged(found: Sequence[dict[str, Any]]) -> Iterator[Check]:
    """One check a backend. That one is missing is bearable; without any, no model runs."""
    missing = "fail" if all(each["error"] for each in found) else "warn"
    for each in found:
        name = each["backend"]
        if each["error"]:
            yield Check(name, missing, each["error"], MEND.format(name=name))  # type: ignore[arg-type]
        else:
            named = (f"{short} ({full})" for short, full in each["devices"].items())
            yield Check(name, "ok", ", ".join(named))


def wanted_device(found: Sequence[dict[str, Any]], backend: str, device: str) -> Iterator[Check]:
    """Whether the configured backend is here and has the configured device, or one of the list."""
    if backend == "fake" or device.upper().partition(":")[0] in ("HETERO", "MULTI", "BATCH"):
        return
    fit = [each for each in found if backend in ("auto", each["backend"])]
    have = {name.upper() for each in fit for name in each["devices"]}
    if not any(is_among(place.upper(), have) for place in devices_of(device)):
        text = f"inference.device is {device}, and there is only {', '.join(sorted(have)) or 'none'}"
        yield Check("inference device", "fail", text, "set inference.device to one that `edge devices` lists")


def is_among(place: str, have: Iterable[str]) -> bool:
    """Whether a device is one of those, or stands for one: GPU for GPU.1."""
    return any(name == place or name.startswith(f"{place}.") or place.startswith(f"{name}.") for name in have)
