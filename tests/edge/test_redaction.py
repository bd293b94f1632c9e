"""What was secret once appears nowhere: not in texts, not in the log, not in the words of an exception."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import redaction
from edge.redaction import RedactionFilter, Redactor

SECRET = 'pa/ss"wörd@1 %'


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.mark.parametrize(
    "text",
    [SECRET, repr(SECRET), json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), repr({"p": SECRET})],
)
def test_a_remembered_value_is_hidden_in_every_form(redactor: Redactor, text: str) -> None:
    redactor.remember(SECRET)
    hidden = redactor.hide(f"before {text} after")
    assert "ss" not in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=6, max_size=30))
def test_quoted_for_a_url_it_is_hidden_too(value: str) -> None:
    from urllib.parse import quote, quote_plus

    redactor = Redactor()
    redactor.remember(value)
    for form in (value, quote(value, safe=""), quote(value), quote_plus(value)):
        assert form not in redactor.hide(f"x {form} y")


def test_a_value_within_a_longer_one_does_not_leave_the_rest_behind(redactor: Redactor) -> None:
    redactor.remember("secret")
    redactor.remember("secret-of-all")
    assert redactor.hide("my secret-of-all") == "my ***"


def test_a_short_value_is_hidden_where_it_stands_alone(redactor: Redactor) -> None:
    redactor.remember("cat")
    assert redactor.hide("cat: concatenate 'cat'") == "***: concatenate '***'"


def test_the_lines_of_a_long_secret_are_hidden_one_by_one(redactor: Redactor) -> None:
    redactor.remember("first line\nsecond line")
    assert redactor.hide("at 'second line'") == "at '***'"


def test_nothing_is_hidden_of_an_empty_value(redactor: Redactor) -> None:
    redactor.remember("")
    assert redactor.hide("all of it") == "all of it"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("opening rtsp://admin:hunter22@cam/1", "opening rtsp://***@cam/1"),
        ("rtsp://admin@cam/1", "rtsp://***@cam/1"),
        ("'mqtt://a:b@c:1883' is away", "'mqtt://***@c:1883' is away"),
        ("rtsp://u:p@ss@cam", "rtsp://***@cam"),
        ("rtsp://u:p/ss@cam", "rtsp://***@cam"),
        ("http://cam/v.cgi?user=a&pwd=hunter22&x=1", "http://cam/v.cgi?user=***&pwd=***&x=1"),
        ("http://cam/?token=abc, then http://cam/2", "http://cam/?token=*** then http://cam/2"),
        ("http://host:8080/plain and me@home", "http://host:8080/plain and me@home"),
    ],
)
def test_the_users_part_of_any_address_is_hidden(redactor: Redactor, text: str, hidden: str) -> None:
    assert redactor.hide(text) == hidden


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("rtsp://admin:hunter%40%2022@cam/1", "401 for hunter@ 22, hunter%40%2022"),
        ("rtsp://cam/?password=hunter%40%2022", "401 for hunter@ 22, hunter%40%2022"),
        ("rtsp://cam/?a=1&pwd=hunter%2f22", "401 for hunter/22, hunter%2F22, hunter%2f22"),
        ("rtsp://a:hunter@%22@cam", "401 for hunter@%22"),
    ],
)
def test_the_password_of_an_address_is_remembered(redactor: Redactor, address: str, text: str) -> None:
    redactor.remember_address(address)
    assert "hunter" not in redactor.hide(text)


def test_a_password_with_a_slash_is_remembered(redactor: Redactor) -> None:
    redactor.remember_address("rtsp://admin:hunter/22@cam/1")
    assert redactor.hide("refused hunter/22") == "refused ***"


@pytest.mark.parametrize("address", ["camera:0", "clip.mp4", "", "http://[oops", "synthetic:?size=1x1"])
def test_an_address_without_a_password_hides_nothing(redactor: Redactor, address: str) -> None:
    redactor.remember_address(address)
    assert redactor.hide("clip.mp4 1x1 camera:0") == "clip.mp4 1x1 camera:0"


def logged(say: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactionFilter())
    logger = logging.getLogger("tests.redaction")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        say(logger)  # type: ignore[operator]
    finally:
        logger.removeHandler(handler)
    return stream.getvalue()


def test_the_log_hides_arguments_exceptions_and_stacks() -> None:
    redaction.remember("hunter2222")

    def say(logger: logging.Logger) -> None:
        logger.warning("user %s with %r", "hunter2222", {"p": "hunter2222"}, stack_info=True)
        try:
            raise ValueError("no hunter2222") from KeyError("hunter2222")
        except ValueError:
            logger.exception("failed with rtsp://a:b@c")

    text = logged(say)
    assert "hunter2222" not in text.replace('redaction.remember("hunter2222")', "").replace(
        '"hunter2222"', ""
    )
    assert "ValueError: no ***" in text
    assert "rtsp://***@c" in text
    assert "user *** with" in text
