import itertools
from pathlib import Path

import models
import pytest

from inference.measure import FEWEST_RUNS, Measured, Way, best, measure, ways
from inference.optimize import open_sizes

WAY = Way(Path("m.onnx"), "openvino", "CPU")


def ticking(step: float = 0.001) -> object:
    """A clock that goes on by a step each time it is read."""
    return itertools.count(0.0, step).__next__


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    "way",
    [WAY, WAY._replace(threads=1), WAY._replace(requests=3, hint="throughput"), WAY._replace(requests=2)],
)
def test_every_way_gives_its_figures(tmp_path: Path, backend: str, way: Way) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    done = measure(way._replace(path=path, backend=backend), open_sizes, 0.1, ticking())  # type: ignore[arg-type]
    assert done.error is None
    assert done.runs >= FEWEST_RUNS
    assert 0 < done.median_ms <= done.p95_ms
    assert done.per_second > 0


def test_latency_is_that_of_one_answer_and_the_rate_that_of_all(tmp_path: Path) -> None:
    way = WAY._replace(path=models.classifier(tmp_path / "m.onnx"))
    done = measure(way, open_sizes, 0.100, ticking(0.010))  # type: ignore[arg-type]
    assert done.median_ms == pytest.approx(10.0)  # the clock is read at the start and the end of a run
    assert 25 < done.per_second <= 50  # and once more before the next


def test_without_time_a_few_runs_are_measured_all_the_same(tmp_path: Path) -> None:
    for requests in (1, 2):
        way = WAY._replace(path=models.classifier(tmp_path / "m.onnx"), requests=requests)
        assert measure(way, open_sizes, 0.0).runs == FEWEST_RUNS


def test_open_sizes_get_a_usual_size(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", size=("h", "w"), batch="n")
    assert measure(WAY._replace(path=path), open_sizes, 0.0).error is None


def test_a_way_that_fails_says_why_and_fails_alone(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    done = measure(WAY._replace(path=path, device="TOASTER"), open_sizes, 0.0)
    assert "no device TOASTER" in str(done.error)
    assert done.runs == 0


def test_the_default_is_tried_first_and_nothing_twice() -> None:
    for cores in (1, 2, 4, 16):
        found = ways(Path("m.onnx"), "openvino", "CPU", cores=cores, most=4)
        assert found[0] == WAY
        assert len(set(found)) == len(found)
        assert {way.requests for way in found} == {1, 2, 3, 4}
        assert {way.hint for way in found} == {"latency", "throughput"}
        assert all(way.threads is None or way.threads < max(2, cores) for way in found)
    assert {way.threads for way in ways(Path("m"), "openvino", "GPU", cores=8, most=1)} == {None}


def measured(median_ms: float, per_second: float, requests: int = 1, error: str | None = None) -> Measured:
    return Measured(WAY._replace(requests=requests), median_ms, median_ms, per_second, 10, error)


def test_the_lowest_median_wins_for_latency_and_the_most_a_second_for_throughput() -> None:
    slow, quick, many = measured(10, 100), measured(8, 110), measured(20, 190, requests=4)
    failed = measured(0, 0, error="no")
    assert best([slow, failed, quick, many], "latency") is quick
    assert best([slow, failed, quick, many], "throughput") is many
    assert best([failed], "latency") is None


def test_of_two_as_good_the_simpler_one_wins() -> None:
    default, other = measured(10.0, 100), measured(9.9, 101, requests=2)
    assert best([default, other], "latency") is default
    assert best([default, other], "throughput") is default
