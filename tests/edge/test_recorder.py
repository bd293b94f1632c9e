"""The recorder on a running runtime: begins and ends at any time, leaves the run alone, refuses what it must."""

import threading
from pathlib import Path
from typing import Any

import pytest
from projects import colour_sorter, fake_finder
from swap_run import live
from witness import wait_until

from edge import config as configuration
from edge import replay_child, thresholds
from edge.errors import AlreadyThere, RecordingRefused
from edge.recorder import header
from edge.recording import Bounds, Session
from edge.replay import Asked, replay
from streams import picture_packing
from streams.recording import Recording, Writer

BOUNDS = Bounds(None, 1 << 20)


def written(path: str | Path) -> tuple[Recording, list[dict[str, Any]]]:
    with Recording(Path(path)) as found:
        return found, [record.meta for record in found.shots()]


def sorter(folder: Path) -> Path:
    """A made-up model answers in turn, so that in mid-run it is elsewhere; this one looks at its pictures."""
    return colour_sorter(folder / "sorter", "publish: {every: 1}\n")


def test_a_recording_begins_and_ends_in_mid_run(tmp_path: Path) -> None:
    with live(sorter(tmp_path), tmp_path / "state") as run:
        recorder = run.run.recorder
        assert recorder.status() is None
        wait_until(lambda: run.tally.frames > 5)
        path = recorder.start(30, "yard")
        assert Path(path).parts[-2:] == ("recordings", "yard.recording")
        wait_until(lambda: recorder.status()["frames"] > 10)  # type: ignore[index]
        summary = recorder.stop()
        assert run.run.runtime.tap.listener is None
        assert run.run.runtime.model.witness is None
        seen = run.tally.frames
        wait_until(lambda: run.tally.frames > seen)
    found, shots = written(path)
    assert (summary["ended"], summary["lost"]) == ("asked", 0)
    assert found.header["from_start"] is False
    assert [shot["n"] for shot in shots] == list(range(1, summary["frames"] + 1))
    assert all(shot["inputs"] and shot["outputs"] and shot["message"] for shot in shots)
    outcome = replay(Asked(Path(path)), configuration.load(None, {}, {}))
    assert outcome.same, outcome.told
    assert "began in mid-run" in outcome.told["notes"][0]


def test_a_recording_ends_by_itself_when_its_time_is_over(tmp_path: Path) -> None:
    with live(fake_finder(tmp_path), tmp_path / "state") as run:
        path = run.run.recorder.start(0.3, "short")
        wait_until(lambda: run.run.recorder.over)
        assert run.run.recorder.stop()["ended"] == "seconds"
        again = run.run.recorder.start(30, "again")
    assert written(path)[0].summary["ended"] == "seconds"  # type: ignore[index]
    assert written(again)[0].summary["ended"] == "end"  # type: ignore[index]


def test_a_recording_without_frames_ends_in_time_too(tmp_path: Path) -> None:
    with live(fake_finder(tmp_path), tmp_path / "state") as run:
        run.run.pausing.pause()
        run.run.recorder.start(0.2, "nothing")
        wait_until(lambda: run.run.recorder.over)
        assert run.run.recorder.stop()["frames"] == 0
        run.run.pausing.resume()


def test_what_cannot_be_recorded_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with live(fake_finder(tmp_path), tmp_path / "state") as run:
        recorder = run.run.recorder
        with pytest.raises(RecordingRefused, match="nothing is being recorded"):
            recorder.stop()
        for name in ("", "../evil", "UP", "a/b", "x" * 65, "a.b", "ä"):
            with pytest.raises(RecordingRefused, match="a recording's name has"):
                recorder.start(1, name)
        for seconds in (0, -1, float("nan"), 1e9):
            with pytest.raises(RecordingRefused, match="takes more than 0"):
                recorder.start(seconds, "yard")
        recorder.start(30, "yard")
        with pytest.raises(RecordingRefused, match="is under way"):
            recorder.start(1, "other")
        recorder.stop()
        with pytest.raises(AlreadyThere, match="never replaces a file"):
            recorder.start(1, "yard")


def test_a_threshold_that_is_changed_meanwhile_is_changed_again_at_its_frame(tmp_path: Path) -> None:
    with live(sorter(tmp_path), tmp_path / "state") as run:
        recorder, runtime = run.run.recorder, run.run.runtime
        path = recorder.start(30, "yard")
        wait_until(lambda: recorder.status()["frames"] > 5)  # type: ignore[index]
        before = runtime.model.threshold
        runtime.interlude.ask(lambda: runtime.model.set_threshold(0.95)).result(5)
        wait_until(lambda: recorder.status()["frames"] > 15)  # type: ignore[index]
        recorder.stop()
    _, shots = written(path)
    assert [shot["threshold"] for shot in (shots[0], shots[-1])] == [before, 0.95]
    outcome = replay(Asked(Path(path)), configuration.load(None, {}, {}))
    assert outcome.same, {key: outcome.told[key] for key in ("first", "identity")}


