"""The component as the nucleus starts it: a process of its own, the genuine SDK, a nucleus on the wire."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import edge_process
import projects
import pytest
from nucleus import Nucleus, short_folder
from nucleus_host import Host
from nucleus_stage import ACCESS, NAME

SYNTHETIC = {"source": "synthetic:", "streams": {"device": {"enabled": False}}, "http": {"enabled": False}}
INFER = "dt/lensracer/cam-1/main/infer"
STATUS = "dt/lensracer/cam-1/status"


class Bench:
    """A nucleus, a component's folders, and its project."""

    def __init__(self, kind: str, root: Path) -> None:
        self.root = root
        self.nucleus = Nucleus(root, kind)
        self.nucleus.start()
        self.project = projects.fake_finder(root)
        environ = edge_process.environment(HOME=str(root))
        environ.pop("EDGE_HTTP__PORT")
        self.host = Host(self.nucleus, root, NAME, environ)

    def install(self, **values: Any) -> None:
        self.nucleus.install(NAME, ACCESS, {"lensracer": SYNTHETIC | values})

    def start(self, project: Path | None = None) -> None:
        self.host.start(edge_process.command("component", project or self.project, "--patience", "3"))

    def run(self, **values: Any) -> None:
        """Install, start, and wait until results come."""
        self.install(**values)
        self.start()
        self.results()

    def results(self, more: int = 1) -> None:
        """Wait for further results."""
        enough = len(self.nucleus.messages(INFER)) + more
        self.host.until(lambda: len(self.nucleus.messages(INFER)) >= enough)

    def whole(self) -> bool:
        """Whether no number is missing, and there are more than one life brings."""
        numbers = {told["seq"] for told in self.nucleus.messages(INFER)}
        return len(numbers) > 30 and numbers == set(range(1, max(numbers) + 1))

    def status(self) -> dict[str, Any]:
        return self.nucleus.messages(STATUS)[-1]

    def close(self) -> None:
        self.host.kill()
        self.nucleus.stop()
        shutil.rmtree(self.root)


