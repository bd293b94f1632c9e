"""The user's own code is loaded with a sentence for each mistake, and never stops the loop."""

import logging
import sys
from pathlib import Path

import pytest
from hand_clock import HandClock

from edge import hook
from edge.errors import ConfigInvalid, RunFailed

GOOD = """
class Hook:
    def on_result(self, frame, result):
        return {"bins": result}
"""


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook's folder is added to where modules are looked for; here only until the test ends."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def written(folder: Path, text: str) -> Path:
    path = folder / "hook.py"
    path.write_text(text)
    return path


def load(folder: Path, text: str) -> hook.Hook:
    return hook.load(written(folder, text))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigInvalid) as caught:
        load(folder, text)
    return str(caught.value)


def test_what_on_result_returns_is_passed_on(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).on_result(None, 3) == {"bins": 3}


@pytest.mark.parametrize(
    ("returned", "answer"), [("None", None), ("False", False), ("True", None), ("{}", {})]
)
def test_false_is_silence_and_none_changes_nothing(tmp_path: Path, returned: str, answer: object) -> None:
    assert load(tmp_path, GOOD.replace('{"bins": result}', returned)).on_result(None, None) == answer


def test_any_class_name_will_do_where_there_is_one(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD.replace("Hook", "MyThing")).on_result(None, 1)


def test_of_several_classes_the_one_named_hook_is_taken(tmp_path: Path) -> None:
    text = GOOD + "class Other(Hook):\n    def on_result(self, frame, result):\n        return {}\n"
    assert load(tmp_path, text).on_result(None, 1) == {"bins": 1}


def test_what_lies_beside_the_hook_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "beside_the_hook.py").write_text("BINS = 7\n")
    assert load(
        tmp_path, "import beside_the_hook\n" + GOOD.replace("result}", "beside_the_hook.BINS}")
    ).on_result(None, 0) == {"bins": 7}


def test_start_and_stop_are_called_with_or_without_the_project(tmp_path: Path) -> None:
    text = (
        f"import pathlib\n{GOOD}"
        "    def on_start(self, project):\n        self.path = pathlib.Path(project)\n"
        "    def on_stop(self):\n        self.path.touch()\n"
    )
    subject = load(tmp_path, text)
    subject.on_start(str(tmp_path / "stopped"))
    subject.on_stop()
    assert (tmp_path / "stopped").exists()
    load(tmp_path, GOOD + "    def on_start(self):\n        pass\n").on_start("project")
    load(tmp_path, GOOD).on_start("project")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def on_result(frame, result): ...\n", "has no class with a method on_result(self, frame, result)"),
        ("from pathlib import Path\n", "has no class"),
        ("import nowhere_to_be_found\n", "cannot be imported: ModuleNotFoundError"),
        ("\nx = 1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero (line 2)"),
        ("\n\nclass Hook\n", "cannot be imported: SyntaxError: expected ':' (line 3)"),
        ("raise SystemExit(3)\n", "cannot be imported: SystemExit: 3 (line 1)"),
        (
            GOOD.replace("self, frame, result", "self, frame"),
            "must take two arguments beside self: frame and result",
        ),
        (GOOD.replace("def ", "async def "), "must be a plain method, not an async one"),
        (
            GOOD + "    def __init__(self):\n        raise ValueError('no')\n",
            "Hook() failed: ValueError: no (line 6)",
        ),
        (GOOD + "    def __init__(self, x):\n        pass\n", "Hook() failed: TypeError"),
        (GOOD.replace("Hook", "A") + GOOD.replace("Hook", "B"), "has several classes with on_result (A, B)"),
        ("x = '\x00'\n", "cannot be imported"),
    ],
)
def test_a_hook_that_cannot_work_is_refused_with_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    sentence = refusal(tmp_path, text)
    assert sentence.startswith(f"{tmp_path}/hook.py: ")
    assert words in sentence


def test_a_missing_file_and_one_that_is_no_python_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="does not exist"):
        hook.load(tmp_path / "absent.py")
    (tmp_path / "hook.txt").write_text(GOOD)
    with pytest.raises(ConfigInvalid, match="no Python file"):
        hook.load(tmp_path / "hook.txt")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("raise KeyError('bottle')", "KeyError: 'bottle' (line 4)"),
        ("raise SystemExit", "SystemExit"),
        ("return 5", "returns a mapping, None or False, not int"),
        ("return {'seq': 1, 'ts': 2}", "cannot set seq, ts"),
        ("return {1: 2}", "whose keys are text"),
        ("return {'a': object()}", "a is a object"),
        ("return {'a': float('nan')}", "a is nan"),
    ],
)
def test_what_goes_wrong_in_on_result_is_counted_and_told_once_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str, words: str
) -> None:
    now = [100.0]
    subject = hook.load(written(tmp_path, GOOD.replace('return {"bins": result}', line)), lambda: now[0])
    with caplog.at_level(logging.INFO, "edge.hook"):
        for _ in range(50):
            assert subject.on_result(None, None) is None
            now[0] += 1.0
        assert len(caplog.records) == 1
        now[0] += 30.0
        subject.on_result(None, None)
    assert subject.errors == 51
    assert len(caplog.records) == 2
    assert words in caplog.messages[0]
    assert "(51 so far)" in caplog.messages[1]
    assert not caplog.records[0].exc_info


