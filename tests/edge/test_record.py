"""`edge record` and `edge replay`, as processes: what was seen and said comes out again, to the last byte."""

import json
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from edge_process import Done, command, edge, environment, finish, start
from projects import colour_sorter, fake_finder
from witness import wait_until

from streams.recording import Recording

SAMPLES = ("trash-sorter", "trash-finder", "figures", "track-view")
BACKENDS = ("openvino", "onnxruntime")


def record(project: str | Path, *more: str, folder: Path, to: str = "a.recording", **env: str) -> Done:
    return edge("record", project, "-o", to, *more, folder=folder, **env)


def replay(*words: str | Path, folder: Path, **env: str) -> tuple[int, dict[str, Any]]:
    done = edge("replay", *words, "--json", folder=folder, **env)
    assert done.stdout, done.stderr
    return done.code, json.loads(done.stdout)


def messages_of(path: Path) -> list[dict[str, Any]]:
    with Recording(path) as found:
        return [record.meta["message"] for record in found.shots()]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_gives_the_same_again_on_either_backend(sample: str, backend: str, tmp_path: Path) -> None:
    done = record(sample, "--frames", "20", "--set", f"inference.backend={backend}", folder=tmp_path)
    assert done.code == 0, done.output
    assert "a.recording: 20 frames" in done.stdout
    code, told = replay("a.recording", folder=tmp_path)
    assert (code, told["frames"]) == (0, {"compared": 20, "same": 20, "different": 0}), told
    assert told["model"]["backend"] == backend
    assert any(messages_of(tmp_path / "a.recording"))


@pytest.mark.slow
def test_with_the_twins_of_the_kernels_the_results_are_the_same(tmp_path: Path) -> None:
    """Their numbers may differ in the last bits, which a tolerance allows; labels may not."""
    assert record("trash-sorter", "--frames", "8", folder=tmp_path).code == 0
    code, told = replay("a.recording", "--tolerance", "0.001", folder=tmp_path, EDGE_KERNELS="reference")
    assert code == 0, told
    assert told["likeness"]["labels"]["changed"] == 0


@pytest.mark.slow
def test_another_backend_is_told_with_how_far_it_is_apart(tmp_path: Path) -> None:
    project = colour_sorter(tmp_path / "sorter", "publish: {every: 1}\n")
    assert record(project, folder=tmp_path).code == 0
    code, told = replay("a.recording", "--set", "inference.backend=onnxruntime", folder=tmp_path)
    assert code == 1
    assert told["identity"] == [{"field": "model.backend", "recorded": "openvino", "replayed": "onnxruntime"}]
    assert told["likeness"]["outputs"]["largest"] < 1e-4
    words = ("--set", "inference.backend=onnxruntime", "--tolerance", "0.001")
    assert replay("a.recording", *words, folder=tmp_path)[0] == 0


@pytest.mark.slow
def test_a_planted_change_is_found_and_named(tmp_path: Path) -> None:
    project = colour_sorter(tmp_path / "sorter", "publish: {every: 1}\n")
    assert record(project, folder=tmp_path).code == 0
    file = project / "project.yaml"
    before = file.read_text()

    file.write_text(before.replace("top_k: 3", "top_k: 3, threshold: 0.4"))
    code, told = replay("a.recording", folder=tmp_path)
    assert code == 1
    assert told["changed_files"] == ["project.yaml"]
    assert told["identity"] == [{"field": "threshold", "recorded": 0.0, "replayed": 0.4}]
    assert told["first"]["frame"] == {"n": 1, "source": "main", "id": 1}
    assert told["stages"]["inputs"] == told["stages"]["outputs"] == 0
    assert told["stages"]["result"] == told["frames"]["different"] == 12

    file.write_text(before.replace("[red, green, blue]", "[red, green, azure]"))
    done = edge("replay", "a.recording", folder=tmp_path)
    assert done.code == 1
    assert "12 different" in done.stdout
    assert "label: recorded 'blue', replayed 'azure'" in done.stdout

    file.write_text(before.replace("scale: 255", "scale: 250"))
    code, told = replay("a.recording", folder=tmp_path)
    assert (code, told["first"]["field"]) == (1, "inputs[0].digest")

    file.write_text(before)
    assert replay("a.recording", folder=tmp_path)[0] == 0


