"""`edge model inspect MODEL`."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from edge import exits, logs
from edge.commands.output import as_json, say, say_json, table

MB = 1_000_000
LONGEST = 60  # characters of a value of metadata
MOST_KINDS = 12  # of operations, in a table


@click.command("inspect")
@click.argument("model")
@as_json
def command(model: str, json_wanted: bool) -> int:
    """Say what MODEL is, and what a run would make of it.

    MODEL is a model file, a project's folder, or the name of a bundled project. Exits with 0 where `edge run`
    would take the model (of a file alone: for some task), else with 2.
    """
    logs.setup("error")
    from edge.inspection import inspect

    found = inspect(model)
    if json_wanted:
        say_json(found)
    else:
        say(text(found))
    return exits.GOOD if found["accepted"] else exits.USAGE


def text(found: Mapping[str, Any]) -> str:
    parts = [
        table(summary(found)),
        section("Inputs", ((each["name"], each["shape"], each["type"]) for each in found["inputs"])),
        section("Outputs", ((each["name"], each["shape"], each["type"]) for each in found["outputs"])),
        section("Metadata", ((key, short(value)) for key, value in found["metadata"].items())),
        section("Operations", operations(found["operations"])),
        section(
            "Settings, and where a run takes them from", map(setting, filter(is_said, found["settings"]))
        ),
        section("Tasks", map(task, found["tasks"])),
    ]
    return "\n".join(part for part in parts if part)


def summary(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Model", found["path"]
    yield "Format", f"{found['kind']} ({found['format']}), read by {found['reader']}"
    yield "Size", f"{found['bytes'] / MB:.1f} MB in {', '.join(found['files'])}"
    yield "SHA-256", found["sha256"]
    if found["precision"]:
        parts = (f"{name} {size / MB:.1f} MB" for name, size in found["weights"].items() if size >= MB / 10)
        yield "Precision", f"{found['precision']} ({', '.join(parts) or 'hardly any weights'})"


def operations(counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for kind, count in list(counts.items())[:MOST_KINDS]:
        yield kind, str(count)
    rest = list(counts.values())[MOST_KINDS:]
    if rest:
        yield f"{len(rest)} more kinds", str(sum(rest))


def setting(row: Mapping[str, Any]) -> tuple[str, str, str]:
    value = row["value"]
    shown = (
        "-" if value is None else " x ".join(map(str, value)) if row["key"] == "input.size" else str(value)
    )
    return row["key"], short(shown), row["origin"]


def is_said(row: Mapping[str, Any]) -> bool:
    """Nobody says most keys of an answer, and most belong to other tasks."""
    return row["value"] is not None or row["key"].startswith("input.")


def task(row: Mapping[str, Any]) -> tuple[str, str, str]:
    if not row["fits"]:
        return row["task"], "no", row["reason"]
    details = [f"on {row['backend']}"]
    details += [f"decoder {row['decoder']}"] if row["decoder"] else []
    details += [f"{row['classes']} classes"] if row["classes"] else []
    return row["task"], "yes", ", ".join(details)


def section(title: str, rows: Any) -> str:
    lines = [tuple(map(str, row)) for row in rows]
    return f"{title}\n" + table((f"  {row[0]}", *row[1:]) for row in lines) if lines else ""


def short(value: str) -> str:
    one_line = " ".join(value.split())
    return one_line if len(one_line) <= LONGEST else one_line[: LONGEST - 3] + "..."
