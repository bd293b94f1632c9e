"""`edge spool show` and `edge spool drain`."""

from typing import Any, Unpack

import click

from edge import exits
from edge.commands import settings as config_options
from edge.commands.output import as_json, say, say_json, table
from edge.commands.settings import Settings, configured


@click.group("spool")
def command() -> None:
    """Show or send the messages that wait for the broker."""


@command.command("show")
@configured
@as_json
def show(json_wanted: bool, **settings: Unpack[Settings]) -> None:
    """Show what waits in the spool, also while a run uses it."""
    config = config_options.loaded({**settings, "log": settings["log"] or "warning"})
    from edge import outbox

    seen = outbox.sight(config)
    if json_wanted:
        say_json(seen)
        return
    say(f"{seen['folder']}: {kib(seen['file_bytes'])} on the disk, bound {kib(seen['max_bytes'])}")
    rows = [row(name, each) for name, each in seen["waiting"].items()]
    say(table([("CLASS", "MESSAGES", "SIZE", "OLDEST"), *rows]))
    for kept in seen["kept_apart"]:
        say(f"kept apart since {kept['since']}: {kept['bytes']} bytes for {kept['topic']}: {kept['reason']}")
    if seen["written_bytes_per_message"] is not None:
        each, whole = seen["written_bytes_per_message"], seen["written_bytes"]
        say(f"written to the disk so far: {kib(whole)}, {each:,} bytes for each message")
    for name in seen["set_aside"]:
        say(f"set aside as damaged: {name}")
    if seen["holder"]:
        say(seen["holder"].partition(":")[0])


@command.command("drain")
@configured
@click.option("--timeout", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="SECONDS",
              help="How long to try.")  # fmt: skip
@click.option("--kept-apart", is_flag=True, help="Try messages again that were kept apart.")
@as_json
def drain(timeout: float, kept_apart: bool, json_wanted: bool, **settings: Unpack[Settings]) -> int:
    """Send what waits in the spool without running a project. Exits with 1 if something is left."""
    config = config_options.loaded({**settings, "log": settings["log"] or "warning"})
    if config.transport.kind == "local":
        raise click.UsageError("name the broker: --transport mqtt://host:port, or transport in edge.yaml")
    from edge import outbox
    from edge.progress import Progress

    progress = Progress()

    def tell(sent: int, left: int) -> None:
        import time

        if progress.due(now := time.monotonic()):
            progress.show(f"{sent} sent, {left} left", now)

    sent, left = outbox.drain(config, timeout, tell, kept_apart=kept_apart)
    progress.clear()
    if json_wanted:
        say_json({"sent": sent, "left": left})
    else:
        say(f"{sent} sent, {left} left")
    return exits.FAILED if left else exits.GOOD


def row(name: str, each: dict[str, Any]) -> tuple[str, str, str, str]:
    oldest = "-" if each["oldest_s"] is None else f"{each['oldest_s']:g} s ago"
    return name, str(each["messages"]), kib(each["bytes"]), oldest


def kib(size: int) -> str:
    return f"{size / 1024:,.0f} KiB"
