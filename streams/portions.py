"""Rows for SQLite by the portion: it takes one in a single step, and each step lets the interpreter change over to
another thread, which costs more than the row."""

import functools
from collections.abc import Iterator, Sequence

MOST = 64  # rows in one statement
Values = Sequence[object]


def insertions(table: str, columns: str, rows: Sequence[Values]) -> Iterator[tuple[str, list[object]]]:
    """Statements with their values that put the rows in, each in the place of one with its key.

    columns: names, a comma and a space between. The portions' sizes are powers of two, at most MOST: so there are
    few different statements, and SQLite's module keeps them compiled.
    """
    done = 0
    while done < len(rows):
        size = min(MOST, 1 << ((len(rows) - done).bit_length() - 1))
        yield (
            insertion(table, columns, size),
            [value for row in rows[done : done + size] for value in row],
        )
        done += size


@functools.cache
def insertion(table: str, columns: str, rows: int) -> str:
    marks = f"({', '.join('?' * len(columns.split(', ')))})"
    return f"INSERT OR REPLACE INTO {table} ({columns}) VALUES {', '.join([marks] * rows)}"
