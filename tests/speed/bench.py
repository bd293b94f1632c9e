"""The kernels and the engine against the fastest that others offer: `make bench`, or with JSON=FILE a report too.

Ends with 1 where an output disagrees or a target is missed (--no-targets: shown, and no failure).
EDGE_CPU=v2 holds ours and the peers to the instructions of an Atom.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parent / "tools")]

import capped  # noqa: E402 - the paths come first

if __name__ == "__main__":
    capped.begin_again()

import argparse  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
from typing import NamedTuple  # noqa: E402

import engine  # noqa: E402
import table  # noqa: E402
from case import Case, Target  # noqa: E402
from measure import Row, means, measured  # noqa: E402
from threads import Maker, scaling_rows  # noqa: E402

import kernels  # noqa: E402


class Found(NamedTuple):
    """What one module of cases has to offer."""

    cases: list[Case]
    means: dict[str, tuple[Target, ...]]
    threaded: dict[str, Maker]


def modules(only: str) -> list[Found]:
    """Of every cases_*.py, what has `only` in its name."""
    found = []
    for path in sorted(HERE.glob("cases_*.py")):
        module = importlib.import_module(path.stem)
        means = {name: _several(targets) for name, targets in getattr(module, "MEANS", {}).items()}
        threaded = getattr(module, "threaded", dict)()
        chosen = {name: maker for name, maker in threaded.items() if only in f"two threads: {name}"}
        found.append(Found([case for case in module.cases() if only in case.name], means, chosen))
    return found


def _several(targets: Target | tuple[Target, ...]) -> tuple[Target, ...]:
    return targets if isinstance(targets, tuple) else (targets,)


def shown(rows: list[Row]) -> list[Row]:
    for row in rows:
        table.show(row)
    return rows


def run(only: str, rounds: int) -> list[Row]:
    rows: list[Row] = []
    for found in modules(only):
        done = []
        for case in found.cases:
            done.append((case, measured(case, kernels.LEVEL, rounds)))
            table.show(done[-1][1])
        rows += [row for _, row in done]
        rows += shown(means(done, found.means, kernels.LEVEL))
        rows += shown(scaling_rows(found.threaded, kernels.LEVEL))
    return rows + engine_rows(only)


def engine_rows(only: str) -> list[Row]:
    """Whole processes, by the instructions that they find: not in a run that is held to others."""
    if os.environ.get("EDGE_CPU"):
        return []
    rows = []
    for row in engine.rows(only):
        rows.append(row)
        table.show(row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the report to this file")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--no-targets", action="store_true", help="a missed target is no failure")
    given = parser.parse_args()
    machine = table.machine()
    table.head(machine)
    rows = run(given.only, given.rounds)
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"machine": machine, "results": [row.told() for row in rows]}
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    disagree = [row.case for row in rows if not row.agrees]
    missed = [row.case for row in rows if not all(judged.held for judged in row.targets)]
    table.foot(len(rows), disagree, missed)
    return int(bool(disagree or (missed and not given.no_targets)))


if __name__ == "__main__":
    sys.exit(main())
