"""`edge run` from end to end, as a user's process: what leaves, how it ends, and what is said when it goes wrong."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from brokers import Broker, Certificates, free_port, make_certificates, mosquitto, running
from brokers import mosquitto_with_certificates as strict_mosquitto
from edge_process import Done, edge, environment, finish, start
from pictures import clip as write_clip
from pictures import cut
from projects import fake_finder
from witness import Heard, witness

from streams.encode import read_comment
from streams.envelope import schema


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that needs no model file and answers at once."""
    return fake_finder(tmp_path)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running(mosquitto(tmp_path)) as started:
        yield started


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def messages(heard: list[Heard]) -> list[dict[str, Any]]:
    return [json.loads(each.payload) for each in heard if each.topic.endswith("/infer")]


def check_said(done: Done, code: int, *words: str) -> None:
    """The ending, a sentence with these words, and never a traceback."""
    assert done.code == code, done.output
    assert "Traceback" not in done.output
    for word in words:
        assert word in done.output, done.output


def test_messages_received_acknowledged_and_inferred_are_one_number(
    tmp_path: Path, repository: Path, certificates: Certificates
) -> None:
    """Over TLS with a client certificate, under AWS IoT's budget; every message valid, every picture decodable."""
    import cv2
    import numpy as np

    clip = repository / "edge/samples/trash-finder/clip.mp4"
    with (
        running(strict_mosquitto(tmp_path, certificates)) as strict,
        witness(strict.port, "dt/#", certificates) as present,
    ):
        done = edge(
            *("run", "trash-finder", "--report", "report.json"),
            *("--set", "thing=cam-1", "--set", "transport.endpoint=localhost"),
            *("--set", f"transport.port={strict.port}", "--set", f"transport.ca={certificates.ca}"),
            *("--set", f"transport.cert={certificates.client_cert}"),
            *("--set", f"transport.key={certificates.client_key}"),
            *("--set", "transport.budget=aws-iot", "--set", "streams.device.rate=10"),
            *("--set", f"sources.main={{uri: {clip}, pace: realtime}}"),
            folder=tmp_path,
        )
        check_said(done, 0)
        assert done.report is not None
        inferred = done.report["frames"]["inferred"]
        heard = present.wait_for(lambda all_heard: len(messages(all_heard)) >= inferred)
    infer = messages(heard)
    assert len(infer) == done.report["messages"]["acked"] == inferred >= 100
    validator = jsonschema.Draft202012Validator(schema("lensracer.infer/1"))
    for message in infer:
        validator.validate(message)
    assert [message["seq"] for message in infer] == list(range(1, inferred + 1))
    pictures = [each.payload for each in heard if each.topic == "dt/lensracer/cam-1/main/frame"]
    assert pictures
    for jpeg in pictures:
        assert len(jpeg) <= 128 * 1024
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[2] == 3
        assert {"id", "ts_ms"} <= read_comment(jpeg).keys()


def test_the_sorters_messages_agree_with_its_clips_label_track(tmp_path: Path, repository: Path) -> None:
    track = json.loads((repository / "edge/samples/trash-sorter/clip.json").read_text())
    done = edge("run", "trash-sorter", "--print", folder=tmp_path)
    check_said(done, 0)
    said = {
        line["frame"]["id"]: line["results"][0]["label"] for line in map(json.loads, done.stdout.splitlines())
    }
    expected = {number: row["label"] for number, row in enumerate(track["frames"], 1) if row["label"]}
    assert len(said) == len(track["frames"])
    right = sum(said[number] == label for number, label in expected.items())
    assert right >= 0.95 * len(expected)


