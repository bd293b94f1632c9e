"""`edge model quantize MODEL --pictures DIR -o DIR`."""

from pathlib import Path
from typing import Any

import click

from edge import exits, logs
from edge.commands.model_options import may_replace, output_folder
from edge.commands.output import as_json, say, say_json, table
from inference.manifest import TASKS

MB = 1_000_000
MOST_ROWS = 40
MOST_TOLD = 5


@click.command("quantize")
@click.argument("model")
@click.option(
    "--pictures",
    required=True,
    metavar="DIR|RECORDING",
    type=click.Path(path_type=Path),
    help="Pictures such as the camera will see, or what `edge record` kept of it; at least 20, better some hundred.",
)
@output_folder
@click.option(
    "--agreement",
    type=click.FloatRange(0, 1),
    default=0.97,
    show_default=True,
    metavar="SHARE",
    help="How far both models must agree, as a whole and in each class.",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0.05, 0.9),
    default=0.3,
    show_default=True,
    metavar="SHARE",
    help="Part of the pictures that is kept for the comparison.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Which pictures these are.",
)
@click.option("--task", type=click.Choice(TASKS), help="What the model does, where it has no project.")
@may_replace
@as_json
def command(
    model: str,
    pictures: Path,
    into: Path,
    agreement: float,
    held_out: float,
    seed: int,
    task: str | None,
    force: bool,
    json_wanted: bool,
) -> int:
    """Make an INT8 model of MODEL, if it agrees with the original.

    MODEL is a model file, a project's folder, or the name of a bundled project; of a project comes a project.
    Most of the pictures set the scales of the numbers; on the others both models are compared. Where they
    agree too little, as a whole or in a class, nothing is written, and the command exits with 1.
    """
    logs.setup("error")
    from edge.quantize import Wish, quantize
    from edge.subject import subject

    wish = Wish(pictures, into, agreement, held_out, seed, task, force)
    done = quantize(subject(model), wish)
    if json_wanted:
        say_json({**done.report, "folder": str(done.folder) if done.accepted else None})
    else:
        say(text(done.report))
        say(f"{done.folder} is written" if done.accepted else refusal(done.report), err=not done.accepted)
    return exits.GOOD if done.accepted else exits.FAILED


def text(report: dict[str, Any]) -> str:
    size, pictures = report["bytes"], report["pictures"]
    return "\n".join(
        [
            f"{report['model']}: {size['original'] / MB:.2f} MB to {size['int8'] / MB:.2f} MB, "
            f"calibrated on {pictures['calibrated']} pictures, compared on {pictures['compared']}",
            table(rows(report)),
            *unseen(report["unseen"]),
        ]
    )


def unseen(labels: list[str]) -> list[str]:
    if not labels:
        return []
    more = f" and {len(labels) - MOST_TOLD} more" if len(labels) > MOST_TOLD else ""
    return [
        f"No picture that was compared shows {', '.join(labels[:MOST_TOLD])}{more}: of these it tells nothing."
    ]


def rows(report: dict[str, Any]) -> list[tuple[str, ...]]:
    """The whole, then the classes, the worst first."""
    counted = report["counted"]
    head = ("", "AGREEMENT", f"ORIGINAL'S {counted.upper()}", f"INT8'S {counted.upper()}", "")
    whole = "" if whole_is_good(report) else "too little"
    found: list[tuple[str, ...]] = [head, ("whole", percent(report["agreement"]), "", "", whole)]
    classes = sorted(report["classes"], key=lambda row: (not row["refused"], row["agreement"]))
    for row in classes[:MOST_ROWS]:
        note = "too little" if row["refused"] else "" if row["decides"] else "seen too seldom to decide"
        found.append((row["label"], percent(row["agreement"]), str(row["original"]), str(row["int8"]), note))
    if len(classes) > MOST_ROWS:
        found.append((f"{len(classes) - MOST_ROWS} more classes", "", "", "", ""))
    return found


def refusal(report: dict[str, Any]) -> str:
    under = [row["label"] for row in report["classes"] if row["refused"]]
    what = [] if whole_is_good(report) else ["as a whole"]
    what += (
        [f"in {', '.join(under[:5])}{f' and {len(under) - 5} more' if len(under) > 5 else ''}"]
        if under
        else []
    )
    return (
        f"refused: the INT8 model agrees with the original by less than {percent(report['limit'])} "
        f"{' and '.join(what)}; nothing is written. More pictures, or others, may help."
    )


def whole_is_good(report: dict[str, Any]) -> bool:
    return bool(report["agreement"] >= report["limit"])


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"