@pytest.mark.slow
def test_when_messages_were_due_comes_out_again(tmp_path: Path) -> None:
    """By the recorded time, not by that of the replay, which is much quicker."""
    project = fake_finder(tmp_path)
    file = project / "project.yaml"
    file.write_text(file.read_text().replace("{every: 1}", "{min_interval: 200ms, heartbeat: 300ms}"))
    words = ("--source", "synthetic:?size=64x48&rate=50", "--seconds", "1.5")
    done = record(project, *words, folder=tmp_path)
    assert done.code == 0, done.output
    messages = messages_of(tmp_path / "a.recording")
    told = [message for message in messages if message]
    assert 1 < len(told) < len(messages)
    assert replay("a.recording", folder=tmp_path)[0] == 0


HOOK = """\
class Hook:
    count = 0
    def on_result(self, frame, result):
        self.count += 1
        return False if self.count % 3 == 0 else {"count": self.count, "bright": int(frame.pixels.mean())}
"""


@pytest.mark.slow
def test_what_a_hook_adds_and_silences_comes_out_again(tmp_path: Path) -> None:
    project = colour_sorter(tmp_path / "sorter", "publish: {every: 1}\nhook: hook.py\n")
    (project / "hook.py").write_text(HOOK)
    assert record(project, folder=tmp_path).code == 0
    assert replay("a.recording", folder=tmp_path)[0] == 0
    (project / "hook.py").write_text(HOOK.replace("pixels.mean()", "pixels.mean() + 1"))
    code, told = replay("a.recording", folder=tmp_path)
    assert (code, told["first"]["field"], told["stages"]["result"]) == (1, "message.bright", 0)
    assert replay("a.recording", "--ignore", "bright", folder=tmp_path)[0] == 0
    (project / "hook.py").write_text(HOOK.replace("% 3", "% 4"))
    code, told = replay("a.recording", folder=tmp_path)
    assert (told["first"]["field"], told["first"]["recorded"]) == ("told", False)


@pytest.mark.slow
def test_another_project_is_answered_by_a_table(tmp_path: Path) -> None:
    colour_sorter(tmp_path / "sorter", "publish: {every: 1}\n")
    assert record("sorter", folder=tmp_path).code == 0
    other = fake_finder(tmp_path)
    done = edge("replay", "a.recording", "--project", other, "--report", "r.json", folder=tmp_path)
    assert done.code == 1
    assert "project was colour-sorter, is fake-finder" in done.stdout
    assert "IoU" in done.stdout or "missing" in done.stdout
    assert done.report is not None
    assert done.report["schema"] == "lensracer.report/1"
    assert done.report["frames"]["inferred"] == done.report["replay"]["frames"]["compared"] == 12


@pytest.mark.slow
def test_a_recording_outlives_a_kill_and_says_so(tmp_path: Path) -> None:
    project = fake_finder(tmp_path)
    running = start(
        "record", project, "-o", "a.recording", "--source", "synthetic:?size=64x48&rate=100", folder=tmp_path
    )
    file = tmp_path / "a.recording"
    wait_until(lambda: file.exists() and file.stat().st_size > 60_000, 30)
    finish(running, signal.SIGKILL)
    code, told = replay("a.recording", folder=tmp_path)
    assert code == 0, told
    assert told["frames"]["same"] > 5
    assert "cut off at byte" in told["notes"][0]


@pytest.mark.slow
def test_ctrl_c_ends_a_recording_properly(tmp_path: Path) -> None:
    project = fake_finder(tmp_path)
    running = start(
        "record", project, "-o", "a.recording", "--source", "synthetic:?size=64x48&rate=50", folder=tmp_path
    )
    file = tmp_path / "a.recording"
    wait_until(lambda: file.exists() and file.stat().st_size > 20_000, 30)
    done = finish(running, signal.SIGINT)
    assert done.code == 130, done.output
    with Recording(file) as found:
        assert list(found.shots())
        assert found.summary is not None
        assert found.summary["ended"] == "end"


