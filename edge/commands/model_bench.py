"""`edge model bench MODEL`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge import logs
from edge.commands.output import as_json, say, say_json, table
from edge.progress import Progress

if TYPE_CHECKING:
    from edge.bench import Outcome
    from inference.measure import Measured, Way

WIDTH = 24  # of the bar, in characters


@click.command("bench")
@click.argument("model")
@click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Configuration file, for device and cache.  [default: ./edge.yaml where there is one]",
)
@click.option("--device", metavar="DEVICE", help="Device, or a list.  [default: inference.device]")
@click.option(
    "--for",
    "aim",
    type=click.Choice(("latency", "throughput")),
    default="latency",
    show_default=True,
    help="What wins: the lowest median latency, or the most pictures a second.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=30.0,
    show_default=True,
    help="Time for all of it.",
)
@click.option(
    "--requests",
    type=click.IntRange(1, 64),
    metavar="N",
    help="At most so many under way at once.  [default: twice the processors, up to 8]",
)
@click.option(
    "--also",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Another file of the same model to compare with; may be repeated.",
)
@click.option("--keep/--no-keep", default=True, help="Keep the winner for `edge run`.")
@as_json
def command(
    model: str,
    file: Path | None,
    device: str | None,
    aim: str,
    seconds: float,
    requests: int | None,
    also: tuple[Path, ...],
    keep: bool,
    json_wanted: bool,
) -> None:
    """Find out how MODEL runs best on this machine, and keep it for `edge run`.

    MODEL is a model file, a project's folder, or the name of a bundled project.
    """
    logs.setup("error")
    from edge import bench, config
    from edge.subject import subject

    wanted = config.load(file, os.environ, {}).inference
    device = device or wanted.device
    planned = bench.plan(subject(model), device, also=also, requests=requests)
    progress = Progress()
    try:
        outcome = bench.run(planned, aim, seconds, lambda *at: show(progress, *at))
    finally:
        progress.clear()
    folder = wanted.cache.folder if keep else None
    kept = bench.keep(outcome, folder, device, aim) if folder is not None else None
    if json_wanted:
        say_json(as_values(outcome, aim, kept))
    else:
        say(text(outcome, aim, kept))


def show(progress: Progress, number: int, count: int, way: "Way") -> None:
    if progress.watched:
        full = WIDTH * number // count
        bar = "#" * full + "-" * (WIDTH - full)
        progress.show(f"[{bar}] {number + 1} of {count}: {described(way)}", 0.0)


def described(way: "Way") -> str:
    threads = f", {way.threads} thread(s)" if way.threads else ""
    return f"{way.path.name} on {way.backend} {way.device}, {way.requests} request(s), {way.hint}{threads}"


def as_values(outcome: "Outcome", aim: str, kept: Path | None) -> dict[str, Any]:
    return {
        "model": str(outcome.own),
        "for": aim,
        "winner": values(outcome.winner),
        "measured": [values(each) for each in outcome.measured],
        "left_out": [{**way._asdict(), "path": str(way.path), "mode": way.mode} for way in outcome.left_out],
        "kept": str(kept) if kept is not None else None,
    }


def values(each: "Measured") -> dict[str, Any]:
    way = each.way
    return {
        **way._asdict(),
        "path": str(way.path),
        "mode": way.mode,
        "median_ms": round(each.median_ms, 4),
        "p95_ms": round(each.p95_ms, 4),
        "per_second": round(each.per_second, 2),
        "runs": each.runs,
        "error": each.error,
    }


def text(outcome: "Outcome", aim: str, kept: Path | None) -> str:
    head = (
        "",
        "FILE",
        "BACKEND",
        "DEVICE",
        "MODE",
        "REQUESTS",
        "HINT",
        "THREADS",
        "MEDIAN MS",
        "P95 MS",
        "A SECOND",
    )
    lines = [table([head, *(row(each, outcome) for each in outcome.measured)])]
    lines += [f"{described(each.way)}: {each.error}" for each in outcome.measured if each.error]
    if outcome.left_out:
        lines.append(
            f"{len(outcome.left_out)} more were not measured: the time was up (--seconds gives more)"
        )
    lines += faster(outcome, aim)
    lines.append(f"* is best for {aim}.")
    if kept is not None:
        lines.append(
            "edge run uses it on this machine, unless inference.backend, requests, hint or threads is configured."
        )
    return "\n".join(lines)


def row(each: "Measured", outcome: "Outcome") -> tuple[str, ...]:
    way = each.way
    figures = (
        ("-", "-", "-")
        if each.error
        else (f"{each.median_ms:.3f}", f"{each.p95_ms:.3f}", f"{each.per_second:.1f}")
    )
    return (
        "*" if each is outcome.winner else "",
        way.path.name,
        way.backend,
        way.device,
        way.mode,
        str(way.requests),
        way.hint,
        str(way.threads or "all"),
        *figures,
    )


def faster(outcome: "Outcome", aim: str) -> Iterator[str]:
    """Other files of the model that are quicker: to use one is for the project to say, as its answers differ."""
    from inference.measure import AS_GOOD, best

    for path in dict.fromkeys(each.way.path for each in outcome.measured if each.way.path != outcome.own):
        found = best([each for each in outcome.measured if each.way.path == path], aim)
        if found is None:
            continue
        gain = (
            outcome.winner.median_ms / found.median_ms
            if aim == "latency"
            else found.per_second / outcome.winner.per_second
        )
        if gain > AS_GOOD:
            yield f"{path.name} is {gain:.2f} times as good; `model: {path.name}` in project.yaml would use it"
