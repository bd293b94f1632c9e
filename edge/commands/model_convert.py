"""`edge model convert MODEL -o DIR`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge import logs
from edge.commands.model_options import may_replace, output_folder
from edge.commands.output import as_json, say, say_json, table

if TYPE_CHECKING:
    from inference.optimize import Converted

MB = 1_000_000
LONGEST_NAME = 200  # bytes; a disk takes 255 with the ending


@click.command("convert")
@click.argument("model")
@output_folder
@click.option(
    "--precision",
    type=click.Choice(("f16", "f32")),
    default="f16",
    show_default=True,
    help="Of the weights; a run computes in float32 with either.",
)
@click.option("--name", metavar="NAME", help="Name of the files.  [default: as the model's]")
@may_replace
@as_json
def command(model: str, into: Path, precision: str, name: str | None, force: bool, json_wanted: bool) -> None:
    """Convert MODEL to OpenVINO IR in DIR.

    MODEL is a model file, a project's folder, or the name of a bundled project; what the project says of its
    model is written into the result. The result is read again and compared with the original on seeded
    pictures; one that answers otherwise is refused.
    """
    logs.setup("error")
    from edge.subject import subject
    from inference import optimize

    found = subject(model)
    named = found.path.stem if name is None else plain(name)
    check_targets(optimize.targets(into, named), found.path, force=force)
    if not optimize.has_room(found.path, into):
        raise click.UsageError(f"the disk of {into} has no room for a model of that size")
    done = optimize.convert(found.path, into, named, manifest=found.manifest, precision=precision)
    if json_wanted:
        say_json(as_values(done))
    else:
        say(text(done))


def plain(name: str) -> str:
    """A name that is one of a file, in the folder and not elsewhere."""
    if (
        name in (".", "..")
        or name != Path(name).name
        or not 0 < len(name.encode()) <= LONGEST_NAME
        or "\0" in name
    ):
        raise click.UsageError(f"--name: expected a file's name without an ending, got {name[:80]!r}")
    return name


def check_targets(targets: tuple[Path, Path], source: Path, *, force: bool) -> None:
    """Refuse to overwrite without --force, and to overwrite what is read, always."""
    for path in targets:
        if path.exists() and path.resolve() == source.resolve():
            raise click.UsageError(f"{path} is the model itself; choose another folder or --name")
        if path.exists() and not force:
            raise click.UsageError(f"{path} exists; --force replaces it")


def as_values(done: "Converted") -> dict[str, Any]:
    values = done._asdict()
    values["differences"] = [difference._asdict() for difference in done.differences]
    return {**values, "xml": str(done.xml), "metadata": dict(done.metadata)}


def text(done: "Converted") -> str:
    rows = [(f"  {each.output}", f"{each.largest:.2g}", f"{each.first_agrees} of {each.pictures}")
            for each in done.differences]  # fmt: skip
    return "\n".join(
        [
            f"{done.xml} and {done.xml.with_suffix('.bin').name}: {done.after / MB:.2f} MB, "
            f"from {done.before / MB:.2f} MB",
            table([("Output", "largest difference", "same first"), *rows]),
            f"Metadata written: {', '.join(sorted(done.metadata)) or 'none'}",
        ]
    )
