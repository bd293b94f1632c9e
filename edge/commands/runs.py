"""What `run` and `dev` have in common: the options of one run, and the placing of what stops its start."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge import durations
from edge.errors import ConfigInvalid
from edge.options import DRAIN, Options

if TYPE_CHECKING:
    from edge.config import Config
    from edge.project import Project

F = TypeVar("F", bound=Callable[..., Any])


def duration(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """A length of time, written as in the configuration."""
    try:
        return durations.seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def limited(command: F) -> F:
    """Adds the options of one run; the command takes them as arguments of `options`."""
    for option in reversed(
        (
            click.option("--frames", type=click.IntRange(min=1), metavar="N",
                         help="End after N inferred frames."),
            click.option("--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
                         help="Write a report of the run, as JSON."),
            click.option("--drain", callback=duration, default=f"{DRAIN:g}", metavar="SECONDS",
                         help=f"Wait so long at the end for acknowledgements.  [default: {DRAIN:g}]"),
            click.option("--print", "print_messages", is_flag=True,
                         help="Write each project message to the standard output, one a line."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def started(
    start: "Callable[[Config, Project, Options], int]", config: "Config", project: "Project", options: Options
) -> int:
    """Start a run. An error that a setting caused is raised as ConfigInvalid, with the place to look at."""
    try:
        return start(config, project, options)
    except ConfigInvalid:
        raise
    except Exception as error:
        from edge import blame

        fault = blame.fault_of(error, config, project)
        if fault is None:
            raise
        raise ConfigInvalid(fault) from error