@pytest.fixture(params=["classic", "lite"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(request.param, short_folder())
    yield made
    made.close()


@pytest.fixture
def lite() -> Iterator[Bench]:
    made = Bench("lite", short_folder())
    yield made
    made.close()


@pytest.fixture
def classic() -> Iterator[Bench]:
    made = Bench("classic", short_folder())
    yield made
    made.close()


def test_it_runs_says_so_and_stops_within_three_seconds(bench: Bench) -> None:
    bench.run()
    bench.host.reported("RUNNING")
    told = bench.nucleus.messages(INFER)[0]
    assert (told["thing"], told["project"], told["seq"]) == ("cam-1", "fake-finder", 1)
    assert (bench.status()["state"], bench.status()["expires_in_s"]) == ("online", 180.0)
    assert bench.host.stop() < 3.0
    assert bench.host.process is not None
    assert bench.host.process.returncode == 0
    assert bench.status()["state"] == "offline"
    assert bench.nucleus.oversized == 0


def test_a_changed_configuration_is_applied_while_it_runs(bench: Bench) -> None:
    bench.run()
    assert bench.host.process is not None
    before = bench.host.process.pid
    assert bench.nucleus.configure(NAME, {"lensracer": {"thing": "cam-2"}})
    bench.host.until(lambda: bench.nucleus.messages("dt/lensracer/cam-2/main/infer"))
    assert bench.host.process.poll() is None
    assert bench.host.process.pid == before


def test_another_project_is_swapped_in(bench: Bench) -> None:
    bench.run()
    (bench.root / "other").mkdir()
    other = projects.fake_finder(bench.root / "other")
    text = (other / "project.yaml").read_text().replace("name: fake-finder", "name: other-finder")
    (other / "project.yaml").write_text(text)
    assert bench.nucleus.configure(NAME, {"lensracer": {"project": str(other)}})
    bench.host.until(lambda: bench.nucleus.messages(INFER)[-1]["project"] == "other-finder")
    numbers = [told["seq"] for told in bench.nucleus.messages(INFER)]
    assert numbers == list(range(1, len(numbers) + 1))  # one life: nothing was started anew


@pytest.mark.parametrize(
    ("change", "key"),
    [({"streams": {"device": {"rate": -1}}}, "streams.device.rate"), ({"project": "nowhere"}, "nowhere")],
)
def test_a_configuration_that_cannot_run_leaves_the_last_good_one_running(
    lite: Bench, change: dict[str, Any], key: str
) -> None:
    lite.run()
    assert lite.nucleus.configure(NAME, {"lensracer": change})
    lite.host.until(lambda: "the last good one stays" in lite.host.text)
    assert key in lite.host.text
    lite.results()
    assert lite.nucleus.components[NAME].states == ["RUNNING"]


def test_the_classic_nucleus_is_told_beforehand_what_would_not_run(classic: Bench) -> None:
    classic.run()
    assert not classic.nucleus.configure(NAME, {"lensracer": {"project": "/no/such/project"}})
    verdict, why = classic.nucleus.components[NAME].verdicts[-1]
    assert verdict == "REJECTED"
    assert "/no/such/project" in why
    assert classic.nucleus.configure(NAME, {"lensracer": {"log": {"level": "debug"}}})
    assert classic.nucleus.components[NAME].verdicts[-1][0] == "ACCEPTED"


def test_texts_are_numbers_where_numbers_belong_and_foreign_keys_are_reported_once(lite: Bench) -> None:
    lite.run(
        streams={"device": {"enabled": "false", "rate": "2.5"}}, spool={"sync_ms": 500.0}, olden={"x": 1}
    )
    assert lite.host.text.count("lensracer.olden is not known to this version, and is ignored") == 1
    assert "expected" not in lite.host.text


def test_a_camera_that_is_not_there_is_no_reason_to_end(bench: Bench) -> None:
    bench.install(source="/dev/video99")
    bench.start()
    bench.host.reported("RUNNING")
    bench.host.until(lambda: bench.nucleus.messages("dt/lensracer/cam-1/health"))
    assert bench.nucleus.messages("dt/lensracer/cam-1/health")[-1]["sources"]["main"]["state"] != "live"
    assert bench.host.process is not None
    assert bench.host.process.poll() is None


def test_a_model_that_is_missing_is_errored_where_nothing_ran_before(bench: Bench) -> None:
    bench.install()
    (bench.project / "project.yaml").write_text("name: p\ntask: detection\nmodel: absent.onnx\nlabels: [a]\n")
    bench.start()
    assert bench.host.ended() == 2
    assert bench.nucleus.components[NAME].states == ["ERRORED"]
    assert "absent.onnx" in bench.host.text
    assert "Traceback" not in bench.host.text


def test_on_lite_a_broken_version_runs_the_last_good_one_and_says_so(lite: Bench) -> None:
    lite.run()
    lite.host.until(lambda: (lite.host.work / "last-good" / "settings.json").exists())
    lite.host.stop()
    second = lite.root / "artifacts" / NAME / "2.0.0" / "fake-finder"
    shutil.copytree(lite.project, second)
    text = (second / "project.yaml").read_text().replace("fake:detection:3:64x48", "absent.onnx")
    (second / "project.yaml").write_text(text)
    lite.start(second)
    lite.results()
    assert lite.status()["rolled_back_from"] == "2.0.0"
    assert "absent.onnx" in lite.host.text


def test_on_classic_a_broken_version_is_errored_and_the_nucleus_rolls_back(classic: Bench) -> None:
    classic.run()
    classic.host.until(lambda: (classic.host.work / "last-good" / "settings.json").exists())
    classic.host.stop()
    (classic.project / "project.yaml").write_text(
        "name: p\ntask: detection\nmodel: absent.onnx\nlabels: [a]\n"
    )
    classic.start()
    assert classic.host.ended() == 2
    assert classic.nucleus.components[NAME].states[-1] == "ERRORED"


def test_an_update_is_answered_at_once_while_nothing_moves(classic: Bench) -> None:
    classic.run()
    classic.nucleus.announce_update("d-7")
    classic.host.until(lambda: classic.nucleus.components[NAME].deferrals == [("d-7", 0)])


@pytest.mark.slow
def test_a_nucleus_that_was_killed_costs_a_new_start_and_no_message(lite: Bench) -> None:
    lite.run()
    lite.nucleus.kill()
    lite.nucleus.start()  # the token is void
    assert lite.host.ended(45.0) == 1
    assert "only a new start of this process gets a new token" in lite.host.text
    lite.start()
    lite.host.until(lite.whole)  # what waited, too, in whatever order


@pytest.mark.slow
def test_a_third_end_within_the_hour_does_not_come(lite: Bench) -> None:
    lite.install()
    (lite.host.work / "ends.json").write_text(f"[{int(time.time() * 1000)}, {int(time.time() * 1000)}]")
    lite.start()
    lite.results()
    lite.nucleus.kill()
    lite.nucleus.start()
    lite.host.until(lambda: "only a new start of this process gets a new token" in lite.host.text, 45.0)
    time.sleep(1.0)
    assert lite.host.process is not None
    assert lite.host.process.poll() is None


def test_a_nucleus_that_is_away_for_a_moment_loses_nothing(bench: Bench) -> None:
    bench.run()
    bench.nucleus.vanish()
    time.sleep(1.0)
    bench.nucleus.start()
    bench.host.until(bench.whole)


def test_without_a_nucleus_it_says_what_to_do_instead(tmp_path: Path) -> None:
    done = edge_process.edge("component", projects.fake_finder(tmp_path), folder=tmp_path)
    assert done.code == 2
    assert "no Greengrass nucleus started this process; `edge run`" in done.stderr