@pytest.mark.slow
def test_a_full_disk_ends_the_recording_with_a_sentence_and_leaves_what_was_written(tmp_path: Path) -> None:
    """As full as a limit on the size of files makes it, which needs no other disk."""
    project = fake_finder(tmp_path)
    words = command(
        "record",
        project,
        "-o",
        "a.recording",
        "--source",
        "synthetic:?size=640x480&rate=100",
        "--seconds",
        "20",
    )
    limited = ["sh", "-c", 'ulimit -f 8192; exec "$@"', "sh", *words]  # of 512 bytes each
    env = environment(XDG_STATE_HOME=str(tmp_path / "state"), EDGE_SPOOL__MAX_BYTES="65536")
    done = subprocess.run(limited, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "a.recording cannot be written: File too large" in done.stderr
    with Recording(tmp_path / "a.recording") as found:
        assert list(found.shots())


@pytest.mark.slow
def test_a_recording_keeps_within_its_bytes_and_to_itself(tmp_path: Path) -> None:
    project = fake_finder(tmp_path)
    words = ("--source", "synthetic:?size=320x240&rate=100", "--max-bytes", "200000")
    done = record(project, *words, "--json", folder=tmp_path, EDGE_HTTP__TOKEN="very-secret-token")
    assert done.code == 0, done.output
    told = json.loads(done.stdout)
    file = tmp_path / "a.recording"
    assert told["ended"] == "bytes"
    assert told["bytes"] == file.stat().st_size <= 200_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with Recording(file) as found:
        assert "very-secret" not in json.dumps(found.header)
        assert len(list(found.shots())) == told["frames"] > 0
    assert record(project, *words, folder=tmp_path).code == 2


@pytest.mark.slow
def test_a_recording_without_a_frame_proves_nothing(tmp_path: Path) -> None:
    words = ("--source", "synthetic:?size=1280x720", "--max-bytes", "65536", "--frames", "2")
    done = record(fake_finder(tmp_path), *words, folder=tmp_path)
    assert done.code == 1
    assert "0 frames" in done.output
    assert "--max-bytes" in done.output
    done = edge("replay", "a.recording", folder=tmp_path)
    assert done.code == 2
    assert "holds no frame" in done.stderr


@pytest.mark.slow
def test_what_is_no_recording_or_a_damaged_one_ends_with_2_and_a_sentence(tmp_path: Path) -> None:
    colour_sorter(tmp_path / "sorter")
    assert record("sorter", folder=tmp_path).code == 0
    file = tmp_path / "a.recording"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "flipped").write_bytes(data)
    (tmp_path / "foreign").write_bytes(b"no recording at all")
    for name, sentence in (
        ("flipped", "is damaged: the record at byte"),
        ("foreign", "is no recording: it begins with"),
        ("none", "does not exist"),
        (".", "it is no file"),
    ):
        done = edge("replay", name, folder=tmp_path)
        assert done.code == 2, done.output
        assert sentence in done.stderr
        assert "Traceback" not in done.output
    shutil.move(tmp_path / "sorter", tmp_path / "gone")
    done = edge("replay", "a.recording", folder=tmp_path)
    assert done.code == 2
    assert "was made of" in done.stderr
    assert edge("replay", "a.recording", "--project", "gone", folder=tmp_path).code == 0


@pytest.mark.slow
def test_a_recording_is_pictures_for_quantize_and_a_golden_set(tmp_path: Path) -> None:
    from edge import golden, picture_set
    from edge import project as projects
    from inference import load
    from inference.acceptance import accept
    from inference.errors import NotAccepted

    project = colour_sorter(tmp_path / "sorter")
    assert record(project, folder=tmp_path).code == 0
    places = picture_set.found(tmp_path / "a.recording")
    assert len(places) == 12
    assert picture_set.read(places[3]).shape == (48, 64, 3)
    assert 0 < len(picture_set.distinct(places, lambda *_: None)) <= 12

    (project / "golden").mkdir()
    shutil.copy(tmp_path / "a.recording", project / "golden" / "yard.recording")
    pictures = golden.golden(projects.load(project))
    assert [each.name for each in pictures][:1] == ["yard.recording frame 1"]
    model = load(projects.load(project).manifest)
    assert len(accept(model, pictures).results) == 12
    model.close()
    file = project / "project.yaml"
    file.write_text(file.read_text().replace("[red, green, blue]", "[green, blue, red]"))
    other = load(projects.load(project).manifest)
    with pytest.raises(NotAccepted, match="answers as recorded on 0 of 12 recorded pictures"):
        accept(other, pictures)
    other.close()
