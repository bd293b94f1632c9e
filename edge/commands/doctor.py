"""`edge doctor`."""

import dataclasses
from typing import TYPE_CHECKING, Unpack

import click

from edge import exits
from edge.commands import settings as config_options
from edge.commands.output import as_json, say, say_json
from edge.commands.settings import Settings, configured
from edge.errors import ConfigInvalid

if TYPE_CHECKING:
    from edge.config import Config
    from edge.doctor import Check

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("doctor")
@configured
@as_json
def command(json_wanted: bool, **settings: Unpack[Settings]) -> int:
    """Check this machine: processor, libraries, cameras, access, clock, room, certificates and broker.

    Each thing that is wrong is told with its mend. Exits with 1 if something failed; warnings are none.
    """
    from edge import doctor

    checks: list[Check] = []
    config = configuration(settings, checks)
    for check in checks:
        show(check, json_wanted=json_wanted)
    for check in doctor.examine(doctor.Patient(config)):
        checks.append(check)
        show(check, json_wanted=json_wanted)
    failed = sum(check.state == "fail" for check in checks)
    if json_wanted:
        say_json({"ok": not failed, "checks": [dataclasses.asdict(check) for check in checks]})
    return exits.FAILED if failed else exits.GOOD


def configuration(settings: Settings, checks: "list[Check]") -> "Config | None":
    """The configuration; None if it cannot be used, which is then the first thing that failed."""
    from edge.doctor import Check

    try:
        config = config_options.loaded({**settings, "log": settings["log"] or "warning"})
    except ConfigInvalid as error:
        mend = "correct it; every key is described by: edge config schema"
        checks += [Check("configuration", "fail", str(fault), mend) for fault in error.faults]
        return None
    checks.append(Check("configuration", "ok", str(config.file or "no file; defaults hold")))
    return config


def show(check: "Check", *, json_wanted: bool) -> None:
    if json_wanted:
        return
    say(f"{click.style(f'{check.state:4}', fg=COLOURS[check.state])}  {check.name}: {check.found}")
    if check.mend and check.state != "ok":
        say(f"      mend: {check.mend}")
