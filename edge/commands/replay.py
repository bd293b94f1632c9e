"""`edge replay FILE`."""

import math
from pathlib import Path
from typing import Any, Unpack

import click

from edge import exits
from edge.commands import settings as config_options
from edge.commands.output import as_json, say, say_json, table
from edge.commands.settings import Settings, configured

MOST_CHANGES = 5


def number(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):
        raise click.BadParameter("expected a number", ctx, param)
    return value


@click.command("replay")
@click.argument("recording", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--frames", type=click.IntRange(min=1), metavar="N", help="Replay the first N frames only.")
@click.option("--pace", type=click.Choice(("fast", "real-time")), default="fast", show_default=True,
              help="As quickly as the model answers, or as it was recorded.")  # fmt: skip
@click.option("--tolerance", type=click.FloatRange(0, 1e9), callback=number, metavar="T",
              help="Compare results instead of bytes; numbers in them may differ by T.")  # fmt: skip
@click.option("--ignore", multiple=True, metavar="FIELD",
              help="A field of messages that is not compared, such as one of a hook's; may be repeated.")  # fmt: skip
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write a report of the replay, as JSON.")  # fmt: skip
@configured
@as_json
def command(
    recording: Path,
    frames: int | None,
    pace: str,
    tolerance: float | None,
    ignore: tuple[str, ...],
    report: Path | None,
    json_wanted: bool,
    **settings: Unpack[Settings],
) -> int:
    """Run the frames of a recording again, and tell what comes out otherwise than it did then.

    Exits with 0 if all is the same: messages byte for byte but for their times, the digests of what went into the
    model and came out of it, and the results. Exits with 1 where something differs, 2 where FILE is no recording or
    is damaged. --project and --set choose another project, model or backend. Nothing is published.
    """
    for name in ("source", "transport"):
        if settings[name] is not None:
            raise click.UsageError(
                f"--{name} has no meaning here: the frames come from {recording}, and nothing leaves"
            )
    config = config_options.loaded({**settings, "log": settings["log"] or "warning"})
    from edge import replay as replaying
    from edge import replay_report
    from edge.signals import Signals

    if report is not None:
        replay_report.check(report)
    asked = replaying.Asked(recording, settings["project_option"], frames, pace, ignore, tolerance)
    with Signals() as signals:
        outcome = replaying.replay(asked, config, ended=lambda: bool(signals))
    code = exits.GOOD if outcome.same else exits.FAILED
    if signals:
        code = exits.INTERRUPTED
    if report is not None:
        replay_report.write(outcome, code, report)
    say_json(outcome.told) if json_wanted else say(text(outcome.told))
    return code


def text(told: dict[str, Any]) -> str:
    frames = told["frames"]
    counts = (
        f"{frames['compared']} frames replayed, {frames['same']} the same, {frames['different']} different"
    )
    lines = [f"{told['recording']}: {counts}", *(f"note: {note}" for note in told["notes"])]
    if told["changed_files"]:
        lines.append(f"of the project {', '.join(told['changed_files'])} changed since")
    lines += [f"{each['field']} was {each['recorded']}, is {each['replayed']}" for each in told["identity"]]
    if told["first"] is not None:
        lines.append(first(told["first"]))
    if not told["same"] or frames["different"]:
        lines.append(table(rows(told)))
    return "\n".join(lines)


def first(found: dict[str, Any]) -> str:
    frame = found["frame"]
    where = f"first difference: frame {frame['n']} ({frame['source']} {frame['id']}), {found['field']}"
    return f"{where}: recorded {shortened(found['recorded'])}, replayed {shortened(found['replayed'])}"


def shortened(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 80 else f"{told[:77]}..."


def rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    like = told["likeness"]
    changes = [
        f"{each['from']} -> {each['to']} {each['count']}x"
        for each in like["labels"]["changes"][:MOST_CHANGES]
    ]
    boxes, iou = like["boxes"], like["boxes"]["iou"]
    found = [("DIFFERENT IN", "FRAMES"), *((stage, str(count)) for stage, count in told["stages"].items())]
    found.append(("labels", "; ".join([str(like["labels"]["changed"]), *changes])))
    if boxes["matched"] or boxes["missing"] or boxes["added"]:
        overlap = f", IoU mean {iou['mean']:.4f}, least {iou['least']:.4f}" if boxes["matched"] else ""
        found.append(
            (
                "boxes",
                f"{boxes['matched']} matched{overlap}, {boxes['missing']} missing, {boxes['added']} added",
            )
        )
    found.append(
        ("scores", f"apart by {like['scores']['largest']:g} at most, {like['scores']['mean']:g} in the mean")
    )
    if like["outputs"]["compared"]:
        found.append(("raw outputs", f"apart by {like['outputs']['largest']:g} at most"))
    return found
