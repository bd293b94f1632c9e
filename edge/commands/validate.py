"""`edge validate PROJECT`."""

import dataclasses
import os
from typing import Unpack

import click

from edge import exits, logs
from edge.commands import settings as config_options
from edge.commands.output import as_json, say, say_json
from edge.commands.settings import Settings, configured


@click.command("validate")
@click.argument("project", required=False)
@configured
@as_json
def command(project: str | None, json_wanted: bool, **settings: Unpack[Settings]) -> int:
    """Say whether `edge run PROJECT` with the same options would start.

    Exits with 0 if it would, else with 2 and a sentence for each reason. The model is loaded, files are
    opened and the hook is imported; nothing is published.
    """
    from edge import validate

    logs.setup(settings["log"] or "warning")
    named = project or settings["project_option"]
    found = validate.check(
        named, config=settings["file"], environ=os.environ, overrides=config_options.overrides(settings)
    )
    if json_wanted:
        faults = [{**dataclasses.asdict(fault), "where": str(fault.where)} for fault in found]
        say_json({"ok": not found, "faults": faults})
    elif found:
        say("\n".join(map(str, found)), err=True)
    else:
        say(f"{named or 'the configured project'} is good to run")
    return exits.USAGE if found else exits.GOOD
