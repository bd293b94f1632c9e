"""`edge config show` and `edge config schema`."""

import json
from typing import Any, Unpack

import click

from edge.commands import settings as config_options
from edge.commands.output import as_json, say, say_json, table
from edge.commands.settings import Settings, configured


@click.group("config")
def command() -> None:
    """Show the configuration, or the schema of its file."""


@command.command("show")
@configured
@as_json
def show(json_wanted: bool, **settings: Unpack[Settings]) -> None:
    """Show every effective value and where it came from; what is secret is not shown."""
    found = config_options.loaded(settings)
    from edge import config

    rows = config.shown(found)
    if json_wanted:
        say_json(rows)
    else:
        say(
            table(
                [("KEY", "VALUE", "FROM"), *((row["key"], text(row["value"]), row["origin"]) for row in rows)]
            )
        )


@command.command("schema")
@click.option(
    "--project", "of_project", is_flag=True, help="The schema of project.yaml instead of edge.yaml."
)
@as_json
def schema(of_project: bool, json_wanted: bool) -> None:
    """Print the JSON Schema of edge.yaml, with which an editor completes and checks it."""
    if of_project:
        from edge.project_schema import schema as project_schema

        say_json(project_schema())
    else:
        from edge import config

        say_json(config.schema())


def text(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)
