"""`edge record PROJECT -o FILE`."""

from pathlib import Path
from typing import Any, Unpack

import click

from edge import exits
from edge.commands import settings as config_options
from edge.commands.output import as_json, say, say_json
from edge.commands.runs import duration, started
from edge.commands.settings import Settings, configured
from edge.errors import AlreadyThere, RecordingRefused
from edge.options import DRAIN, Options

MIB = 1 << 20
MAX_MIB = 1024


@click.command("record")
@click.argument("project", required=False)
@click.option(
    "-o",
    "--output",
    "path",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The recording; a file that is there is never replaced.",
)
@click.option(
    "--seconds", callback=lambda *given: duration(*given) if given[2] is not None else None, metavar="N",
    help="End after so long.",
)  # fmt: skip
@click.option("--frames", type=click.IntRange(min=1), metavar="N", help="End after N inferred frames.")
@click.option(
    "--max-bytes",
    type=click.IntRange(min=64 << 10),
    default=MAX_MIB * MIB,
    metavar="N",
    help=f"End before the file grows over N bytes.  [default: {MAX_MIB} MiB]",
)
@configured
@as_json
def command(
    project: str | None,
    path: Path,
    seconds: float | None,
    frames: int | None,
    max_bytes: int,
    json_wanted: bool,
    **settings: Unpack[Settings],
) -> int:
    """Run PROJECT as `edge run` does, and keep all that it saw and said in FILE, for `edge replay`.

    Kept are the pictures as they came, digests of what went into the model and came out, the results and the
    messages. It ends after --seconds or --frames, before --max-bytes, with the sources, or by Ctrl-C.
    """
    check_place(path)
    config = config_options.loaded(settings)
    from edge import project as projects
    from edge.recorder import Wish
    from edge.run import run

    found = projects.load(projects.find(config_options.chosen(project, settings, config)))
    options = Options(frames=frames, drain=DRAIN, record=Wish(path, seconds, max_bytes))
    code = started(run, config, found, options)
    told = kept(path)
    if not told["frames"]:
        code = code or exits.FAILED
    if json_wanted:
        say_json(told)
    else:
        say(text(told), err=code == exits.FAILED)
    return code


def check_place(path: Path) -> None:
    """Before anything is loaded. Raises AlreadyThere and RecordingRefused."""
    if path.exists():
        raise AlreadyThere(f"{path} is there already; a recording never replaces a file")
    if not path.parent.is_dir():
        raise RecordingRefused(f"{path} cannot be written: there is no folder {path.parent}")


def kept(path: Path) -> dict[str, Any]:
    """What is in the file, as whoever reads it finds it."""
    from streams.recording import Recording

    with Recording(path) as recording:
        frames = sum(1 for _ in recording.shots())
        told = recording.summary or {}
        return {
            "file": str(path),
            "frames": frames,
            "lost": told.get("lost", 0),
            "holes": told.get("holes", []),
            "bytes": path.stat().st_size,
            "ended": told.get("ended", "cut"),
            "error": told.get("error"),
        }


WHY = {
    "end": "",
    "seconds": "; the time was over",
    "bytes": "; the file had reached --max-bytes",
    "swap": "; another project was put in the place of the recorded one",
    "failed": "; it could not go on",
    "cut": "; its end is missing",
}


def text(told: dict[str, Any]) -> str:
    line = (
        f"{told['file']}: {told['frames']} frames, {told['bytes'] / 1e6:.2f} MB{WHY.get(told['ended'], '')}"
    )
    if not told["lost"]:
        return line
    holes = ", ".join(
        f"{first}" if first == last else f"{first} to {last}" for first, last in told["holes"][:5]
    )
    more = " and more" if len(told["holes"]) > 5 else ""
    return f"{line}\nit has holes: {told['lost']} frames found no room in the writer's queue ({holes}{more})"
