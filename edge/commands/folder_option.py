"""What every option that names a folder to write into checks, before anything is read or made."""

import os
from pathlib import Path

import click

from edge.writable import can_be_written, nearest


def writable(_context: click.Context, option: click.Parameter, folder: Path | None) -> Path | None:
    """The folder, which need not be there yet. Raises UsageError where no file can be made."""
    if folder is None:
        return None
    place, named = nearest(folder), f"{option.opts[-1]} {folder}"
    if not place.is_dir():
        raise click.UsageError(f"{named}: {place} is a file; the folder to write to was expected")
    if not can_be_written(folder) or not os.statvfs(place).f_blocks:  # /proc and its like have none
        raise click.UsageError(f"{named}: nothing can be written to {place}")
    return folder
