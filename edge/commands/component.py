"""`edge component FOLDER`: what a Greengrass recipe starts."""

import os
from pathlib import Path

import click

from edge import logs


@click.command("component")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), default=".", metavar="FOLDER",
              help="The component's own folder.  [default: .]")  # fmt: skip
def command(folder: Path, work: Path) -> int:
    """Run the project of FOLDER as a Greengrass component. The recipe that `edge package` makes calls this."""
    logs.setup("info")
    from edge.component import life

    return life.begin(folder.absolute(), os.environ, work.absolute())