def test_at_debug_the_traceback_is_logged_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "edge.hook"):
        load(tmp_path, GOOD.replace("return", "raise ValueError  #")).on_result(None, None)
    assert caplog.records[0].exc_info


def test_a_start_that_fails_stops_the_run_with_a_sentence(tmp_path: Path) -> None:
    subject = load(tmp_path, GOOD + "    def on_start(self):\n        raise OSError('no sensor')\n")
    with pytest.raises(RunFailed, match=r"hook\.py: on_start failed: OSError: no sensor \(line 6\)"):
        subject.on_start()


def test_a_stop_that_fails_is_logged_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    subject = load(tmp_path, GOOD + "    def on_stop(self):\n        raise OSError('no sensor')\n")
    subject.on_stop()
    assert subject.errors == 1
    assert "on_stop failed: OSError: no sensor (line 6)" in caplog.messages[0]


def test_ctrl_c_is_not_swallowed(tmp_path: Path) -> None:
    subject = load(tmp_path, GOOD.replace("return", "raise KeyboardInterrupt  #"))
    with pytest.raises(KeyboardInterrupt):
        subject.on_result(None, None)


def test_a_mapping_that_the_hook_keeps_and_changes_is_sent_as_it_was(tmp_path: Path) -> None:
    """It is encoded later, on another thread, while the hook goes on."""
    text = GOOD.replace('return {"bins": result}', "self.seen.append(result); return {'seen': self.seen}")
    subject = load(tmp_path, text.replace("class Hook:", "class Hook:\n    seen = []"))
    first = subject.on_result(None, 1)
    subject.on_result(None, 2)
    assert first == {"seen": [1]}


@pytest.mark.parametrize("line", ["import asyncio; raise asyncio.CancelledError", "raise GeneratorExit"])
def test_what_is_raised_beside_exceptions_does_not_end_the_run_either(tmp_path: Path, line: str) -> None:
    subject = load(tmp_path, GOOD.replace('return {"bins": result}', line))
    assert subject.on_result(None, 1) is None
    assert subject.errors == 1


def test_text_that_no_message_can_hold_costs_the_addition_and_not_the_message(tmp_path: Path) -> None:
    subject = load(tmp_path, GOOD.replace("result}", "'\\ud800'}"))
    assert subject.on_result(None, 1) is None


def test_a_hook_over_its_budget_is_counted_and_told_once_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = HandClock()
    subject = hook.load(written(tmp_path, GOOD.replace("return", "self.wait(); return")), clock, budget=0.02)
    subject._subject.wait = lambda: clock.sleep(0.035)
    for _ in range(3):
        subject.on_result(None, 1)
    assert (subject.slow, round(subject.worst, 3), subject.errors) == (3, 0.035, 0)
    assert len(caplog.messages) == 1
    assert "on_result took 35.0 ms; 20.0 ms are its budget (1 times so far)" in caplog.messages[0]
    clock.sleep(60.0)
    subject.on_result(None, 1)
    assert "(4 times so far)" in caplog.messages[1]


@pytest.mark.parametrize(
    "key",
    [
        *("schema", "thing", "source", "project", "task", "model", "frame", "latency_ms", "truncated"),
        *("seq", "boot_id", "mono_ms", "clock", "ts", "ts_ms"),
    ],
)
def test_a_hook_cannot_set_what_belongs_to_the_runtime(tmp_path: Path, key: str) -> None:
    subject = load(tmp_path, GOOD.replace('"bins"', repr(key)))
    assert subject.on_result(None, 1) is None
    assert subject.errors == 1


@pytest.mark.parametrize(
    ("results", "taken"), [("[]", True), ("[{'label': 'x'}]", True), ("5", False), ("[5]", False)]
)
def test_results_are_replaced_by_rows_alone(tmp_path: Path, results: str, taken: bool) -> None:
    subject = load(tmp_path, GOOD.replace('"bins": result', f'"results": {results}'))
    assert (subject.on_result(None, 1) is not None) is taken


def test_two_hooks_live_beside_one_another_each_with_what_lies_beside_it(tmp_path: Path) -> None:
    """Before and after a change within one second, of the same length: no kept bytecode takes the one for the other."""
    (tmp_path / "near_the_hook.py").write_text("BINS = 1\n")
    text = "import near_the_hook\n" + GOOD.replace("result}", "near_the_hook.BINS}")
    first = load(tmp_path, text)
    (tmp_path / "near_the_hook.py").write_text("BINS = 2\n")
    second = load(tmp_path, text)
    assert first.on_result(None, 0) == {"bins": 1}
    assert second.on_result(None, 0) == {"bins": 2}
    second.close()
    assert sys.modules["near_the_hook"].BINS == 1
    first.close()
    assert "near_the_hook" not in sys.modules
    assert str(tmp_path) not in sys.path
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_hook_that_cannot_be_loaded_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    refusal(tmp_path, "import json\nx = 1 / 0\n")
    assert set(sys.modules) == before
    assert str(tmp_path) not in sys.path
