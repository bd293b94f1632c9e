"""The three components of a shipment, each an archive and a recipe, laid out as Greengrass' tools expect them.

INTO/recipes/NAME-VERSION.json
INTO/artifacts/NAME/VERSION/ARCHIVE.zip
INTO/gdk/NAME/{gdk-config.json, recipe.json, build.sh}
"""

import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge import bundle
from edge.errors import ConfigInvalid
from edge.project import Project
from edge.shipment import archive, gdk, inventory, locks, recipe_check, recipes, wheels
from edge.shipment.archive import Item
from edge.shipment.target import Target

ON_DEVICE = Path(__file__).with_name("on_device")
SAMPLES, UNPACKED = "edge/samples/", "lensracer"
MARGIN = 1.2  # of what a virtual environment takes over its wheels' contents: byte code, links


@dataclasses.dataclass(frozen=True)
class Made:
    """One component. files: its archives, with their sizes in bytes."""

    name: str
    version: str
    recipe: Mapping[str, Any]
    files: Mapping[Path, int]


@dataclasses.dataclass(frozen=True)
class Order:
    """What is wanted. cache: where wheels are kept between two makings. wheel: our own for each machine, where it is
    not to be built. version: of the project's component. topics: further ones that it may publish to."""

    project: Project
    targets: Sequence[Target]
    into: Path
    cache: Path
    version: str = "1.0.0"
    runtime_version: str = "0.1.0"
    wheel: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    configuration: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    topics: Sequence[str] = ()


def make(order: Order) -> list[Made]:
    """All three, dependencies first. Raises ShipmentFailed, ShipmentInvalid, ConfigInvalid, OSError."""
    lock = locks.read()
    made = [dependencies(order, lock), runtime(order, lock), project(order, lock)]
    for each in made:
        if faults := recipe_check.faults(each.recipe):
            raise ConfigInvalid(*faults)
        lay_out(each, order.into)
    return made


def version_of(lock: locks.Lock) -> str:
    return f"{lock.number}.0.0"


def dependencies(order: Order, lock: locks.Lock) -> Made:
    version, files, names = version_of(lock), {}, {}
    for target in order.targets:
        names[target] = f"lensracer-dependencies-{target.machine}.zip"
        path = artifact(order.into, recipes.DEPENDENCIES, version, names[target])
        files[path] = archive.write(path, dependency_items(order, lock, target, version))
    return Made(recipes.DEPENDENCIES, version, recipes.dependencies(version, names), files)


def dependency_items(order: Order, lock: locks.Lock, target: Target, version: str) -> Iterable[Item]:
    folder = order.cache / str(target) / lock.digest[:16]
    found = wheels.gather(lock, target, folder)
    wanted = [wheel_of(pin, folder) for pin in found.pins]
    unpacked = sum(contents(wheel) for wheel in wanted)
    yield Item("install.py", ON_DEVICE / "install.py")
    yield Item("manifest.json", manifest(target, found.digest, int(unpacked * MARGIN)))
    yield Item("requirements.txt", found.text.encode())
    yield Item("sbom.cdx.json", inventory.bill(recipes.DEPENDENCIES, version, wanted))
    yield from inventory.licences(wanted)
    for wheel in [*wanted, wheels.installer(folder)]:
        yield Item(f"wheels/{wheel.name}", wheel)


def wheel_of(pin: locks.Pin, folder: Path) -> Path:
    """The one wheel in the folder that is what is pinned, by its digest."""
    return next(
        path
        for path in sorted(folder.glob("*.whl"))
        if hashlib.sha256(path.read_bytes()).hexdigest() in pin.digests
    )


def contents(wheel: Path) -> int:
    """Bytes of what a wheel holds."""
    with zipfile.ZipFile(wheel) as opened:
        return sum(info.file_size for info in opened.infolist())


def manifest(target: Target, digest: str, needs_bytes: int) -> bytes:
    """What the device is told of an archive."""
    told = {"target": dataclasses.asdict(target), "digest": digest, "needs_bytes": needs_bytes}
    return (json.dumps(told, indent=1) + "\n").encode()


def runtime(order: Order, lock: locks.Lock) -> Made:
    version, files, names = order.runtime_version, {}, {}
    for target in order.targets:
        names[target] = f"lensracer-runtime-{target.machine}.zip"
        wheel = wheels.own(target, order.cache, order.wheel.get(target.machine))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        items = [
            *runtime_items(wheel),
            Item("install.py", ON_DEVICE / "install.py"),
            Item("run", ON_DEVICE / "run", runnable=True),
            Item("manifest.json", manifest(target, digest, contents(wheel))),
            Item("sbom.cdx.json", inventory.bill(recipes.RUNTIME, version, [wheel])),
            *inventory.licences([wheel]),
        ]
        path = artifact(order.into, recipes.RUNTIME, version, names[target])
        files[path] = archive.write(path, items)
    return Made(recipes.RUNTIME, version, recipes.runtime(version, version_of(lock), names), files)


def runtime_items(wheel: Path) -> Iterable[Item]:
    """What our wheel holds, without the sample projects: they are larger than all the rest."""
    with zipfile.ZipFile(wheel) as opened:
        for name in opened.namelist():
            if not name.startswith(SAMPLES):
                yield Item(f"{UNPACKED}/{name}", opened.read(name))


def project(order: Order, lock: locks.Lock) -> Made:
    """The project's own files, checked to lie in its folder as those of a bundle are."""
    bundle.check_inside(order.project)
    component = recipes.component_of(order.project.name)
    name = f"lensracer-project-{order.project.name}.zip"
    path = artifact(order.into, component, order.version, name)
    home = order.project.folder
    items = [Item(f"project/{file.relative_to(home).as_posix()}", file) for file in bundle.files_of(home)]
    size = archive.write(path, items)
    needs = {recipes.DEPENDENCIES: version_of(lock), recipes.RUNTIME: order.runtime_version}
    made = recipes.project(
        order.project.name, order.version, needs, order.targets, name, order.configuration, order.topics
    )
    return Made(component, order.version, made, {path: size})


def artifact(into: Path, component: str, version: str, name: str) -> Path:
    path = into / "artifacts" / component / version / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def lay_out(made: Made, into: Path) -> None:
    """The recipe where the local tools look, and a folder for GDK."""
    text = json.dumps(made.recipe, indent=2) + "\n"
    path = into / "recipes" / f"{made.name}-{made.version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    gdk.write(into / "gdk" / made.name, made.name, made.version, text)
