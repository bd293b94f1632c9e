"""The cameras: what they say they deliver, and how many pictures a second they truly do."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from edge.doctor.check import Check, Patient
from streams import sources
from streams.errors import BadFrame, SourceError, SourceInvalid
from streams.sources import Reader
from streams.sources.devices import Device
from streams.sources.devices import cameras as found_cameras

MEASURED = 1.0  # seconds
TOO_SLOW = 0.7  # of the promised rate
SLOW_MEND = (
    "give it light (a long exposure lowers the rate), a port of its own on the USB host, or a smaller size"
)


def examine(patient: Patient) -> Iterator[Check]:
    devices = found_cameras()
    if not devices:
        yield Check("cameras", "ok", "there is none; files, folders and network streams work without")
    for device in devices:
        yield examined(device, sources.reader)
    if patient.config is not None:
        yield from absent({name: source.uri for name, source in patient.config.sources.items()})


def absent(uris: Mapping[str, str]) -> Iterator[Check]:
    """A failed check for each configured camera that is not there, or can be none."""
    for name, uri in uris.items():
        kind, _, rest = uri.partition(":")
        named = kind.lower() == "camera"
        if named or uri.startswith("/dev/"):
            yield from judged_absent(name, rest if named else uri)


def judged_absent(name: str, text: str) -> Iterator[Check]:
    from streams.sources.camera import device

    mend = f"plug it in, or set sources.{name}.uri to one that `edge devices` lists"
    try:
        path = device(text)
    except SourceInvalid as error:
        yield Check(f"source {name}", "fail", str(error), mend)
        return
    if isinstance(path, str) and not Path(path).exists():
        yield Check(f"source {name}", "fail", f"{path} is not there", mend)


def examined(device: Device, reader: Callable[[str], Reader]) -> Check:
    name = f"camera {device.path}"
    if device.refusal:
        sentence, _, mend = device.refusal.partition("Mend: ")
        return Check(
            name,
            "fail",
            f"{device.name}: {sentence.strip()}",
            mend or "plug it in again, or try another port",
        )
    described = f"{device.name}: {formats(device)}"
    if device.holders:
        held = ", ".join(map(str, device.holders))
        return Check(
            name, "warn", f"{described}; busy, held by {held}", "end that program, and ask again for the rate"
        )
    try:
        rate, width, height = measured(reader(device.path))
    except SourceError as error:
        return Check(name, "fail", f"{described}; {error}", "plug it in again, or try another port")
    promised = max((rate for rate in promised_rates(device, width, height)), default=0.0)
    found = f"{described}; {rate:.1f} pictures a second at {width}x{height}"
    if rate < TOO_SLOW * promised:
        return Check(name, "warn", f"{found}, promised {promised:g}", SLOW_MEND)
    return Check(name, "ok", found)


def formats(device: Device) -> str:
    """Its pixel formats, each with its largest size: `MJPG to 1920x1080, YUYV to 640x480`."""
    largest = {
        each.fourcc: max(each.sizes, key=lambda size: size.width * size.height)
        for each in device.formats
        if each.sizes
    }
    return (
        ", ".join(f"{code} to {size.width}x{size.height}" for code, size in largest.items())
        or "no formats told"
    )


def promised_rates(device: Device, width: int, height: int) -> Iterator[float]:
    for each in device.formats:
        for size in each.sizes:
            if (size.width, size.height) == (width, height):
                yield from size.rates


def measured(reader: Reader, clock: Callable[[], float] = time.monotonic) -> tuple[float, int, int]:
    """(pictures a second over one second, width, height), the first picture not counted. Raises SourceError."""
    try:
        reader.open()
        first = reader.read()
        if first is None:
            raise BadFrame("it ended before the first picture")
        height, width = first.pixels.shape[:2]
        began, count = clock(), 0
        while clock() - began < MEASURED:
            count += taken(reader)
        return count / (clock() - began), int(width), int(height)
    finally:
        reader.close()


def taken(reader: Reader) -> bool:
    """Whether one more good picture came."""
    try:
        return reader.read() is not None
    except BadFrame:
        return False
