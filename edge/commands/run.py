"""`edge run PROJECT`."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from edge.commands import settings as config_options
from edge.commands.runs import limited, started
from edge.commands.settings import Settings, configured
from edge.options import Options

if TYPE_CHECKING:
    from edge.config import Config
    from edge.project import Project


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

    found = projects.load(projects.find(config_options.chosen(project, settings, config)))
    options = Options(frames=frames, report=report, drain=drain, print_messages=print_messages)

    def start(config: "Config", project: "Project", options: Options) -> int:
        from edge import engine
        from edge.ahead import Ahead

        with contextlib.closing(Ahead(lambda: engine.ready(config, project.manifest))) as model:
            from edge.run import run  # most of the program: imported while the model is compiled

            return run(config, project, options, model.take)

    return started(start, config, found, options)
