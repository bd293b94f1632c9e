"""For Home Assistant: the thing introduces itself as a device, with a camera and sensors for each source.

| topic | payload |
|---|---|
| `homeassistant/device/lensracer_<thing>/config` | device discovery; again upon `online` on `homeassistant/status` |
| `dt/lensracer/<thing>/<source>/labels` | `{"best": "recycling", "values": {"recycling": 1, "landfill": 0}}` |

Both are retained. Availability is the thing's own status topic, and a camera shows the device stream: neither costs a
further message. A sensor for each of the first MOST_LABELS labels tells how often it was detected, or how sure (of a
segmentation, how large) it is in per cent; `seen` tells the surest label.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from streams.dialects import About, Message, best_of
from streams.spool import Item, Kind
from streams.topics import DATA, Topics, check_source, check_topic

PREFIX = "homeassistant"
STATUS = f"{PREFIX}/status"
MOST_LABELS = 64
NOTHING = "none"
FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")
COUNTED = "detection"
SEEN: dict[str, Any] = {"p": "sensor", "name": "Seen", "value_template": "{{ value_json.best }}"}


class HomeAssistant:
    """See streams.dialects.Dialect."""

    listens: tuple[str, ...] = (STATUS,)
    alternates: Mapping[str, str] = {}

    def __init__(self, thing: str) -> None:
        self._thing = thing
        self._node = f"lensracer_{FOREIGN.sub('_', thing)}"
        self._config = f"{PREFIX}/device/{self._node}/config"
        self._labels: tuple[str, ...] = ()
        self._told: dict[str, str] = {}  # every component that was ever introduced, and its platform
        self.topics: tuple[str, ...] = (self._config, f"{DATA}/{thing}/+/labels")

    def introduction(self, about: About) -> Iterable[Item]:
        self._labels = about.labels[:MOST_LABELS]
        components = {key: part for source in about.sources for key, part in self._parts(source, about)}
        gone = {key: {"p": platform} for key, platform in self._told.items() if key not in components}
        self._told |= {key: part["p"] for key, part in components.items()}
        config = {
            "dev": {
                "ids": [self._node],
                "name": about.thing,
                "mf": "lensracer",
                "mdl": about.project,
                "sw": about.version,
            },
            "o": {"name": "lensracer", "sw": about.version},
            "availability_topic": Topics(about.thing).status,
            "availability_template": "{{ value_json.state }}",
            "qos": 1,
            "cmps": components | gone,
        }
        yield Item(self._config, config, Kind.ANSWER, retain=True)

    def said(self, message: Message) -> Iterable[Item]:
        surest = next(iter(best_of(message)), NOTHING)
        told = {"best": surest, "values": self._values(message)}
        yield Item(labels_topic(self._thing, message["source"]), told, Kind.TELEMETRY, retain=True)

    def _values(self, message: Message) -> dict[str, float]:
        if message["task"] == COUNTED:
            counted = Counter(row.get("label") for row in message["results"])
            return {label: counted[label] for label in self._labels}
        scores = best_of(message)
        return {label: round(100.0 * scores.get(label, 0.0), 1) for label in self._labels}

    def _parts(self, source: str, about: About) -> Iterable[tuple[str, dict[str, Any]]]:
        if about.frames:
            yield (
                f"{source}_camera",
                self._part(source, "camera", {"p": "camera", "name": "Camera"}, about)
                | {"topic": Topics(about.thing).frame(source)},
            )
        state = {"state_topic": labels_topic(about.thing, source)}
        yield f"{source}_seen", self._part(source, "seen", SEEN, about) | state
        for place, label in enumerate(about.labels[:MOST_LABELS]):
            yield (
                f"{source}_label_{place}",
                self._part(source, f"label_{place}", sensor(label, about.task), about) | state,
            )

    def _part(self, source: str, key: str, part: Mapping[str, Any], about: About) -> dict[str, Any]:
        """With a name that no other component has, and one for people that tells sources apart where there are some."""
        name = part["name"] if len(about.sources) == 1 else f"{source} {part['name']}"
        return {**part, "name": name, "unique_id": f"{self._node}_{source}_{key}"}


def sensor(label: str, task: str) -> dict[str, Any]:
    unit = {} if task == COUNTED else {"unit_of_measurement": "%"}
    template = f"{{{{ value_json['values'][{json.dumps(label, ensure_ascii=False)}] }}}}"
    return {"p": "sensor", "name": label, "value_template": template, "state_class": "measurement", **unit}


def labels_topic(thing: str, source: str) -> str:
    return check_topic(f"{DATA}/{thing}/{check_source(source)}/labels")


def made(thing: str, form: str) -> HomeAssistant:
    return HomeAssistant(thing)
