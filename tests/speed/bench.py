"""The kernels and the engine against the fastest that others offer: `make bench`, or with JSON=FILE a report too.

With names, only the cases that hold one of them: bench.py YUYV "u8 640x480". With --runs N everything is measured N
times over, and a target is held if it was held in most of them. Ends with 1 where an output disagrees or a target is
missed (--no-targets: shown, and no failure). EDGE_CPU=v2 holds ours and the peers to the instructions of an Atom.
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
from collections.abc import Iterator  # noqa: E402
from typing import NamedTuple  # noqa: E402

import engine  # noqa: E402
import table  # noqa: E402
from case import Case, Target  # noqa: E402
from measure import Row, means, measured  # noqa: E402
from runs import over_runs  # noqa: E402
from threads import Maker, scaling_rows  # noqa: E402

import kernels  # noqa: E402


class Chosen(NamedTuple):
    """Which cases are measured: those that hold one of `names`, or any where there are none, and none of `but`."""

    names: tuple[str, ...]
    but: tuple[str, ...]

    def __call__(self, name: str) -> bool:
        wanted = not self.names or any(each in name for each in self.names)
        return wanted and not any(each in name for each in self.but)


class Found(NamedTuple):
    """What one module of cases has to offer."""

    cases: list[Case]
    means: dict[str, tuple[Target, ...]]
    threaded: dict[str, Maker]


def modules(chosen: Chosen) -> list[Found]:
    """Of every cases_*.py, what is chosen."""
    found = []
    for path in sorted(HERE.glob("cases_*.py")):
        module = importlib.import_module(path.stem)
        means = {name: _several(targets) for name, targets in getattr(module, "MEANS", {}).items()}
        threaded = getattr(module, "threaded", dict)()
        makers = {name: maker for name, maker in threaded.items() if chosen(f"two threads: {name}")}
        found.append(Found([case for case in module.cases() if chosen(case.name)], means, makers))
    return found


def _several(targets: Target | tuple[Target, ...]) -> tuple[Target, ...]:
    return targets if isinstance(targets, tuple) else (targets,)


def rows_of(found: Found, rounds: int) -> Iterator[Row]:
    done = []
    for case in found.cases:
        done.append((case, measured(case, kernels.LEVEL, rounds)))
        yield done[-1][1]
    yield from means(done, found.means, kernels.LEVEL)
    yield from scaling_rows(found.threaded, kernels.LEVEL)


def run(all_found: list[Found], chosen: Chosen, rounds: int) -> list[Row]:
    """Everything once, told as it comes; whole processes only in a run that is not held to a level."""
    rows: list[Row] = []
    for found in all_found:
        for row in rows_of(found, rounds):
            rows.append(row)
            table.show(row)
    for row in () if os.environ.get("EDGE_CPU") else engine.rows(chosen):
        rows.append(row)
        table.show(row)
    return rows


def run_all(chosen: Chosen, rounds: int, runs: int) -> list[Row]:
    """All runs, and what they say together."""
    found = modules(chosen)
    each = []
    for number in range(1, runs + 1):
        if runs > 1:
            table.say(f"run {number} of {runs}")
        each.append(run(found, chosen, rounds))
    if runs == 1:
        return each[0]
    table.say(f"medians of {runs} runs")
    together = over_runs(each)
    for row in together:
        table.show(row)
    return together


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="only cases whose name holds one of these")
    parser.add_argument(
        "--but", action="append", default=[], metavar="NAME", help="no case whose name holds this; repeatable"
    )
    parser.add_argument("--json", type=Path, help="write the report to this file")
    parser.add_argument("--rounds", type=int, default=100, help="of each case in a run, at least (100)")
    parser.add_argument("--runs", type=int, default=1, help="how often everything is measured (1)")
    parser.add_argument("--no-targets", action="store_true", help="a missed target is no failure")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    machine = table.machine()
    table.head(machine)
    rows = run_all(Chosen(tuple(given.names), tuple(given.but)), given.rounds, max(1, given.runs))
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"machine": machine, "runs": max(1, given.runs), "results": [row.told() for row in rows]}
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    disagree = [row.case for row in rows if not row.agrees]
    missed = [row.case for row in rows if not all(judged.held for judged in row.targets)]
    table.foot(len(rows), disagree, missed)
    return int(bool(disagree or (missed and not given.no_targets)))


if __name__ == "__main__":
    sys.exit(main())
