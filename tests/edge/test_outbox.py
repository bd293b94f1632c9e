"""What waits, what is kept apart, and what was written can be seen from outside, and sent without a run."""

import json
from pathlib import Path

import brokers
import pytest
from edge_process import edge
from picky import picky
from transport_contract import INFER
from witness import witness

from streams.durable import DurableSpool
from streams.spool import Entry, Item


def filled(folder: Path) -> None:
    """Three messages, of which the first is kept apart."""
    spool = DurableSpool(folder, 1_000_000)
    for seq in (1, 2, 3):
        spool.put(Item(INFER, {"seq": seq}))
    entry: Entry | None = None
    while entry is None:
        spool.wait(0.1)
        entry = spool.take()
    spool.set_aside(entry, "the connection ended twice after it was sent")
    spool.close()


def settings(folder: Path, port: int | None = None) -> list[str]:
    words = ["--set", "thing=cam-1", "--set", f"spool.path={folder}"]
    return words if port is None else [*words, "--transport", f"mqtt://127.0.0.1:{port}"]


def test_the_show_tells_what_waits_what_is_kept_apart_and_what_was_written(tmp_path: Path) -> None:
    state = tmp_path / "state"
    filled(state)
    seen = json.loads(edge("spool", "show", "--json", *settings(state), folder=tmp_path).stdout)
    assert seen["waiting"]["results"]["messages"] == 2
    (apart,) = seen["kept_apart"]
    assert (apart["topic"], apart["bytes"]) == (INFER, len(b'{"seq":1}'))
    assert apart["reason"].startswith("the connection ended twice")
    assert seen["written_bytes_per_message"] is None or seen["written_bytes"] > 0
    said = edge("spool", "show", *settings(state), folder=tmp_path).stdout
    assert f"9 bytes for {INFER}: the connection ended twice" in said


@pytest.mark.slow
def test_what_was_kept_apart_is_sent_where_that_is_asked_for(tmp_path: Path) -> None:
    state = tmp_path / "state"
    filled(state)
    with brokers.running(brokers.mosquitto(tmp_path)) as broker, witness(broker.port, INFER) as observer:
        done = edge("spool", "drain", *settings(state, broker.port), folder=tmp_path)
        assert done.code == 0, done.stderr
        assert [json.loads(each.payload)["seq"] for each in observer.heard] == [2, 3]
        done = edge("spool", "drain", "--kept-apart", *settings(state, broker.port), folder=tmp_path)
        assert done.code == 0, done.stderr
        heard = observer.wait_for(lambda heard: len(heard) == 3)
    assert json.loads(heard[-1].payload)["seq"] == 1


@pytest.mark.slow
def test_a_drain_that_meets_a_poison_ends_with_all_others_sent(tmp_path: Path) -> None:
    state = tmp_path / "state"
    spool = DurableSpool(state, 1_000_000)
    for seq in range(20):
        spool.put(Item(INFER, {"seq": seq, "text": "hang up!" if seq == 7 else ""}))
    spool.close()
    with (
        brokers.running(brokers.mosquitto(tmp_path)) as broker,
        witness(broker.port, INFER) as observer,
        picky(broker.port, b"hang up!") as way,
    ):
        done = edge("spool", "drain", *settings(state, way.port), folder=tmp_path, timeout=60)
        assert done.code == 0, done.stderr
    assert {json.loads(each.payload)["seq"] for each in observer.heard} == set(range(20)) - {7}
    seen = json.loads(edge("spool", "show", "--json", *settings(state), folder=tmp_path).stdout)
    assert len(seen["kept_apart"]) == 1
