"""The topics of one thing, and the rules that MQTT and AWS IoT set for topics.

| what | topic |
|---|---|
| project stream | `dt/lensracer/<thing>/<source>/infer` |
| device stream | `dt/lensracer/<thing>/<source>/frame` |
| health, drive, status | `dt/lensracer/<thing>/health`, `.../drive`, `.../status` |
| commands and their answers | `cmd/lensracer/<thing>/<verb>`, `cmd/lensracer/<thing>/<verb>/res` |
"""

import functools
import re

from streams.errors import TopicInvalid

DATA = "dt/lensracer"
COMMANDS = "cmd/lensracer"
MOST_SLASHES = 7
MOST_BYTES = 256

_THING = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_SOURCE = re.compile(r"[a-z0-9_-]+")
_VERB = re.compile(r"[a-z0-9_-]+")
_RULES_PREFIX = re.compile(r"\$aws/rules/[^/]+/")


class Topics:
    """Every topic of one thing. Raises TopicInvalid for a thing's name that AWS IoT would not take."""

    def __init__(self, thing: str) -> None:
        self.thing = check_thing(thing)
        self.health = check_topic(f"{DATA}/{thing}/health")
        self.drive = check_topic(f"{DATA}/{thing}/drive")
        self.status = check_topic(f"{DATA}/{thing}/status")

    def infer(self, source: str) -> str:
        """The project stream of a source. Raises TopicInvalid for a name no topic can hold."""
        return check_topic(f"{DATA}/{self.thing}/{check_source(source)}/infer")

    def frame(self, source: str) -> str:
        """The device stream of a source. Raises TopicInvalid for a name no topic can hold."""
        return check_topic(f"{DATA}/{self.thing}/{check_source(source)}/frame")

    def command(self, verb: str) -> str:
        """Where a command arrives; `+` gives the filter for all of them."""
        return self._command(verb)

    def response(self, verb: str) -> str:
        """Where a command is answered, and nowhere else."""
        return f"{self._command(verb)}/res"

    def _command(self, verb: str) -> str:
        if verb != "+" and not _VERB.fullmatch(verb):
            raise TopicInvalid(f"a command must match {_VERB.pattern}, and {verb!r} does not")
        return f"{COMMANDS}/{self.thing}/{verb}"


def check_thing(thing: str) -> str:
    """Gives `thing` back, or raises TopicInvalid: AWS IoT takes 1 to 128 of a-z A-Z 0-9 : _ -."""
    if not _THING.fullmatch(thing):
        raise TopicInvalid(
            f"thing: a thing's name must be 1 to 128 of a-z, A-Z, 0-9, ':', '_' and '-', not {thing!r}"
        )
    return thing


def check_source(source: str) -> str:
    """Gives `source` back, or raises TopicInvalid: a source's name is one or more of a-z 0-9 _ -."""
    if not _SOURCE.fullmatch(source):
        raise TopicInvalid(f"sources: a source's name must be of a-z, 0-9, '_' and '-', not {source!r}")
    return source


@functools.lru_cache(maxsize=256)
def check_topic(topic: str, *, reserved: bool = False) -> str:
    """Gives `topic` back if a message may be published there, else raises TopicInvalid saying why not.

    The limits are AWS IoT's: 256 bytes of UTF-8 and 7 slashes, an `$aws/rules/<rule>/` prefix not counted.
    reserved: whether a topic that begins with `$` is allowed.
    """
    if not topic:
        raise TopicInvalid("a topic must not be empty")
    if topic.startswith("/"):
        raise TopicInvalid(f"a topic must not begin with a slash: {topic!r}")
    if any(sign in topic for sign in "+#\0"):
        raise TopicInvalid(
            f"a message cannot be published to a topic with '+', '#' or a null character: {topic!r}"
        )
    if topic.startswith("$") and not reserved:
        raise TopicInvalid(f"topics that begin with '$' are the broker's own: {topic!r}")
    _check_size(topic)
    return topic


def _check_size(topic: str) -> None:
    counted = _RULES_PREFIX.sub("", topic, count=1)
    try:
        size = len(counted.encode())
    except UnicodeEncodeError:
        raise TopicInvalid(f"a topic must be text that UTF-8 can hold: {topic!r}") from None
    if size > MOST_BYTES:
        raise TopicInvalid(
            f"a topic has at most {MOST_BYTES} bytes at AWS IoT, this one has {size}: {topic!r}"
        )
    if (slashes := counted.count("/")) > MOST_SLASHES:
        raise TopicInvalid(
            f"a topic has at most {MOST_SLASHES} slashes at AWS IoT, this one has {slashes}: {topic!r}"
        )


@functools.lru_cache(maxsize=256)
def check_filter(topic_filter: str) -> str:
    """Gives a subscription's filter back, or raises TopicInvalid: `+` is a whole level, `#` the last one."""
    levels = topic_filter.split("/")
    if not topic_filter or "\0" in topic_filter:
        raise TopicInvalid(f"a topic filter must not be empty or hold a null character: {topic_filter!r}")
    for place, level in enumerate(levels):
        if "#" in level and (level != "#" or place != len(levels) - 1):
            raise TopicInvalid(f"'#' must be the whole last level of a topic filter: {topic_filter!r}")
        if "+" in level and level != "+":
            raise TopicInvalid(f"'+' must be a whole level of a topic filter: {topic_filter!r}")
    _check_size(topic_filter)
    return topic_filter


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a message on `topic` reaches a subscription to `topic_filter` (MQTT 5.0, section 4.7).

    A filter that begins with a wildcard never reaches a topic that begins with `$`.
    """
    if topic.startswith("$") and topic_filter[:1] in ("+", "#"):
        return False
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True  # also the level above: "a/#" reaches "a"
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)
