"""One file holds bodies for several CPUs: which of them runs, that they agree, and that none strays."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kernels

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
WIDE = re.compile(r"%[yz]mm\d|%k[1-7]")
SUFFIX = re.compile(r"_v[34](\.|$)")
WORK = Path(__file__).parent.parent / "tools" / "level_digest.py"


def compiled() -> Path:
    if kernels.IMPLEMENTATION != "compiled":
        pytest.skip("the compiled kernels do not serve")
    return Path(kernels.__file__).parent


def levels() -> tuple[str, ...]:
    compiled()
    return __import__("kernels._levels", fromlist=["LEVELS"]).LEVELS


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key != "EDGE_CPU"}
    kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, *command],
        env=kept | environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_best_level_of_the_cpu_is_chosen():
    done = run("-c", "import kernels; print(kernels.LEVEL)")
    assert done.stdout.strip() == levels()[-1]


def test_every_level_of_the_cpu_can_be_forced():
    for level in levels():
        if level in ("v2", "v3", "v4"):
            done = run("-c", "import kernels; print(kernels.LEVEL)", EDGE_CPU=level)
            assert (done.returncode, done.stdout.strip()) == (0, level)


@pytest.mark.parametrize("value", ["v5", "V3", "avx2"])
def test_an_unknown_level_ends_with_a_sentence(value):
    compiled()
    done = run("-c", "import kernels", EDGE_CPU=value)
    assert done.returncode != 0
    assert f"ValueError: EDGE_CPU must be one of v2, v3, v4, not '{value}'" in done.stderr


def test_a_level_that_the_cpu_lacks_ends_with_a_sentence(monkeypatch):
    compiled()
    module = __import__("kernels._levels", fromlist=["chosen"])
    monkeypatch.setattr(module, "LEVELS", module.LEVELS[:1])  # as on a processor that has the lowest alone
    highest = module.NAMES[-1]
    with pytest.raises(ValueError, match=f"EDGE_CPU={highest}, but this CPU runs no more than"):
        module.chosen(highest)


def test_every_level_makes_the_same_bytes():
    """Pictures, conversions, scores, boxes, masks and observations of many sizes: the digests are equal."""
    digests = {}
    for level in levels():
        done = run(str(WORK), EDGE_CPU=level if level.startswith("v") else "")
        assert done.returncode == 0, done.stderr
        digests[level] = dict(line.split() for line in done.stdout.splitlines())
    lengths = {len(digest) for told in digests.values() for digest in told.values()}
    assert lengths == {hashlib.sha256().digest_size * 2}
    first = digests[levels()[0]]
    assert len(first) == 6
    assert {level: told for level, told in digests.items() if told != first} == {}


@pytest.mark.skipif(shutil.which("objdump") is None, reason="there is no objdump")
def test_wide_registers_stand_in_dispatched_bodies_alone():
    strays, found = set(), 0
    for built in sorted(compiled().glob("_*.so")):
        listing = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", str(built)], capture_output=True, text=True, check=True
        ).stdout
        function = ""
        for line in listing.splitlines():
            head = FUNCTION.match(line)
            if head:
                function = head.group(1)
            elif WIDE.search(line):
                found += 1
                if not SUFFIX.search(function):
                    strays.add(f"{built.name}: {function}")
    assert not strays
    assert found or "v3" not in levels()
