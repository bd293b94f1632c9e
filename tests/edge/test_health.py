"""The probes and the metrics of a run tell the truth, in words and in Prometheus' form."""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from brokers import Broker, free_port, mosquitto, running
from edge_process import REPOSITORY
from projects import fake_finder
from prometheus_client.parser import text_string_to_metric_families
from swap_run import Live, live
from witness import wait_until

from edge import machine
from edge.health import EDGES
from edge.options import Options
from edge.tally import Distribution
from streams.envelope import schema
from streams.health import health_message

LIVELY = {"sources": {"main": {"uri": "synthetic:?rate=50&size=64x48"}}, "http.enabled": True, "http.port": 0}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running(mosquitto(tmp_path)) as started:
        yield started


def asked(run: Live, path: str) -> tuple[int, str, str]:
    """Status, content type and body."""
    sink = run.run.runtime.pictures
    assert sink is not None
    wait_until(lambda: not sink.url.endswith(":0"))
    try:
        with urllib.request.urlopen(f"{sink.url}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def ready(run: Live) -> tuple[int, dict[str, Any]]:
    code, _, body = asked(run, "/readyz")
    return code, json.loads(body)


def metrics(run: Live) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    code, content_type, body = asked(run, "/metrics")
    assert code == 200
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(body)
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def value(found: dict[Any, float], name: str, **labels: str) -> float:
    return found[f"lensracer_{name}", tuple(sorted(labels.items()))]


def transport(port: int) -> dict[str, Any]:
    return {"transport.kind": "iot_core", "transport.endpoint": "127.0.0.1", "transport.port": port}


def test_a_run_is_ready_while_it_answers_pictures_and_its_messages_are_accepted(
    tmp_path: Path, broker: Broker
) -> None:
    with live(fake_finder(tmp_path), tmp_path / "state", **LIVELY, **transport(broker.port)) as run:
        wait_until(lambda: ready(run) == (200, {"ready": True, "missing": [], "degraded": []}))
        assert asked(run, "/healthz")[0] == 200
        broker.kill()
        wait_until(lambda: ready(run)[0] == 503)
        (missing,) = ready(run)[1]["missing"]
        assert missing.startswith("messages are not accepted: mqtt://127.0.0.1:")
        assert asked(run, "/healthz")[0] == 200
        broker.start()
        wait_until(lambda: ready(run)[0] == 200, 30.0)
        wait_until(lambda: value(metrics(run), "reconnects_total") == 1)


def test_a_source_that_is_lost_is_told_and_where_it_is_the_only_one_the_run_is_not_ready(
    tmp_path: Path,
) -> None:
    lost = {"uri": f"http://127.0.0.1:{free_port()}/", "patience": "forever"}
    with live(fake_finder(tmp_path), tmp_path / "one", **{**LIVELY, "sources": {"yard": lost}}) as run:
        wait_until(lambda: bool(run.run.runtime.feeds["yard"].status().error))
        code, told = ready(run)
        assert code == 503
        assert "source yard gives no pictures (opening): " in told["missing"][0]
    both = {"yard": lost, **LIVELY["sources"]}
    with live(fake_finder(tmp_path), tmp_path / "two", **{**LIVELY, "sources": both}) as run:
        wait_until(lambda: ready(run)[0] == 200)
        assert "source yard gives no pictures (opening): " in ready(run)[1]["degraded"][0]
        found = metrics(run)
        assert value(found, "source_up", source="yard") == 0
        assert value(found, "source_up", source="main") == 1


def test_a_paused_run_is_not_ready_and_says_why(tmp_path: Path) -> None:
    with live(fake_finder(tmp_path), tmp_path / "state", **LIVELY) as run:
        wait_until(lambda: ready(run)[0] == 200)
        run.run.runtime.interlude.pause()
        wait_until(lambda: ready(run)[0] == 503)
        assert ready(run)[1]["missing"] == ["the loop is paused, by a command"]
        run.run.runtime.interlude.resume()
        wait_until(lambda: ready(run)[0] == 200)


def test_metrics_agree_with_the_run_and_carry_base_units_and_no_ids(tmp_path: Path) -> None:
    with live(fake_finder(tmp_path), tmp_path / "state", **LIVELY) as run:
        wait_until(lambda: run.tally.frames >= 20)
        before = run.tally.frames
        found = metrics(run)
        assert before <= value(found, "frames_inferred_total", source="main") <= run.tally.frames
        assert value(found, "frames_captured_total", source="main") >= before
        assert value(found, "messages_total", stream="project", outcome="born") >= before
        assert value(found, "stage_seconds_count", stage="infer") >= before
        assert value(found, "stage_seconds_bucket", stage="infer", le="+Inf") == value(
            found, "stage_seconds_count", stage="infer"
        )
        assert value(found, "ready") == value(found, "connected") == value(found, "spool_disk_up") == 1
        assert value(found, "process_resident_memory_bytes") > 1e6
        assert value(found, "swaps_total", outcome="done") == 0
    names = {name for name, _ in found}
    assert all(name.startswith("lensracer_") for name in names)
    assert not [name for name in names if re.search(r"_(ms|milliseconds|mb|kb|percent|minutes)(_|$)", name)]
    labels = {label for _, pairs in found for label, _ in pairs}
    told = {"version", "kernels", "kernels_level", "backend", "device", "task"}
    assert labels <= told | {"source", "stream", "outcome", "reason", "stage", "le", "zone"}


def test_a_run_that_nobody_asks_for_metrics_does_not_load_their_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, edge.run; print(*sys.modules)"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "edge.probes" in done.stdout.split()
    assert "prometheus_client" not in done.stdout.split()


def test_a_histogram_counts_each_duration_below_every_edge_that_it_keeps() -> None:
    times = Distribution()
    for seconds in (0.00005, 0.0005, 0.004, 0.0041, 0.9, 700.0):
        times.add(seconds)
    counts = dict(zip([*EDGES, "all"], times.up_to(EDGES), strict=True))
    assert [counts[edge] for edge in (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.5, 1.0, 60.0, "all")] == [
        *(1, 1, 2, 2, 4, 4, 5, 5, 6)
    ]


def test_the_health_message_tells_what_waits_what_is_missing_and_what_it_costs(tmp_path: Path) -> None:
    state = tmp_path / "state"
    hasty = Options(print_messages=True, drain=0.1)
    with live(fake_finder(tmp_path), state, hasty, **LIVELY, **transport(free_port())) as run:
        wait_until(lambda: run.run.runtime.spool.status().left >= 20)
        time.sleep(0.1)
        told = health_message(
            thing="cam-1", now=1.0, wall_ms=1_800_000_000_000, uptime_s=1.0, **run.run.figures()
        )
    jsonschema.Draft202012Validator(schema("lensracer.health/1")).validate(told)
    assert told["ready"]["ready"] is False
    assert "messages are not accepted" in told["ready"]["missing"][0]
    assert told["spool"]["messages"] >= 20
    assert told["spool"]["oldest_s"] >= 0
    assert told["connection"]["connected"] is False
    assert told["process"]["rss_bytes"] > 1e6


def test_temperatures_are_told_by_the_kernels_names_and_what_cannot_be_read_is_left_out(
    tmp_path: Path,
) -> None:
    for number, (name, degrees) in enumerate(
        [("cpu", "51500"), ("cpu", "49000"), ("gpu", "no"), ("wifi", "-1000")]
    ):
        zone = tmp_path / f"thermal_zone{number}"
        zone.mkdir()
        (zone / "type").write_text(f"{name}\n")
        (zone / "temp").write_text(f"{degrees}\n")
    assert machine.temperatures(tmp_path) == {"cpu": 51.5, "wifi": -1.0}
    assert machine.temperatures(tmp_path / "none") == {}
