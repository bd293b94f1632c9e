"""Text on a terminal, JSON elsewhere, a level for each module, and no traceback that nobody asked for."""

import io
import json
import logging
import threading
import warnings
from typing import Any

import pytest

from edge import logs, redaction


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_terminal_gets_text_and_everything_else_json() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        logs.setup(stream=stream)
        logging.getLogger("streams.feed").warning("the %s is gone", "camera")
    assert terminal.getvalue().rstrip().endswith("warning streams.feed: the camera is gone")
    (line,) = lines(pipe)
    assert line["logger"] == "streams.feed"
    assert line["message"] == "the camera is gone"
    assert line["level"] == "warning"
    assert line["ts"].endswith("Z")


@pytest.mark.parametrize(("wanted", "is_json"), [("json", True), ("text", False)])
def test_a_format_that_is_asked_for_is_given(wanted: str, is_json: bool) -> None:
    stream = Terminal() if is_json else io.StringIO()
    logs.setup(format=wanted, stream=stream)
    logging.getLogger("edge.run").error("x")
    assert stream.getvalue().startswith("{") == is_json


def test_each_module_may_have_a_level_of_its_own() -> None:
    stream = io.StringIO()
    logs.setup("warning", {"streams.feed": "debug"}, "json", stream)
    logging.getLogger("streams.feed").debug("a")
    logging.getLogger("streams.spool").info("b")
    logging.getLogger("streams.spool").warning("c")
    assert [line["message"] for line in lines(stream)] == ["a", "c"]


def test_what_others_tell_appears_from_warning_on() -> None:
    stream = io.StringIO()
    logs.setup("debug", format="json", stream=stream)
    logging.getLogger("asyncio").info("a")
    logging.getLogger("asyncio").warning("b")
    assert [line["message"] for line in lines(stream)] == ["b"]


@pytest.mark.parametrize("level", ["info", "debug"])
def test_a_traceback_appears_at_debug_alone(level: str) -> None:
    text, objects = io.StringIO(), io.StringIO()
    for wanted, stream in (("text", text), ("json", objects)):
        logs.setup(level, format=wanted, stream=stream)
        try:
            raise ValueError("the reason")
        except ValueError:
            logging.getLogger("edge").exception("it failed")
    for stream in (text, objects):
        assert ("Traceback" in stream.getvalue()) == (level == "debug")
        assert "ValueError: the reason" in stream.getvalue()


def test_setting_up_again_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.setup(stream=first)
    logs.setup(stream=second)
    logging.getLogger("edge").warning("x")
    assert not first.getvalue()
    assert len(lines(second)) == 1


def test_warnings_of_python_are_logged() -> None:
    stream = io.StringIO()
    logs.setup(stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "DeprecationWarning: old" in lines(stream)[0]["message"]


def test_a_thread_that_ends_by_an_error_is_told_with_its_name() -> None:
    stream = io.StringIO()
    logs.setup(stream=stream)

    def fail() -> None:
        raise RuntimeError("gone")

    thread = threading.Thread(target=fail, name="feed-main")
    thread.start()
    thread.join()
    (line,) = lines(stream)
    assert line["message"] == "feed-main ended by an error"
    assert line["error"] == "RuntimeError: gone"


def test_nothing_secret_reaches_the_log() -> None:
    redaction.remember("hunter2222")
    for level in ("info", "debug"):
        for wanted in ("text", "json"):
            stream = io.StringIO()
            logs.setup(level, format=wanted, stream=stream)
            word = "hunter" + "2222"
            try:
                raise ValueError(f"no {word}")
            except ValueError:
                logging.getLogger("edge").exception("with %s", word)
            assert word not in stream.getvalue()