def test_a_run_says_where_its_messages_and_pictures_are_and_at_the_end_how_many(
    tmp_path: Path, project: Path, broker: Broker
) -> None:
    words = ("run", project, "--source", "synthetic:?rate=0", "--frames", "5", "--set", "http.port=0")
    check_said(
        edge(*words, folder=tmp_path),
        0,
        "messages stay inside this process; --transport mqtt://HOST sends them",
        "/main/project.mjpeg",
        "5 pictures in ",
        "; 5 messages, 5 acknowledged",
    )
    sending = edge(
        *words,
        *("--transport", f"mqtt://127.0.0.1:{broker.port}"),
        *("--set", "thing=cam-1", "--set", "http.enabled=false"),
        folder=tmp_path,
    )
    check_said(sending, 0, "messages go to dt/lensracer/cam-1/main/infer", "5 acknowledged")
    assert "project.mjpeg" not in sending.output


def test_numbers_go_on_where_the_last_run_ended(tmp_path: Path, project: Path) -> None:
    def numbers() -> list[int]:
        done = edge(
            "run", project, "--source", "synthetic:?rate=0", "--frames", "5", "--print", folder=tmp_path
        )
        return [json.loads(line)["seq"] for line in done.stdout.splitlines()]

    assert numbers() + numbers() == list(range(1, 11))


