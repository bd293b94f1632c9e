"""`edge run PROJECT`."""

from pathlib import Path
from typing import Unpack

import click

from edge.commands import settings as config_options
from edge.commands.runs import limited, started
from edge.commands.settings import Settings, configured
from edge.options import Options


@click.command("run")
@click.argument("project", required=False)
@configured
@limited
def command(
    project: str | None,
    frames: int | None,
    report: Path | None,
    drain: float,
    print_messages: bool,
    **settings: Unpack[Settings],
) -> int:
    """Run PROJECT: a folder with a project.yaml, or the name of a bundled or installed project."""
    config = config_options.loaded(settings)
    from edge import project as projects
    from edge.run import run

    found = projects.load(projects.find(config_options.chosen(project, settings, config)))
    options = Options(frames=frames, report=report, drain=drain, print_messages=print_messages)
    return started(run, config, found, options)
