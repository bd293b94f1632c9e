"""`edge validate PROJECT`."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from edge import exits, logs
from edge.commands import settings as config_options
from edge.commands.output import as_json, say, say_json
from edge.commands.settings import Settings, configured

if TYPE_CHECKING:
    from edge.errors import Fault


@click.command("validate")
@click.argument("project", required=False)
@click.option(
    "--recipe",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Say instead whether both Greengrass nuclei would take this recipe.",
)
@configured
@as_json
def command(project: str | None, recipe: Path | None, json_wanted: bool, **settings: Unpack[Settings]) -> int:
    """Say whether `edge run PROJECT` with the same options would start.

    Exits with 0 if it would, else with 2 and a sentence for each reason. The model is loaded, files are
    opened and the hook is imported; nothing is published.
    """
    if recipe is not None:
        return checked(recipe, json_wanted)
    from edge import cost, validate

    logs.setup(settings["log"] or "warning")
    named = project or settings["project_option"]
    found = validate.check(
        named, config=settings["file"], environ=os.environ, overrides=config_options.overrides(settings)
    )
    expected = None if found else expected_cost(named, settings)
    good = [
        f"{named or 'the configured project'} is good to run",
        *(cost.lines(expected) if expected else []),
    ]
    return tell(found, good, json_wanted, cost=expected)


def checked(recipe: Path, json_wanted: bool) -> int:
    """The faults of a recipe file."""
    from edge.shipment import recipe_check

    return tell(recipe_check.of_file(recipe), [f"{recipe} is good for both nuclei"], json_wanted)


def tell(found: "Sequence[Fault]", good: Sequence[str], json_wanted: bool, **more: Any) -> int:
    """Each fault on a line of its own, or what is said where there is none; the exit code."""
    if json_wanted:
        faults = [{**dataclasses.asdict(fault), "where": str(fault.where)} for fault in found]
        say_json({"ok": not found, "faults": faults, **more})
    elif found:
        say("\n".join(map(str, found)), err=True)
    else:
        say("\n".join(good))
    return exits.USAGE if found else exits.GOOD


def expected_cost(named: str | None, settings: Settings) -> dict[str, Any]:
    """What the messages of a project that was found good would cost."""
    from edge import config as configuration
    from edge import cost
    from edge import project as projects

    config = configuration.load(settings["file"], os.environ, config_options.overrides(settings))
    return cost.expected(config, projects.load(projects.find(named or config.project or "")))
