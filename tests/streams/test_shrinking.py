"""What is too large is cut when it is born and again when it leaves; what cannot be cut is told as a gap."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from witness import wait_until

from streams import envelope
from streams.budget import BUDGETS, Budget
from streams.durable import DurableSpool
from streams.errors import PayloadTooLarge
from streams.sender import Sender
from streams.spool import Item
from streams.transports.local import Local
from streams.writer import MOST_RANGES

TOPIC = "dt/lensracer/cam-1/main/infer"
ROOM = 64 << 20


def message(seq: int, rows: int = 0, **more: Any) -> dict[str, Any]:
    results = [{"label": "cat", "label_id": 0, "score": round(1 - row / 1000, 3)} for row in range(rows)]
    return {"seq": seq, "results": results, **more}


def heard_of(spool: DurableSpool, budget: Budget) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Results and gaps as they arrive over a transport of this budget."""
    transport, heard = Local(budget=budget), []
    transport.subscribe("#", lambda topic, payload, _retained: heard.append((topic, payload)))
    sender = Sender(spool, transport)
    sender.start()
    transport.start()
    assert sender.drain(20.0)
    wait_until(lambda: sender.drain(0.0) and not spool._finished and not spool._forgone)
    assert sender.drain(20.0)
    sender.stop()
    assert all(len(payload) <= (budget.max_payload or 10**9) for _, payload in heard)
    contents = [(topic, json.loads(payload)) for topic, payload in heard]
    return (
        [content for topic, content in contents if topic == TOPIC],
        [content for topic, content in contents if topic.endswith("gap")],
    )


def test_a_message_is_cut_when_it_is_born_and_waits_no_larger_than_it_leaves(tmp_path: Path) -> None:
    born = functools.partial(envelope.shrunk, max_bytes=4096)
    spool = DurableSpool(tmp_path, ROOM, encode=born)
    spool.put(Item(TOPIC, message(1, rows=500)))
    wait_until(lambda: spool.status().bytes > 0 and not spool._handed)
    wait_until(lambda: spool.status().bytes <= 4096 + 256)
    ((only,), gaps) = heard_of(spool, BUDGETS["lite"])
    assert only["truncated"] is True
    assert 50 < len(only["results"]) < 500
    assert only["results"][0]["score"] == 1.0
    assert gaps == []
    spool.close()


def test_a_message_born_for_another_transport_is_cut_when_it_leaves(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    spool.put(Item(TOPIC, message(1, rows=500)))
    spool.close()
    again = DurableSpool(tmp_path, ROOM)
    ((only,), _) = heard_of(again, BUDGETS["lite"])
    assert only["truncated"] is True
    again.close()


def test_what_cannot_be_cut_is_counted_and_told_as_a_gap(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM, encode=functools.partial(envelope.shrunk, max_bytes=4096))
    for seq in range(1, 6):
        spool.put(Item(TOPIC, message(seq, addition="x" * (9000 if seq in (2, 3) else 10))))
    results, gaps = heard_of(spool, BUDGETS["lite"])
    assert [content["seq"] for content in results] == [1, 4, 5]
    assert spool.status().dropped == {"too_large": 2}
    told = [pair for content in gaps for pair in content["ranges"]]
    assert {content["reason"] for content in gaps} == {"too_large"}
    assert told in ([[2, 3]], [[2, 2], [2, 3]], [[2, 2], [3, 3]])
    spool.close()


def test_what_is_no_json_is_told_as_a_gap_too(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    spool.put(Item(TOPIC, message(1, bad=float("nan"))))
    spool.put(Item(TOPIC, message(2)))
    results, gaps = heard_of(spool, BUDGETS["none"])
    assert [content["seq"] for content in results] == [2]
    assert [(content["reason"], content["ranges"]) for content in gaps] == [("invalid", [[1, 1]])]
    spool.close()


def test_any_number_of_gaps_fits_the_smallest_budget(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    lost = set(range(0, 1000, 2))
    for seq in range(1000):
        spool.put(Item(TOPIC, message(seq, bad=float("nan") if seq in lost else 0.0)))
    results, gaps = heard_of(spool, Budget("small", max_payload=4096))
    assert len(results) == 500
    assert all(len(content["ranges"]) <= MOST_RANGES for content in gaps)
    assert {first for content in gaps for first, last in content["ranges"] if first == last} == lost
    spool.close()


def test_a_message_without_results_loses_its_largest_sections_first() -> None:
    health = {
        "schema": "lensracer.health/1",
        "thing": "cam-1",
        "sources": {"main": "x" * 50},
        "hook": {"a": "y" * 500},
    }
    cut = json.loads(envelope.encode(health, 300))
    assert cut == {
        "schema": "lensracer.health/1",
        "thing": "cam-1",
        "sources": {"main": "x" * 50},
        "truncated": True,
    }
    with pytest.raises(PayloadTooLarge, match="however it is cut"):
        envelope.encode(health, 40)
