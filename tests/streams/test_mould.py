"""A message written at once is, byte for byte, the one that is built and then encoded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import clock, envelope
from streams.frame import Frame
from streams.mould import Mould, rows
from streams.pace import Every
from streams.project import ProjectStream
from streams.sequence import Sequence
from streams.spool import Item, MemorySpool

NAMES = {"thing": "cam-1", "source": "main", "project": "100 % sorted", "task": "classification"}
MODEL = {"name": 'a "%d" model', "sha256": "ab" * 32, "backend": "openvino", "device": "CPU"}
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SECONDS = st.floats(0.0, 100.0)
ROWS = st.lists(
    st.fixed_dictionaries({"label": TEXT, "label_id": st.integers(0, 9999), "score": st.floats(0.0, 1.0)}),
    max_size=4,
)


def frame(captured_at: float = 100.0, number: int = 7) -> Frame:
    return Frame(number, "main", captured_at, np.zeros((48, 64, 3), np.uint8))


@given(
    ROWS,
    st.tuples(SECONDS, SECONDS, SECONDS),
    st.floats(0.0, 1e7),
    st.floats(-1.0, 60.0),
    st.integers(1, 2**53),
    st.integers(0, 2**42),
    TEXT,
)
def test_it_is_the_message_that_is_built_and_encoded(
    results: list[dict[str, Any]],
    seconds: tuple[float, float, float],
    captured_at: float,
    age: float,
    seq: int,
    wall_ms: int,
    name: str,
) -> None:
    names, now, picture = NAMES | {"project": name}, captured_at + age, frame(captured_at)
    prepare, infer, interpret = (each * 1000 for each in seconds)
    total = (seconds[0] + seconds[1] + seconds[2]) * 1000
    built = envelope.infer_message(
        **names,
        model=MODEL,
        seq=seq,
        frame=picture,
        now=now,
        wall_ms=wall_ms,
        latency_ms={"prepare": prepare, "infer": infer, "interpret": interpret, "total": total},
        results=results,
    )
    text = rows(results)
    assert text is not None
    mould = Mould(**names, model=MODEL)
    told = mould.filled(seq=seq, frame=picture, now=now, wall_ms=wall_ms, seconds=seconds, results=text)
    assert told == envelope.dumps(built)
    assert len(told) <= mould.most + len(text.encode())


def test_rows_that_json_cannot_hold_are_none_of_its_business() -> None:
    assert rows([{"score": float("nan")}]) is None
    assert rows([{"label": object()}]) is None


class Rig:
    """A stream whose messages stay in a spool."""

    def __init__(self, folder: Path, max_bytes: int | None) -> None:
        self.items: list[Item] = []
        spool = MemorySpool(1 << 20)
        spool.put = self.items.append  # type: ignore[method-assign]
        self.numbers = Sequence(folder)
        self.stream = ProjectStream(
            "cam-1", "main", spool, self.numbers, Every(1), wall_ms=lambda: 5000, max_bytes=max_bytes
        )

    def say(self, results: list[dict[str, Any]]) -> bool:
        mould = self.stream.mould(project="sorter", task="classification", model=MODEL)
        return self.stream.say(mould, frame(), 100.5, (0.001, 0.002, 0.003), results)


def test_what_is_said_has_the_next_number_and_a_schema(tmp_path: Path) -> None:
    rig = Rig(tmp_path, None)
    assert rig.say([])
    assert rig.say([{"label": "a", "label_id": 0, "score": 0.5}])
    told = [json.loads(bytes(item.payload)) for item in rig.items]  # type: ignore[arg-type]
    assert [message["seq"] for message in told] == [1, 2]
    assert rig.stream.sent == 2
    assert rig.items[0].captured_at == 100.0
    rig.numbers.close()


@pytest.mark.parametrize("state", ["synced", "unsynced", "unknown"])
def test_the_spool_learns_whether_the_wall_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(clock, "synced", lambda now=None: state)
    rig = Rig(tmp_path, None)
    assert rig.say([])
    assert json.loads(bytes(rig.items[0].payload))["clock"] == state  # type: ignore[arg-type]
    assert rig.items[0].unsynced == (state == "unsynced")
    rig.numbers.close()


@pytest.mark.parametrize("why", ["too large", "no number"])
def test_what_must_go_the_longer_way_takes_no_number(tmp_path: Path, why: str) -> None:
    rig = Rig(tmp_path, 1000)
    row = {
        "label": "a" * (1000 if why == "too large" else 1),
        "score": float("nan" if why == "no number" else 1),
    }
    assert not rig.say([row])
    assert not rig.items
    assert rig.numbers.last("infer", "main") == 0
    rig.numbers.close()
