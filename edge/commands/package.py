"""`edge package PROJECT`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.commands.output import as_json, say, say_json

if TYPE_CHECKING:
    from edge.shipment.making import Made

CACHE = Path("build") / "wheels"


@click.command("package")
@click.argument("project")
@click.option(
    "-o",
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default="build/package",
    metavar="FOLDER",
    help="Where to write it.  [default: build/package]",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="TARGET",
    help="A kind of device, as linux-aarch64-py311-glibc2.31; one for each processor.  [default: this machine]",
)
@click.option(
    "--wheel",
    "given",
    multiple=True,
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="The runtime's own wheel for a processor.  [default: built from the source tree]",
)
@click.option(
    "--version", "version", default="1.0.0", metavar="N.N.N", help="Version of the project's component."
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=CACHE,
    metavar="FOLDER",
    help=f"Where wheels are kept for the next time.  [default: {CACHE}]",
)
@click.option(
    "--publish",
    "bucket",
    metavar="BUCKET",
    help="Upload the archives to this S3 bucket, and create the components' versions in Greengrass.",
)
@click.option(
    "--region", metavar="REGION", help="The AWS region to publish in.  [default: as boto3 finds it]"
)
@as_json
def command(
    project: str, into: Path, targets: tuple[str, ...], given: tuple[Path, ...], version: str, cache: Path,
    bucket: str | None, region: str | None, json_wanted: bool,
) -> int:  # fmt: skip
    """Make three Greengrass components of PROJECT: dependencies, runtime and the project itself.

    A device installs them with no compiler and no internet. FOLDER/recipes and FOLDER/artifacts are what
    `greengrass-cli deployment create` and `ggl-cli deploy` take; FOLDER/gdk is for `gdk component publish`.
    """
    from importlib.metadata import version as version_of

    from edge import project as projects
    from edge.shipment import making, target

    chosen = [target.Target.parse(text) for text in targets] or [target.Target.here()]
    order = making.Order(
        projects.load(projects.find(project)),
        one_for_each(chosen),
        into,
        cache,
        version=version,
        runtime_version=version_of("lensracer"),
        wheel={machine_of(path): path for path in given},
    )
    made = making.make(order)
    if json_wanted:
        say_json({"components": [told(each) for each in made]})
    else:
        for each in made:
            sizes = ", ".join(f"{path.name} {size / 1e6:,.1f} MB" for path, size in each.files.items())
            say(f"{each.name} {each.version}: {sizes}")
        say(f"recipes and artifacts are in {into}")
    if bucket is not None:
        publish(made, bucket, region, quiet=json_wanted)
    return 0


def publish(made: "list[Made]", bucket: str, region: str | None, *, quiet: bool) -> None:
    """Dependencies first: a component can be created only after what it needs."""
    from edge.s3 import Publisher

    publisher = Publisher(bucket, region)
    for each in made:
        for sentence in publisher.publish(each):
            if not quiet:
                say(sentence)


def one_for_each(targets: "list[Any]") -> "list[Any]":
    """Greengrass tells devices apart by their processor alone."""
    machines = [each.machine for each in targets]
    if twice := {machine for machine in machines if machines.count(machine) > 1}:
        named = ", ".join(sorted(twice))
        raise click.UsageError(f"two targets are for {named}: a recipe can hold one for each processor")
    return targets


def machine_of(wheel: Path) -> str:
    """The processor in a wheel's name."""
    return "aarch64" if wheel.stem.endswith("aarch64") else "x86_64"


def told(made: "Made") -> dict[str, Any]:
    files = [{"file": str(path), "bytes": size} for path, size in made.files.items()]
    return {"name": made.name, "version": made.version, "files": files}
