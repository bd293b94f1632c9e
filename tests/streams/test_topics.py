"""Topics are those of the contract, and within what MQTT and AWS IoT allow."""

import pytest

from streams.errors import TopicInvalid
from streams.topics import Topics, check_filter, check_topic, matches


def test_a_things_topics_are_those_of_the_contract() -> None:
    topics = Topics("cam-1")
    assert topics.infer("main") == "dt/lensracer/cam-1/main/infer"
    assert topics.frame("main") == "dt/lensracer/cam-1/main/frame"
    assert topics.health == "dt/lensracer/cam-1/health"
    assert topics.drive == "dt/lensracer/cam-1/drive"
    assert topics.status == "dt/lensracer/cam-1/status"
    assert topics.command("snapshot") == "cmd/lensracer/cam-1/snapshot"
    assert topics.response("snapshot") == "cmd/lensracer/cam-1/snapshot/res"
    assert topics.command("+") == "cmd/lensracer/cam-1/+"


@pytest.mark.parametrize("thing", ["a", "Cam_1:front-door", "x" * 128])
def test_a_things_name_is_what_aws_takes(thing: str) -> None:
    assert Topics(thing).thing == thing


@pytest.mark.parametrize("thing", ["", "x" * 129, "cam 1", "cam/1", "cam+", "caméra", "cam.1", "cam\n"])
def test_a_things_bad_name_is_refused(thing: str) -> None:
    with pytest.raises(TopicInvalid, match="thing"):
        Topics(thing)


@pytest.mark.parametrize("source", ["", "Main", "a/b", "a b", "#", "main\n"])
def test_a_sources_bad_name_is_refused(source: str) -> None:
    with pytest.raises(TopicInvalid, match="sources"):
        Topics("cam-1").infer(source)


def test_a_topic_too_long_for_aws_is_refused() -> None:
    with pytest.raises(TopicInvalid, match="256 bytes at AWS IoT, this one has 2"):
        Topics("x" * 128).infer("y" * 128)


@pytest.mark.parametrize("verb", ["", "a/b", "Stop", "#"])
def test_a_bad_verb_is_refused(verb: str) -> None:
    with pytest.raises(TopicInvalid):
        Topics("cam-1").command(verb)


@pytest.mark.parametrize(
    "topic", ["a", "a/b/c/d/e/f/g/h", "é" * 128, "a//b", "$aws/rules/r/a/b/c/d/e/f/g/h", "a/$b"]
)
def test_a_topic_within_the_limits_is_taken(topic: str) -> None:
    assert check_topic(topic, reserved=True) == topic


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        ("", "empty"),
        ("/a", "slash"),
        ("a/+", r"'\+'"),
        ("a/#", "'#'"),
        ("a\0", "null"),
        ("é" * 129, "256 bytes"),
        ("a/b/c/d/e/f/g/h/i", "7 slashes"),
        ("$aws/rules/r/a/b/c/d/e/f/g/h/i", "7 slashes"),
        ("\ud800", "UTF-8"),
    ],
)
def test_a_topic_against_the_limits_is_refused_with_the_reason(topic: str, why: str) -> None:
    with pytest.raises(TopicInvalid, match=why):
        check_topic(topic, reserved=True)


def test_the_brokers_own_topics_are_left_alone_unless_asked_for() -> None:
    with pytest.raises(TopicInvalid, match=r"'\$'"):
        check_topic("$aws/things/cam-1/infer")
    assert check_topic("$aws/things/cam-1/infer", reserved=True)


@pytest.mark.parametrize("topic_filter", ["#", "+", "a/#", "+/+/#", "a/+/b", "/a", "$aws/#"])
def test_a_filter_may_have_wildcards_as_whole_levels(topic_filter: str) -> None:
    assert check_filter(topic_filter) == topic_filter


@pytest.mark.parametrize("topic_filter", ["", "a/#/b", "a#", "a+/b", "a/b#", "a\0"])
def test_a_filter_with_wildcards_elsewhere_is_refused(topic_filter: str) -> None:
    with pytest.raises(TopicInvalid):
        check_filter(topic_filter)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("a/b", "a/b"),
        ("#", "a/b"),
        ("#", "/a"),
        ("a/#", "a"),
        ("a/#", "a/b/c"),
        ("+", "a"),
        ("+/+", "/a"),
        ("/+", "/a"),
        ("a/+/c", "a//c"),
        ("a/+", "a/"),
        ("$SYS/#", "$SYS/x"),
        ("$SYS/+", "$SYS/x"),
        ("a/$b/#", "a/$b/c"),
        ("+/b", "a/b"),
    ],
)
def test_a_filter_reaches_what_the_standard_says(topic_filter: str, topic: str) -> None:
    assert matches(topic_filter, topic)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("a/b", "a"),
        ("a", "a/b"),
        ("+", "/a"),
        ("a/+", "a"),
        ("a/+", "a/b/c"),
        ("#", "$SYS/x"),
        ("+/x", "$SYS/x"),
        ("a/#", "ab"),
        ("A", "a"),
    ],
)
def test_a_filter_reaches_no_further(topic_filter: str, topic: str) -> None:
    assert not matches(topic_filter, topic)
