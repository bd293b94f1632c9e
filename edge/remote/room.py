"""Results cut to what one message may hold."""

from collections.abc import Iterable, Mapping
from typing import Any

from edge.remote.handler import Result
from streams.envelope import dumps


def listed(head: Mapping[str, Any], key: str, rows: list[Any], room: int) -> Result:
    """The head with as many of the rows under `key` as fit, from the first; `truncated` says that some did not."""
    whole = {**head, key: rows}
    if len(dumps(whole)) <= room:
        return whole
    left = room - len(dumps({**head, key: [], "truncated": True}))
    kept = []
    for row in rows:
        left -= len(dumps({"": row}))
        if left < 0:
            break
        kept.append(row)
    return {**head, key: kept, "truncated": True}


def without(content: Mapping[str, Any], dispensable: Iterable[str], room: int) -> Result:
    """The content, less of what can be done without, in this order, until it fits; `truncated` says so."""
    kept = dict(content)
    for key in dispensable:
        if len(dumps(kept)) <= room:
            break
        if key in kept:
            del kept[key]
            kept["truncated"] = True
    return kept
