"""The options by which every verb is given its configuration, and the loading of it."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from edge import logs

if TYPE_CHECKING:
    from edge.config import Config, Given

F = TypeVar("F", bound=Callable[..., Any])
LEVELS = ("debug", "info", "warning", "error")


class Settings(TypedDict):
    """The options of `configured`."""

    file: Path | None
    pairs: tuple[str, ...]
    source: str | None
    transport: str | None
    project_option: str | None
    log: str | None
    insecure: bool


def configured(command: F) -> F:
    """Adds the options that choose and change the configuration; the command takes them as `**settings`."""
    for option in reversed(
        (
            click.option("-c", "--config", "file", type=click.Path(path_type=Path), metavar="FILE",
                         help="Configuration file.  [default: ./edge.yaml where there is one]"),
            click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE",
                         help="Set any key, as in `--set streams.device.rate=5`; may be repeated."),
            click.option("--source", metavar="URI", help="The one source of frames: camera:0, clip.mp4, rtsp://..."),
            click.option("--transport", metavar="URI", help="mqtt://host:port, mqtts://host:port, or local."),
            click.option("--project", "project_option", metavar="PROJECT", help="The same as the argument."),
            click.option("--insecure", is_flag=True,
                         help="Let pictures and console be seen from other machines without TLS."),
            click.option("--log", type=click.Choice(LEVELS), help="What is told at least."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def overrides(settings: Settings) -> "dict[str, Given]":
    """What the options set, by dotted key. Raises ConfigInvalid."""
    from edge import config

    return config.overrides(
        settings["pairs"],
        source=settings["source"],
        transport=settings["transport"],
        project=settings["project_option"],
        log=settings["log"],
        insecure=settings["insecure"],
    )


def loaded(settings: Settings) -> "Config":
    """The configuration that the options give; from here on the log is as it says. Raises ConfigInvalid."""
    from edge import config

    logs.setup(settings["log"] or "info")
    found = config.load(settings["file"], os.environ, overrides(settings))
    logs.setup(found.log.level, found.log.levels, found.log.format)
    if found.file is not None:
        logging.getLogger(__name__).debug("the configuration is read from %s", found.file)
    return found


def chosen(argument: str | None, settings: Settings, config: "Config", default: str | None = None) -> str:
    """The project to run: named on the command line, else by the configuration, else the default."""
    if argument and settings["project_option"] and argument != settings["project_option"]:
        raise click.UsageError(
            f"two projects are named: {argument} and --project {settings['project_option']}"
        )
    found = argument or config.project or default
    if not found:
        raise click.UsageError("name a project: a folder, or a bundled one such as trash-sorter")
    return found
