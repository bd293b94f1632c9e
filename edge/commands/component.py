"""`edge component FOLDER`: what a Greengrass recipe starts."""

import os
from pathlib import Path

import click

from edge import logs


@click.command("component")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), default=".", metavar="FOLDER",
              help="The component's own folder.  [default: .]")  # fmt: skip
@click.option("--patience", type=click.FloatRange(min=1), metavar="SECONDS",
              help="Without the nucleus for so long, ask it for a new start.  [default: 25]")  # fmt: skip
def command(folder: Path, work: Path, patience: float | None) -> int:
    """Run the project of FOLDER as a Greengrass component. The recipe that `edge package` makes calls this."""
    logs.setup("info")
    from edge.component import life

    return life.begin(folder.absolute(), os.environ, work.absolute(), patience)