def test_a_threshold_that_was_set_before_holds_again_and_one_that_is_kept_here_does_not(
    tmp_path: Path,
) -> None:
    project = sorter(tmp_path)
    with live(project, tmp_path / "state") as run:
        recorder, runtime = run.run.recorder, run.run.runtime
        plain = recorder.start(30, "plain")
        wait_until(lambda: recorder.status()["frames"] > 5)  # type: ignore[index]
        recorder.stop()
        runtime.interlude.ask(lambda: runtime.model.set_threshold(0.95)).result(5)
        after = recorder.start(30, "after")
        wait_until(lambda: recorder.status()["frames"] > 5)  # type: ignore[index]
        recorder.stop()
    state = tmp_path / "elsewhere"
    state.mkdir()
    thresholds.keep(state, project.name, 0.99)
    config = configuration.load(None, {}, {"spool.path": str(state)})
    for path in (plain, after):
        outcome = replay(Asked(Path(path)), config)
        assert outcome.same, {key: outcome.told[key] for key in ("first", "identity")}


def test_what_the_writer_has_no_room_for_is_a_hole_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on as before; the frames that were left out are named, and a replay says so."""
    going, append = threading.Event(), Writer.append

    def slow(writer: Writer, *record: Any) -> bool:
        assert going.wait(20)
        return append(writer, *record)

    with live(sorter(tmp_path), tmp_path / "state") as run:
        runtime = run.run.runtime
        writer = Writer(tmp_path / "a.recording", header(runtime, BOUNDS, from_start=False), 1 << 20)
        monkeypatch.setattr(Writer, "append", slow)
        session = Session(
            *(writer, BOUNDS, runtime.model),
            patient=False,
            from_start=False,
            clock=runtime.clock,
            over=lambda: None,
            most_waiting=1,
        )
        session.start()
        runtime.tap.listener = session
        seen = run.tally.frames
        wait_until(lambda: run.tally.frames > seen + 10)
        going.set()
        wait_until(lambda: session.summary()["frames"] > 3)
        runtime.tap.listener = None
        session.finish("asked")
        assert session.wait(10)
    summary = session.summary()
    assert summary["lost"] >= 5
    first, last = summary["holes"][0]
    _, shots = written(tmp_path / "a.recording")
    assert not {shot["n"] for shot in shots} & set(range(first, last + 1))
    outcome = replay(Asked(tmp_path / "a.recording"), configuration.load(None, {}, {}))
    assert outcome.same, outcome.told["first"]
    assert any("holes" in note for note in outcome.told["notes"])


@pytest.mark.parametrize("hidden_from", ["all", "device"])
def test_private_zones_are_never_recorded(hidden_from: str, tmp_path: Path) -> None:
    zones = [{"box": [0.0, 0.0, 0.5, 1.0], "from": hidden_from}]
    with live(sorter(tmp_path), tmp_path / "state", privacy=zones) as run:
        path = Path(run.run.recorder.start(30, "yard"))
        wait_until(lambda: run.run.recorder.status()["frames"] > 5)  # type: ignore[index]
        run.run.recorder.stop()
    with Recording(path) as found:
        frames = [picture_packing.unpacked(record) for record in found.shots()]
    assert all(not frame.pixels[:, :32].any() and frame.pixels[:, 36:].any() for frame in frames)
    outcome = replay(Asked(path), configuration.load(None, {}, {}))
    assert outcome.told["stages"]["picture"] == 0
    assert outcome.same == (hidden_from == "all")
    assert any("zones covered" in note for note in outcome.told["notes"]) == (hidden_from == "device")


@pytest.mark.slow
def test_a_swap_ends_the_recording(tmp_path: Path) -> None:
    other = tmp_path / "b"
    other.mkdir()
    with live(fake_finder(tmp_path), tmp_path / "state") as run:
        path = run.run.recorder.start(30, "yard")
        wait_until(lambda: run.run.recorder.status()["frames"] > 5)  # type: ignore[index]
        assert run.ask(fake_finder(other, "output: {threshold: 0.9}\n"))["outcome"] == "done"
        wait_until(lambda: run.run.recorder.over)
        assert run.run.recorder.stop()["ended"] == "swap"
    found, shots = written(path)
    assert found.header["project"]["folder"] == str(tmp_path / "fake-finder")
    assert len({json_of(shot["message"]["model"]) for shot in shots}) == 1


def json_of(value: Any) -> str:
    return repr(sorted(value.items()))


@pytest.mark.slow
def test_a_replay_beside_the_run_is_a_process_of_its_own(tmp_path: Path) -> None:
    with live(sorter(tmp_path), tmp_path / "state") as run:
        recorder = run.run.recorder
        path = Path(recorder.start(30, "yard"))
        wait_until(lambda: recorder.status()["frames"] > 5)  # type: ignore[index]
        recorder.stop()
        told = replay_child.start(path, run.run.runtime.config).result(60)
        assert told["same"], told
        path.write_bytes(b"damaged")
        with pytest.raises(RuntimeError, match="is no recording"):
            replay_child.start(path, run.run.runtime.config).result(60)
