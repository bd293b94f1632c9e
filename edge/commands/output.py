"""How verbs answer: tables for people, JSON for programs, and nothing secret in either."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

from edge.redaction import hide

as_json = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")


def say(text: str, *, err: bool = False) -> None:
    click.echo(hide(text), err=err)


def say_json(content: Any) -> None:
    click.echo(hide(json.dumps(content, indent=2, ensure_ascii=False)))


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines, each column as wide as its widest cell."""
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
