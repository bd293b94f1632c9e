"""`edge version`."""

import click

from edge import version
from edge.commands.output import as_json, say, say_json


@click.command("version")
@as_json
def command(json_wanted: bool) -> None:
    """Show the version of this program, of Python, and of the libraries it runs with."""
    found = version.describe()
    if json_wanted:
        say_json(found)
        return
    kernels, libraries = found["kernels"], found["libraries"]
    say(f"lensracer {found['version']} (Python {found['python']}, {found['platform']})")
    say(f"kernels {kernels['implementation']}, level {kernels['level']}")
    say(", ".join(f"{name} {known or 'not installed'}" for name, known in libraries.items()))
