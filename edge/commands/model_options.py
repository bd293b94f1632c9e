"""Options that several sub-verbs of `edge model` have."""

from pathlib import Path

import click

from edge.commands.folder_option import writable

output_folder = click.option(
    "-o",
    "--output",
    "into",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    callback=writable,
    help="Folder to write into.",
)
may_replace = click.option("--force", is_flag=True, help="Replace files of the same names in DIR.")
