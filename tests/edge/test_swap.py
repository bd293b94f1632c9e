"""A project is asked for, made ready beside the running one, tried out, kept or refused with its cause."""

import functools
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import swap_models
from swap_models import BROKEN, good
from swap_models import project as made
from swap_run import Live, live

from edge import bundle, signing
from edge import project as projects
from edge.newcomer import Supply
from edge.options import Options
from edge.swap import Swaps
from inference.files import sha256_of

HOOK = """
import pathlib
DIARY = pathlib.Path(__file__).with_name("diary")
class Hook:
    def on_start(self, project):
        DIARY.write_text("start ")
    def on_result(self, frame, result):
        return {"said": WORD}
    def on_stop(self):
        DIARY.write_text(DIARY.read_text() + "stop ")
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return made(tmp_path / "base", functools.partial(good, seed=900))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return made(tmp_path / "other", functools.partial(good, seed=901))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with release.key and release.pub, and the same of a stranger."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("release", "stranger"):
        words = ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key"]
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
        subprocess.run(
            ["openssl", "ec", "-in", f"{name}.key", "-pubout", "-out", f"{name}.pub"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    return folder


def signed(place: Path, keys: Path, version: str = "1", by: str = "release") -> dict[str, Any]:
    """A request for a bundle of a project."""
    archive, signature = bundle.write(
        projects.load(place),
        version,
        signing.private_key(keys / f"{by}.key"),
        place.parent / f"out-{version}-{by}",
    )
    return {"uri": str(archive), "sha256": signature["sha256"], "signature": signature}


def answers(run: Live, count: int) -> None:
    """Wait for so many messages more."""
    wanted, ends = len(run.messages) + count, time.monotonic() + 20
    while len(run.messages) < wanted and time.monotonic() < ends:
        time.sleep(0.01)
    assert len(run.messages) >= wanted


def test_another_project_answers_with_its_digest_and_numbers_go_on(
    tmp_path: Path, base: Path, other: Path
) -> None:
    with live(base, tmp_path / "state") as run:
        answers(run, 3)
        outcome = run.ask(other)
        assert outcome == {"outcome": "done", "project": "other", "sha256": sha256_of(other / "model.onnx")}
        answers(run, 3)
    by = {
        (message["project"], message["model"]["name"], message["model"]["sha256"]) for message in run.messages
    }
    assert by == {(name, name, sha256_of(tmp_path / name / "model.onnx")) for name in ("base", "other")}
    assert [message["seq"] for message in run.messages] == list(range(1, len(run.messages) + 1))
    frames = [message["frame"]["id"] for message in run.messages]
    assert frames == sorted(set(frames))
    assert run.run.swap.figures() == {"asked": 1, "done": 1, "refused": 0, "rolled_back": 0, "causes": {}}
    assert run.run.runtime.model.identity.name == "other"


@pytest.mark.parametrize("kind", [kind for kind, broken in BROKEN.items() if broken.cause != "model"])
def test_what_is_broken_is_refused_by_its_cause_and_sends_nothing(
    tmp_path: Path, base: Path, kind: str
) -> None:
    broken = BROKEN[kind]
    place = made(tmp_path / "broken", broken.make, labels=broken.labels)
    with live(base, tmp_path / "state") as run:
        answers(run, 3)
        outcome = run.ask(place)
        assert (outcome["outcome"], outcome["cause"]) == ("refused", broken.cause), outcome
        answers(run, 3)
    assert {message["project"] for message in run.messages} == {"base"}
    assert run.run.swap.figures()["causes"] == {broken.cause: 1}


@pytest.mark.parametrize(
    ("text", "cause", "words"),
    [
        ("name: [", "project", "project.yaml"),
        ("name: x\ntask: classification\nmodel: gone.onnx\n", "model", "gone.onnx"),
        ("name: x\ntask: classification\nmodel: fake:classification:3\nhook: hook.py\n", "hook", "on_result"),
    ],
)
def test_a_project_that_cannot_be_loaded_is_refused(
    tmp_path: Path, base: Path, text: str, cause: str, words: str
) -> None:
    place = tmp_path / "other"
    place.mkdir()
    (place / "project.yaml").write_text(text)
    (place / "hook.py").write_text("")
    with live(base, tmp_path / "state") as run:
        outcome = run.ask(place)
    assert outcome["cause"] == cause
    assert words in outcome["error"]


def test_the_hook_comes_and_goes_with_its_project(tmp_path: Path, base: Path, other: Path) -> None:
    for place, word in ((base, "first"), (other, "second")):
        (place / "hook.py").write_text(HOOK.replace("WORD", repr(word)))
        (place / "project.yaml").write_text((place / "project.yaml").read_text() + "hook: hook.py\n")
    before = set(sys.modules)
    with live(base, tmp_path / "state") as run:
        answers(run, 3)
        assert run.ask(other)["outcome"] == "done"
        answers(run, 3)
    assert {(message["project"], message["said"]) for message in run.messages} == {
        ("base", "first"),
        ("other", "second"),
    }
    assert (base / "diary").read_text() == (other / "diary").read_text() == "start stop "
    assert not [name for name in set(sys.modules) - before if name.startswith("lensracer_project_hook")]


def test_the_former_project_comes_back_when_asked_for(tmp_path: Path, base: Path, other: Path) -> None:
    with live(base, tmp_path / "state") as run:
        refused = run.run.swap.rollback().result(20)
        assert (refused["outcome"], refused["cause"]) == ("refused", "nothing")
        run.ask(other)
        assert run.run.swap.rollback().result(20)["project"] == "base"
        answers(run, 2)
        assert run.messages[-1]["project"] == "base"


def test_golden_pictures_decide(tmp_path: Path, base: Path) -> None:
    import cv2
    import numpy as np

    turned = made(tmp_path / "turned", swap_models.turned)
    (turned / "golden").mkdir()
    cv2.imwrite(str(turned / "golden" / "red.png"), np.full((48, 64, 3), (0, 0, 255), np.uint8))
    (turned / "golden" / "red.json").write_text(json.dumps({"results": [{"label": "red"}]}))
    with live(base, tmp_path / "state") as run:
        outcome = run.ask(turned)
        assert (outcome["cause"], outcome["error"]) == (
            "golden", "model.onnx golden picture red.png: blue was found instead of red",
        )  # fmt: skip
        (turned / "golden" / "red.json").write_text("[]")
        assert run.ask(turned)["cause"] == "project"
        (turned / "golden" / "red.json").unlink()
        assert run.ask(turned)["outcome"] == "done"


def test_a_model_that_says_otherwise_than_the_running_one_is_refused_where_agreement_is_asked(
    tmp_path: Path,
) -> None:
    import cv2
    import numpy as np

    first = made(tmp_path / "a" / "sorter", swap_models.turned)
    second = made(tmp_path / "b" / "sorter", functools.partial(swap_models.models.classifier))
    (second / "golden").mkdir()
    cv2.imwrite(str(second / "golden" / "red.png"), np.full((48, 64, 3), (0, 0, 255), np.uint8))
    with live(first, tmp_path / "state", **{"swap.agreement": 0.9}) as run:
        outcome = run.ask(second)
    assert outcome["cause"] == "agreement"
    assert "agrees with the running model in 0% of the golden pictures; 90% are asked" in outcome["error"]


@pytest.mark.parametrize(
    ("wanted", "cause", "words"),
    [
        ({"project": "/tmp"}, "missing", "from outside none else is taken"),
        ({"project": "../base"}, "missing", "from outside none else is taken"),
        ({"project": 5}, "request", "expected {project} or {uri, sha256, signature}"),
        ({}, "request", "expected"),
        ({"project": "x" * 10_000}, "missing", "no project named 'xxx"),
        ({"x" * 10_000: 1}, "request", "expected"),
        ({"project": "\0"}, "missing", "no project named"),
        ({"uri": 5, "sha256": [], "signature": {}}, "request", "expected"),
        ({"uri": "https://example.org/x", "sha256": "0" * 64}, "request", "expected"),
    ],
)
def test_from_outside_only_installed_names_are_taken(
    tmp_path: Path, base: Path, wanted: dict[str, Any], cause: str, words: str
) -> None:
    with live(base, tmp_path / "state") as run:
        outcome = run.ask(wanted, local=False)
        assert (outcome["outcome"], outcome["cause"]) == ("refused", cause)
        assert words in outcome["error"]
        assert len(outcome["error"]) < 400


def test_an_installed_project_is_taken_by_name_from_outside(
    tmp_path: Path, base: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    place = tmp_path / "data" / "lensracer" / "projects"
    place.mkdir(parents=True)
    other.rename(place / "other")
    with live(base, tmp_path / "state") as run:
        assert run.ask({"project": "other"}, local=False)["outcome"] == "done"


def test_a_signed_bundle_is_taken_and_an_older_one_is_not(
    tmp_path: Path, base: Path, other: Path, keys: Path
) -> None:
    first, second = signed(other, keys, "1.9"), signed(other, keys, "1.10")
    more = {"swap.keys": str(keys / "release.pub")}
    with live(base, tmp_path / "state", **more) as run:
        assert run.ask(second, local=False)["outcome"] == "done"
        outcome = run.ask(first, local=False)
        assert outcome["cause"] == "older"
        assert "version 1.9 of other is older than 1.10, which was taken before" in outcome["error"]
        answers(run, 2)
        assert run.messages[-1]["project"] == "other"
    unpacked = [path for path in (tmp_path / "state" / "bundles").iterdir() if path.is_dir()]
    assert len(unpacked) == 1, "the one that answers is kept, and nothing else"
    with live(base, tmp_path / "state", **more) as run:  # another run, the same device
        assert run.ask(first, local=False)["cause"] == "older"
        assert (
            run.ask({**second, "signature": json.dumps(second["signature"])}, local=False)["outcome"]
            == "done"
        )


def test_a_bundle_with_the_version_of_another_is_refused(
    tmp_path: Path, base: Path, other: Path, keys: Path
) -> None:
    with live(base, tmp_path / "state", **{"swap.keys": str(keys / "release.pub")}) as run:
        assert run.ask(signed(other, keys, "3"), local=False)["outcome"] == "done"
        (other / "card.md").write_text("changed")
        outcome = run.ask(signed(other, keys, "3"), local=False)
    assert outcome["cause"] == "older"
    assert "give it a new number" in outcome["error"]


def spoil(request: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**request, "signature": {**request["signature"], **changed}}


@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        (lambda asked: {**asked, "signature": None}, "unsigned", "a project brings code"),
        (lambda asked: {**asked, "signature": "no json"}, "signature", "cannot be read"),
        (lambda asked: {**asked, "signature": "[" * 5000}, "signature", "cannot be read"),
        (lambda asked: spoil(asked, version="2"), "signature", "by none of the configured keys"),
        (lambda asked: spoil(asked, name="base"), "signature", "by none of the configured keys"),
        (lambda asked: spoil(asked, signature="AAAA"), "signature", "by none of the configured keys"),
        (lambda asked: spoil(asked, version="../1"), "signature", "its version is none"),
        (lambda asked: {**asked, "sha256": "0" * 64}, "digest", "is signed"),
    ],
)
def test_what_was_changed_on_the_way_is_refused_before_it_is_fetched(
    tmp_path: Path, base: Path, other: Path, keys: Path, change: Any, cause: str, words: str
) -> None:
    asked = change(signed(other, keys) | {"uri": "nowhere"})
    with live(base, tmp_path / "state", **{"swap.keys": str(keys / "release.pub")}) as run:
        outcome = run.ask(asked, local=False)
    assert outcome["cause"] == cause, outcome
    assert words in outcome["error"]


def test_a_strangers_key_and_no_key_at_all_take_nothing(
    tmp_path: Path, base: Path, other: Path, keys: Path
) -> None:
    with live(base, tmp_path / "state", **{"swap.keys": str(keys / "release.pub")}) as run:
        assert run.ask(signed(other, keys, by="stranger"), local=False)["cause"] == "signature"
    with live(base, tmp_path / "state") as run:
        outcome = run.ask(signed(other, keys), local=False)
    assert outcome["cause"] == "unsigned"
    assert "no key is configured (swap.keys)" in outcome["error"]


def test_another_content_than_the_signed_one_is_refused_and_removed(
    tmp_path: Path, base: Path, other: Path, keys: Path
) -> None:
    asked = signed(other, keys)
    Path(asked["uri"]).write_bytes(b"something else")
    with live(base, tmp_path / "state", **{"swap.keys": str(keys / "release.pub")}) as run:
        assert run.ask(asked, local=False)["cause"] == "digest"
        assert list((tmp_path / "state" / "bundles").iterdir()) == []


def test_an_archive_that_reaches_out_of_its_folder_is_refused_though_signed(
    tmp_path: Path, base: Path, other: Path, keys: Path
) -> None:
    archive = tmp_path / "harmful.tar.gz"
    with tarfile.open(archive, "w:gz") as harmful:
        harmful.add(other / "project.yaml", "../../project.yaml")
    statement = bundle.Statement("other", "1", bundle.sha256_of_file(archive))
    signature = statement.signed(signing.private_key(keys / "release.key"))
    asked = {"uri": str(archive), "sha256": statement.sha256, "signature": signature}
    with live(base, tmp_path / "state", **{"swap.keys": str(keys / "release.pub")}) as run:
        assert run.ask(asked, local=False)["cause"] == "archive"


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/x", "http://10.0.0.1/x"]
)  # fmt: skip
def test_addresses_of_this_machine_and_its_neighbours_are_refused(
    tmp_path: Path, base: Path, other: Path, keys: Path, uri: str
) -> None:
    with live(base, tmp_path / "state", **{"swap.keys": str(keys / "release.pub")}) as run:
        run.run.swap = Swaps(run.run.runtime, Supply(run.run.runtime.config))  # with the real fetch
        assert run.ask({**signed(other, keys), "uri": uri}, local=False)["cause"] == "address"


def test_requests_are_carried_out_one_after_the_other_and_too_many_are_refused(
    tmp_path: Path, base: Path, other: Path
) -> None:
    with live(base, tmp_path / "state") as run:
        asked = [
            run.run.swap.request({"project": str(place)}, local=True)
            for place in (other, base, other, base, other, base)
        ]
        ended = [future.result(30) for future in asked]
    assert [outcome["outcome"] for outcome in ended] == ["done"] * 4 + ["refused"] * 2
    assert [outcome["project"] for outcome in ended[:4]] == ["other", "base", "other", "base"]
    assert ended[-1]["cause"] == "busy"


def test_a_swap_that_waits_when_the_run_ends_is_answered(tmp_path: Path, base: Path, other: Path) -> None:
    slow = made(tmp_path / "slow", functools.partial(swap_models.slow, steps=2000))
    with live(base, tmp_path / "state", **{"swap.latency": 60}) as run:
        answers(run, 2)
        pending = [run.run.swap.request({"project": str(place)}, local=True) for place in (slow, other)]
    for future in pending:
        assert future.result(10)["outcome"] in ("done", "refused")
    assert run.run.swap.request({"project": str(other)}).result(1)["cause"] == "ended"


def test_nobody_can_find_a_thread_before_the_first_request(tmp_path: Path, base: Path) -> None:
    import threading

    with live(base, tmp_path / "state") as run:
        answers(run, 1)
        assert "swap" not in {thread.name for thread in threading.enumerate()}


def test_in_dev_mode_a_saved_change_answers_and_a_broken_one_does_not(tmp_path: Path, base: Path) -> None:
    file = base / "project.yaml"
    first = file.read_text()
    with live(base, tmp_path / "state", Options(print_messages=True, watch=True)) as run:
        answers(run, 2)
        file.write_text(first.replace("[red, green, blue]", "[rouge, vert, bleu]"))
        until(lambda: run.messages[-1]["results"][0]["label"] in ("rouge", "vert", "bleu"))
        file.write_text(first.replace("[red, green, blue]", "[a, b]"))
        until(lambda: run.run.swap.figures()["refused"] == 1)
        answers(run, 2)
        assert run.messages[-1]["results"][0]["label"] in ("rouge", "vert", "bleu")
        assert run.run.swap.figures()["causes"] == {"labels": 1}


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.slow
def test_a_drill_of_swaps_keeps_its_plan(tmp_path: Path, repository: Path) -> None:
    """One swap after the other, each broken in its way: the short form of `make drill`. A crash must not be ours."""
    places = [str(repository / "tests" / name) for name in ("tools", "drills")]
    code = (
        f"import sys, json, pathlib; sys.path[:0] = {places!r}; import swap;"
        f" held, figures = swap.trial(pathlib.Path({str(tmp_path)!r}), 18, 0.5, 2.0); print(json.dumps(figures))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["wrong"] == []
    assert figures["gaps"] == 0
    assert figures["counted"] == {"asked": 18, "done": 12, "refused": 6, "rolled_back": 0}
    assert set(figures["causes"]) == {"shape", "finite", "latency", "model", "labels", "digest"}
