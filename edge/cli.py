"""The command `edge`. Each verb is imported when it is asked for: none pays for the libraries of another."""

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from edge import exits, signals, standard

TURN = 0.0001  # seconds that the model's thread waits for its turn while the main one imports, at a time
COLLECT = 50_000  # objects between two collections of garbage while all is imported: there is none
VERBS = {
    "run": ("edge.commands.run", "Run a project until it ends, or for ever."),
    "dev": ("edge.commands.dev", "Try a project on this machine: broker, console and camera, with no cloud."),
    "validate": (
        "edge.commands.validate",
        "Say whether `edge run` would accept a project and configuration.",
    ),
    "record": ("edge.commands.record", "Run a project, and keep what it saw and said in a file."),
    "replay": ("edge.commands.replay", "Run a recording again, and tell what comes out otherwise."),
    "devices": ("edge.commands.devices", "List the cameras and inference devices of this machine."),
    "doctor": ("edge.commands.doctor", "Check this machine, and say how to mend what is wrong."),
    "bundle": ("edge.commands.bundle", "Pack a project into one signed file that other devices take."),
    "package": ("edge.commands.package", "Make Greengrass components that a device installs by itself."),
    "component": ("edge.commands.component", "Run a project under Greengrass; recipes call this."),
    "model": ("edge.commands.model", "Inspect, convert, quantize, measure and fetch models."),
    "spool": ("edge.commands.spool", "Show or send the messages that wait for the broker."),
    "config": ("edge.commands.config", "Show the configuration, or the schema of its file."),
    "version": ("edge.commands.version", "Show the version."),
}


class Verbs(click.Group):
    """A group whose commands live in modules of their own, under the name `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lensracer", message="lensracer %(version)s")
def group() -> None:
    """Run vision models on this device, and publish what they see.

    Exit codes: 0 good, 1 a failure while running, 2 usage or configuration, 130 Ctrl-C.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit."""
    gc.set_threshold(COLLECT)
    sys.setswitchinterval(TURN)
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # looking for some takes longer than the rest of it
    standard.fill()
    signals.watch()
    exits.leave(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code. What went wrong has been told on the standard error."""
    try:
        result: Any = group.main(args=arguments, prog_name="edge", standalone_mode=False)
        return result if isinstance(result, int) else exits.GOOD
    except click.UsageError as error:
        error.show()
        return exits.USAGE
    except click.ClickException as error:
        error.show()
        return exits.FAILED
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except Exception as error:
        text, code = exits.told(error)
        click.echo(f"edge: {text}", err=True)
        return code