def test_several_sources_share_a_model_and_keep_their_names(tmp_path: Path, project: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", frames=8)
    done = edge(
        *("run", project, "--print", "--report", "report.json"),
        *("--set", f"sources={{left: {clip}, right: {clip}}}"),
        folder=tmp_path,
    )
    check_said(done, 0)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for name in ("left", "right"):
        assert [line["seq"] for line in lines if line["source"] == name] == list(range(1, 9))
    assert done.report is not None
    assert done.report["frames"]["inferred"] == 16


def test_messages_for_a_broker_that_is_down_to_the_end_wait_for_the_next_run(
    tmp_path: Path, project: Path
) -> None:
    port = free_port()
    done = edge(
        *("run", project, "--source", "synthetic:?rate=0", "--frames", "20", "--report", "report.json"),
        *("--transport", f"mqtt://127.0.0.1:{port}", "--drain", "1"),
        folder=tmp_path,
    )
    check_said(done, 0, "wait in the spool for the next run", f"127.0.0.1:{port}")
    assert done.report is not None
    assert done.report["messages"]["acked"] == 0
    assert done.report["messages"]["spooled"] >= 20
    shown = edge("spool", "show", "--json", folder=tmp_path)
    assert json.loads(shown.stdout)["waiting"]["results"]["messages"] == 20
    with running(mosquitto(tmp_path, port=port)), witness(port, "dt/#") as present:
        drained = edge("spool", "drain", "--transport", f"mqtt://127.0.0.1:{port}", folder=tmp_path)
        check_said(drained, 0, "0 left")
        heard = present.wait_for(lambda all_heard: len(messages(all_heard)) >= 20)
    assert [message["seq"] for message in messages(heard)] == list(range(1, 21))


def test_a_broker_that_comes_late_still_gets_every_message(tmp_path: Path, project: Path) -> None:
    late = mosquitto(tmp_path)
    running_edge = start(
        *("run", project, "--source", "synthetic:?rate=200", "--frames", "300"),
        *("--transport", f"mqtt://127.0.0.1:{late.port}", "--drain", "20", "--report", "report.json"),
        folder=tmp_path,
    )
    try:
        time.sleep(1.5)
        with running(late):
            stdout, stderr = running_edge.communicate(timeout=40)
    finally:
        running_edge.kill()
    assert running_edge.returncode == 0, stdout + stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["messages"]["acked"] == 300


def test_a_camera_that_is_not_there_is_waited_for_and_then_named(tmp_path: Path, project: Path) -> None:
    done = edge(
        *("run", project, "--report", "report.json"),
        *("--set", "sources.main={uri: /dev/video97, patience: 1s}"),
        folder=tmp_path,
    )
    check_said(done, 1, "/dev/video97")
    assert done.report is not None
    assert done.report["frames"]["captured"] == 0


@pytest.mark.parametrize("missing", ["missing.mp4", "missing/"])
def test_a_missing_file_or_folder_ends_the_start_at_once(tmp_path: Path, project: Path, missing: str) -> None:
    began = time.monotonic()
    check_said(edge("run", project, "--source", missing, folder=tmp_path), 2, missing.rstrip("/"))
    assert time.monotonic() - began < 15


def test_a_file_that_is_no_video_ends_with_2(tmp_path: Path, project: Path) -> None:
    (tmp_path / "letter.mp4").write_text("dear reader, " * 500)
    check_said(edge("run", project, "--source", "letter.mp4", folder=tmp_path), 2, "letter.mp4")


def test_a_truncated_clip_gives_what_it_has_and_says_so(tmp_path: Path, project: Path) -> None:
    cut(write_clip(tmp_path / "half.avi", frames=60))
    done = edge("run", project, "--source", "half.avi", "--report", "report.json", folder=tmp_path)
    check_said(done, 0, "half.avi")
    assert done.report is not None
    assert 0 < done.report["frames"]["inferred"] < 60


def test_ctrl_c_ends_with_130_within_a_second_and_leaves_a_report(
    tmp_path: Path, project: Path, broker: Broker
) -> None:
    process = start(
        *("run", project, "--source", "synthetic:", "--transport", f"mqtt://127.0.0.1:{broker.port}"),
        *("--report", "report.json"),
        folder=tmp_path,
    )
    with witness(broker.port, "dt/+/+/+/infer") as present:
        present.wait_for(lambda heard: len(heard) >= 3, timeout=30)
    began = time.monotonic()
    done = finish(process)
    assert done.code == 130, done.output
    assert time.monotonic() - began < 3
    assert json.loads((tmp_path / "report.json").read_text())["frames"]["inferred"] >= 3


def test_sigterm_is_a_good_ending(tmp_path: Path, project: Path) -> None:
    process = start("run", project, "--source", "synthetic:", "--print", folder=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("{")
    done = finish(process, signal.SIGTERM)
    assert done.code == 0, done.output


def test_a_password_in_an_address_appears_nowhere(tmp_path: Path, project: Path, broker: Broker) -> None:
    with witness(broker.port) as present:
        done = edge(
            *("run", project, "--report", "report.json", "--log", "debug"),
            *(
                "--set",
                f"sources.main={{uri: 'rtsp://viewer:canary-7Q@127.0.0.1:{free_port()}/live', patience: 2s}}",
            ),
            *("--transport", f"mqtt://127.0.0.1:{broker.port}"),
            folder=tmp_path,
        )
        heard = present.wait_for(lambda all_heard: any("health" in each.topic for each in all_heard))
    check_said(done, 1)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for where in [done.output.encode(), *written, *(each.payload for each in heard)]:
        assert b"canary" not in where


def test_the_will_says_offline_when_the_runtime_is_killed(
    tmp_path: Path, project: Path, broker: Broker
) -> None:
    process = start(
        *("run", project, "--source", "synthetic:", "--set", "thing=cam-9"),
        *("--transport", f"mqtt://127.0.0.1:{broker.port}"),
        folder=tmp_path,
    )
    with witness(broker.port, "dt/lensracer/cam-9/status") as present:

        def states(heard: list[Heard]) -> list[str]:
            return [json.loads(each.payload)["state"] for each in heard]

        present.wait_for(lambda heard: states(heard)[-1:] == ["online"], timeout=30)
        finish(process, signal.SIGKILL)
        present.wait_for(lambda heard: states(heard)[-1:] == ["offline"])


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path: Path, project: Path) -> None:
    """`edge run … --print | head -1` must not end in an error of the pipe."""
    process = start(
        *("run", project, "--source", "synthetic:?rate=0", "--frames", "2000", "--print"), folder=tmp_path
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        assert process.wait(30) == 0, error
    assert "Traceback" not in error


@pytest.mark.parametrize("report", ["project.yaml/report.json", "locked/report.json"])
def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, project: Path, report: str
) -> None:
    (tmp_path / "project.yaml").write_text("in the way")
    (tmp_path / "locked").write_text("in the way")
    began = time.monotonic()
    done = edge("run", project, "--source", "synthetic:", "--report", report, folder=tmp_path)
    check_said(done, 2, "--report", report)
    assert time.monotonic() - began < 15


def test_a_report_goes_into_a_pipe_and_leaves_it_one(tmp_path: Path, project: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    process = start(
        *("run", project, "--source", "synthetic:?rate=0", "--frames", "5", "--report", "pipe"),
        folder=tmp_path,
    )
    try:
        report = json.loads((tmp_path / "pipe").read_text())
        assert process.wait(30) == 0
    finally:
        finish(process, signal.SIGKILL)
    assert report["frames"]["inferred"] == 5
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_run_that_fails_in_the_middle_leaves_its_report(tmp_path: Path, project: Path) -> None:
    (project / "hook.py").write_text(
        "class Hook:\n"
        "    def on_start(self): raise OSError('no sensor')\n"
        "    def on_result(self, frame, result): pass\n"
    )
    fake_finder(project.parent, "hook: hook.py\n")
    done = edge("run", project, "--source", "synthetic:", "--report", "report.json", folder=tmp_path)
    check_said(done, 1, "no sensor")
    assert done.report is not None
    assert done.report["exit_code"] == 1
    assert "no sensor" in done.report["error"]


def test_messages_that_were_given_up_are_told_and_cost_the_exit_code(tmp_path: Path, project: Path) -> None:
    (project / "hook.py").write_text(
        "class Hook:\n    def on_result(self, frame, result): return {'note': 'n' * 200_000}\n"
    )
    fake_finder(project.parent, "hook: hook.py\n")
    done = edge(
        *("run", project, "--source", "synthetic:?rate=0", "--frames", "3", "--report", "report.json"),
        *("--set", "transport.budget=aws-iot"),
        folder=tmp_path,
    )
    check_said(done, 1, "3 messages were given up", "too_large")
    assert done.report is not None
    assert done.report["messages"]["dropped"] == 3


def test_ctrl_c_is_heard_while_acknowledgements_are_waited_for(tmp_path: Path, project: Path) -> None:
    process = start(
        *("run", project, "--source", "synthetic:?rate=0", "--frames", "5", "--print"),
        *("--transport", f"mqtt://127.0.0.1:{free_port()}", "--drain", "60"),
        folder=tmp_path,
    )
    assert process.stdout is not None
    for _ in range(5):
        process.stdout.readline()
    time.sleep(0.5)
    began = time.monotonic()
    done = finish(process)
    assert done.code == 130, done.output
    assert time.monotonic() - began < 4


def test_sources_that_hang_end_together(tmp_path: Path, project: Path) -> None:
    """A driver that waits for a silent host cannot be interrupted; four of them take no longer than one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        names = ("a", "b", "c", "d")
        address = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        process = start(
            *("run", project, "--set", "sources={" + ", ".join(f"{n}: '{address}'" for n in names) + "}"),
            folder=tmp_path,
        )
        caller, _ = (
            silent.accept()
        )  # OpenCV opens one after the other: the rest wait for their turn, in its lock
        began = time.monotonic()
        done = finish(process)
        caller.close()
    assert done.code == 130, done.output
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_run_whose_standard_streams_are_closed_goes_well(
    tmp_path: Path, project: Path, closed: tuple[int, ...]
) -> None:
    """As some supervisors start their services; and nothing that is opened later takes their places."""
    shut = " ".join(f"{number}>&-" for number in closed)
    words = f"run {project} --source synthetic:?rate=0 --frames 5 --print --report report.json"
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -m edge {words} {shut}'],
        cwd=tmp_path,
        env=environment(XDG_STATE_HOME=str(tmp_path / "state")),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["messages"]["acked"] == 5


def test_a_state_folder_that_cannot_be_written_is_a_wrong_setting(tmp_path: Path, project: Path) -> None:
    """The same exit code as `edge validate` has for it, and the key to look at."""
    (tmp_path / "file").write_text("in the way")
    words = (project, "--source", "synthetic:", "--set", "spool.path=file/state")
    check_said(edge("run", *words, folder=tmp_path), 2, "spool.path", "cannot be written")
    check_said(edge("validate", *words, folder=tmp_path), 2, "spool.path", "cannot be written")
