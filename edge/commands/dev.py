"""`edge dev [PROJECT]`."""

from pathlib import Path
from typing import Unpack

import click

from edge.commands import settings as config_options
from edge.commands.runs import limited, started
from edge.commands.settings import Settings, configured
from edge.options import Options

SAMPLE = "trash-sorter"
EACH_RESULT = {"publish": {"every": 1}}  # whoever tries something wants to see all of it


@click.command("dev")
@click.argument("project", required=False)
@configured
@limited
@click.option("--no-browser", is_flag=True, help="Do not open the console in a browser.")
@click.option("--no-webcam", is_flag=True, help="Play the project's clip even where there is a webcam.")
def command(
    project: str | None,
    frames: int | None,
    report: Path | None,
    drain: float,
    print_messages: bool,
    no_browser: bool,
    no_webcam: bool,
    **settings: Unpack[Settings],
) -> int:
    """Try PROJECT (trash-sorter if none is named) on this machine: broker, console, camera, and no cloud."""
    config = config_options.loaded(settings)
    from edge import project as projects
    from edge.dev import dev

    folder = projects.find(config_options.chosen(project, settings, config, default=SAMPLE))
    options = Options(
        frames=frames,
        report=report,
        drain=drain,
        print_messages=print_messages,
        browser=not no_browser,
        webcam=not no_webcam,
    )
    return started(dev, config, projects.load(folder, EACH_RESULT), options)
