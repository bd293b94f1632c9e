"""A message is exactly what its schema says, plain JSON, and as large as the broker takes."""

import json
from typing import Any

import jsonschema
import numpy as np
import pytest

from kernels.runs import decode_runs, encode_runs
from streams import envelope, masks, status
from streams.errors import PayloadTooLarge
from streams.frame import Frame
from streams.health import health_message

SAMPLE_FIELDS = [
    "schema",
    "thing",
    "source",
    "project",
    "seq",
    "boot_id",
    "mono_ms",
    "clock",
    "ts",
    "ts_ms",
    "task",
    "model",
    "frame",
    "latency_ms",
    "results",
]
MODEL = {"name": "trash-sorter", "sha256": "ab12", "backend": "openvino", "device": "CPU"}
LATENCY = {"prepare": 0.1, "infer": 3.0004, "interpret": 0.1, "total": 3.4}


def rows(count: int) -> list[dict[str, Any]]:
    scores = np.random.default_rng(5).permutation(count)
    return [
        {
            "label": "bottle",
            "label_id": 4,
            "score": round(float(score) / count, 4),
            "box": [0.1, 0.2, 0.3, 0.4],
        }
        for score in scores
    ]


def message(results: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    frame = Frame(4711, "main", 51.2345, np.zeros((720, 1280, 3), np.uint8))
    return envelope.infer_message(
        thing="cam-1",
        source="main",
        project="trash-sorter",
        seq=812,
        frame=frame,
        now=51.2469,
        wall_ms=1795328700135,
        task="detection",
        model=MODEL,
        latency_ms=LATENCY,
        results=rows(1) if results is None else results,
    )


def valid(checked: dict[str, Any]) -> None:
    schema = envelope.schema(checked["schema"])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(checked)


def test_a_message_has_the_fields_of_the_contract_in_their_order() -> None:
    made = message()
    assert list(made) == SAMPLE_FIELDS
    assert made["frame"] == {"id": 4711, "width": 1280, "height": 720, "age_ms": 12.4}
    valid(made)


def test_the_times_are_the_captures() -> None:
    made = message()
    assert (made["ts_ms"], made["ts"]) == (1795328700123, "2026-11-22T06:25:00.123Z")
    assert made["mono_ms"] == 51234.5


def test_latencies_are_rounded_to_the_microsecond() -> None:
    assert message()["latency_ms"] == {"prepare": 0.1, "infer": 3.0, "interpret": 0.1, "total": 3.4}


def test_the_message_is_nobody_elses() -> None:
    results = rows(2)
    made = message(results)
    results[0]["score"] = 9
    results.clear()
    assert len(made["results"]) == 2
    assert made["results"][0]["score"] != 9


def test_a_message_is_compact_json() -> None:
    encoded = envelope.encode({"a": [1, 2], "b": "é"})
    assert encoded == '{"a":[1,2],"b":"é"}'.encode()


def test_what_fits_is_left_alone() -> None:
    made = message(rows(10))
    encoded = envelope.encode(made)
    assert envelope.encode(made, len(encoded)) == encoded
    assert "truncated" not in json.loads(encoded)


@pytest.mark.parametrize("limit", [700, 1000, 4096, 6000])
def test_what_is_too_large_loses_its_lowest_scores_and_says_so(limit: int) -> None:
    made = message(rows(100))
    encoded = envelope.encode(made, limit)
    cut = json.loads(encoded)
    assert len(encoded) <= limit
    assert cut["truncated"] is True
    valid(cut)
    kept = [row["score"] for row in cut["results"]]
    best = sorted((row["score"] for row in made["results"]), reverse=True)[: len(kept)]
    assert sorted(kept, reverse=True) == best
    assert kept == [row["score"] for row in made["results"] if row["score"] in best]
    assert len(envelope.encode({**cut, "results": made["results"][: len(kept) + 1]})) > limit


def test_what_never_fits_is_refused() -> None:
    with pytest.raises(PayloadTooLarge, match="not even without its results"):
        envelope.encode(message(rows(3)), 200)
    with pytest.raises(PayloadTooLarge):
        envelope.encode({"results": "no list", "more": "x" * 100}, 50)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_have_is_refused_with_its_field(number: float) -> None:
    made = message(rows(3))
    made["results"][1]["box"][2] = number
    with pytest.raises(ValueError, match=r"results\[1\]\.box\[2\] is (nan|-?inf)"):
        envelope.encode(made)


def test_anything_but_plain_json_is_refused_with_its_field() -> None:
    with pytest.raises(TypeError, match=r"extra\.array is a ndarray"):
        envelope.encode({"extra": {"array": np.zeros(2)}})
    with pytest.raises(ValueError, match="plain JSON"):
        envelope.encode({"text": "\ud800"})


def test_rows_without_a_score_go_first() -> None:
    made = {"results": [{"label": "a" * 40}, {"label": "b" * 40, "score": 0.1}]}
    assert json.loads(envelope.encode(made, 110))["results"] == [made["results"][1]]


def test_a_message_without_its_number_is_no_valid_one() -> None:
    with pytest.raises(jsonschema.ValidationError):
        valid(message() | {"seq": 0})


def test_a_health_message_is_valid() -> None:
    made = health_message(
        thing="cam-1",
        now=60.0,
        wall_ms=1795328700123,
        uptime_s=31.26,
        project="trash-sorter",
        http="http://127.0.0.1:8080",
        sources={"main": {"state": "running", "captured": 100, "dropped": 3, "bad": 0, "fps": 29.97}},
        messages={"project": 5, "acked": 5, "spooled": 0, "dropped": 0},
    )
    valid(made)
    assert (made["mono_ms"], made["ts_ms"], made["uptime_s"]) == (60000.0, 1795328700123, 31.3)
    assert envelope.encode(made)


def test_a_status_message_is_valid_and_a_will_tells_no_time() -> None:
    valid(status.status_message("cam-1", "online", ts_ms=1795328700123))
    valid(status.status_message("cam-1", "online", ts_ms=1795328700123, expires_in_s=90))
    assert json.loads(status.will("cam-1").payload) == {
        "schema": "lensracer.status/1",
        "thing": "cam-1",
        "state": "offline",
    }
    for said, state in ((status.birth("cam-1"), "online"), (status.farewell("cam-1"), "offline")):
        assert said.topic == "dt/lensracer/cam-1/status"
        assert (said.qos, said.retain) == (1, True)
        told = json.loads(said.payload)
        valid(told)
        assert (told["state"], "ts_ms" in told) == (state, True)


def test_an_unknown_schema_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        envelope.schema("lensracer.infer/99")


def masked(side: int, seed: int = 0) -> list[dict[str, Any]]:
    mask = (
        np.random.default_rng(seed).integers(0, 2, (side // 8, side // 8), np.uint8).repeat(8, 0).repeat(8, 1)
    )
    return [
        {
            "label": name,
            "label_id": label,
            "area": 0.25 + label / 2,
            "mask": {"size": [side, side], "box": [0.0, 0.0, 1.0, 1.0], "counts": counts},
        }
        for label, (name, counts) in enumerate(zip("ab", encode_runs(mask, (0, 1)), strict=True))
    ]


def test_masks_that_are_too_large_are_made_coarser_and_say_so() -> None:
    made = message(masked(128))
    valid(made)
    cut = json.loads(envelope.encode(made, 5000))
    valid(cut)
    assert cut["truncated"] is True
    for row, whole in zip(cut["results"], made["results"], strict=True):
        side = row["mask"]["size"][0]
        assert side in (64, 32, 16)
        step = 128 // side
        full = decode_runs(whole["mask"]["counts"], (128, 128))
        assert (decode_runs(row["mask"]["counts"], (side, side)) == full[::step, ::step]).all()
        assert row["mask"]["box"] == [0.0, 0.0, 1.0, 1.0]


def test_masks_that_are_never_small_enough_are_left_out_and_the_areas_stay() -> None:
    made = message(masked(256))
    cut = json.loads(envelope.encode(made, 900))
    valid(cut)
    assert [(row["label"], row["area"], "mask" in row) for row in cut["results"]] == [
        ("a", 0.25, False),
        ("b", 0.75, False),
    ]
    assert cut["truncated"] is True


def test_the_smallest_areas_go_first() -> None:
    rows = [{"label": "a" * 40, "area": 0.2}, {"label": "b" * 40, "area": 0.8, "mask": {}}]
    cut = json.loads(envelope.encode({"results": rows}, 110))
    assert [row["area"] for row in cut["results"]] == [0.8]


@pytest.mark.parametrize(
    "mask",
    [
        None,
        5,
        {},
        {"size": [2, 2], "counts": [9]},
        {"size": [2], "counts": [4]},
        {"size": [10**9, 10**9], "counts": [10**18]},
    ],
)
def test_a_mask_that_is_none_is_left_out(mask: Any) -> None:
    rows = [{"label": "x", "mask": mask}, {"label": "y"}, "no row"]
    assert next(masks.coarser(rows)) == [{"label": "x"}, {"label": "y"}, "no row"]
    assert list(masks.coarser(rows[1:])) == []
