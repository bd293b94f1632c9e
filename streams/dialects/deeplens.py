"""As AWS DeepLens projects spoke: `$aws/things/<thing>/infer`, a JSON object of probabilities by label.

| form | payload | whose |
|---|---|---|
| (none) | `{"person": 0.62451171875, "chair": 0.31}` | objects, faces, cat-dog, action, head pose, birds |
| 2017 | `{"person": 0.62, "null": 0.0}`: two decimals, and always that end | objects and faces of 2017 |
| hotdog | `{"Hotdog": 0.9, "Not hotdog": 0.1}` | hot dog |
| trash | `{"Compost\\n": 0.9}`, two at most, and `{"object": "Compost"}` on `deeplens/trash/infer` | trash sorter |

Of several things with one label the surest counts, as it did then. What the functions said of themselves in plain text
("Model loaded") is not carried over: a thing has a status topic for that.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from streams.dialects import About, Message, best_of
from streams.spool import Item, Kind
from streams.topics import check_thing

TRASH = "deeplens/trash/infer"
TRASH_TOLD = 2
HOTDOG = "hotdog"


class DeepLens:
    """See streams.dialects.Dialect. form: one of the table above."""

    listens: tuple[str, ...] = ()

    def __init__(self, thing: str, form: str = "") -> None:
        self._form = form
        self.topic = f"$aws/things/{check_thing(thing)}/infer"
        self.alternates: Mapping[str, str] = {self.topic: f"deeplens/{thing}/infer"}
        self.topics: tuple[str, ...] = (self.topic, TRASH) if form == "trash" else (self.topic,)

    def introduction(self, about: About) -> Iterable[Item]:
        return ()

    def said(self, message: Message) -> Iterable[Item]:
        found = best_of(message)
        yield Item(self.topic, self._told(found), Kind.TELEMETRY)
        if self._form == "trash" and found:
            yield Item(TRASH, {"object": next(iter(found))}, Kind.TELEMETRY)

    def _told(self, found: Mapping[str, float]) -> dict[str, Any]:
        match self._form:
            case "2017":
                return {label: round(score, 2) for label, score in found.items()} | {"null": 0.0}
            case "hotdog":
                score = next((score for label, score in found.items() if is_hotdog(label)), 0.0)
                return {"Hotdog": score, "Not hotdog": 1.0 - score}
            case "trash":
                return {f"{label}\n": score for label, score in list(found.items())[:TRASH_TOLD]}
        return dict(found)


def is_hotdog(label: str) -> bool:
    """`hot dog`, `Hotdog`, and ImageNet's `hotdog, hot dog, red hot`, but not what is none."""
    first = label.partition(",")[0].lower()
    return "".join(sign for sign in first if sign.isalpha()) == HOTDOG


def made(thing: str, form: str) -> DeepLens:
    return DeepLens(thing, form)
