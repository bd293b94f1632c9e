"""Commands over MQTT to a running `edge run`, from another client: each carried out once, and answered with its id."""

import base64
import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from brokers import Broker, mosquitto, running
from caller import Caller
from edge_process import Done, finish, start
from projects import fake_finder
from witness import Heard, wait_until, witness

from edge.config.commands import ALL, LOOKING
from edge.remote.registry import camera
from streams import envelope
from streams.encode import read_comment

LIVE = "synthetic:?rate=50&size=320x240"


class Device:
    """`edge run` as a process, with a caller beside it. more: further words of the command line."""

    def __init__(self, folder: Path, broker: Broker, caller: Caller, *more: str, source: str = LIVE) -> None:
        self.folder, self.caller = folder, caller
        self._words = ["run", fake_finder(folder), "--transport", f"mqtt://127.0.0.1:{broker.port}"]
        self._words += ["--source", source, "--set", "thing=cam-1", *more]
        self.start()

    def start(self) -> None:
        here = len(self.caller.present.heard)
        self.process = start(*self._words, folder=self.folder, XDG_DATA_HOME=str(self.folder / "data"))
        self.caller.present.wait_for(lambda heard: any(is_online(each) for each in heard[here:]), 30)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        with self.process:
            self.process.communicate()

    def end(self) -> Done:
        return finish(self.process)

    def messages(self) -> list[dict[str, Any]]:
        heard = list(self.caller.present.heard)
        return [json.loads(each.payload) for each in heard if each.topic.endswith("/infer")]


def is_online(heard: Heard) -> bool:
    return (
        heard.topic.endswith("/status")
        and json.loads(heard.payload)["state"] == "online"
        and not heard.retained
    )


@contextlib.contextmanager
def device(folder: Path, *more: str, source: str = LIVE) -> Iterator[Device]:
    with running(mosquitto(folder)) as broker, witness(broker.port, "#") as present:
        made = Device(folder, broker, Caller(present), *more, source=source)
        try:
            yield made
        finally:
            if made.process.poll() is None:
                made.process.kill()
                with made.process:
                    made.process.communicate()


def picture_of(answer: dict[str, Any]) -> Any:
    jpeg = base64.b64decode(answer["result"]["picture"])
    assert len(jpeg) == answer["result"]["bytes"]
    assert read_comment(jpeg)["id"] == answer["result"]["frame"]["id"]
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_the_schema_names_the_fields_of_each_verb() -> None:
    told = envelope.schema("lensracer.command/1")["$defs"]["verbs"]
    handlers = camera()
    assert set(told) == set(handlers) == set(ALL) >= set(LOOKING)
    for name, handler in handlers.items():
        assert set(told[name]["properties"]) == set(handler.verb.fields), name
        assert set(told[name].get("required", [])) == handler.verb.required, name


@pytest.mark.slow
@pytest.mark.parametrize("hidden_from", ["all", "device"])
def test_a_snapshot_shows_nothing_of_a_private_zone(tmp_path: Path, hidden_from: str) -> None:
    (tmp_path / "edge.yaml").write_text(f"privacy: [{{box: [0, 0, 0.5, 1], from: {hidden_from}}}]\n")
    with device(tmp_path) as camera_1:
        camera_1.caller.ask("threshold", threshold=1.0)  # no box is painted over it
        for painted in (False, True):
            for size in ({}, {"max_bytes": 4096}):
                picture = picture_of(camera_1.caller.ask("snapshot", painted=painted, **size))
                middle = picture.shape[1] // 2
                assert picture[:, : middle - 4].max() < 60
                assert picture[:, middle + 20 :].mean() > 20


@pytest.mark.slow
def test_each_verb_is_carried_out_and_answered_with_its_id(tmp_path: Path) -> None:
    with device(tmp_path) as camera_1:
        ask = camera_1.caller.ask
        assert picture_of(ask("snapshot", id="one")).shape == (240, 320, 3)
        small = ask("snapshot", max_bytes=4096)
        assert small["result"]["bytes"] <= 4096
        untouched, painted = (picture_of(ask("snapshot", painted=each)) for each in (False, True))
        assert untouched.shape == painted.shape
        assert ask("snapshot", source="attic")["cause"] == "source"

        everything = ask("threshold", threshold=0.0)
        assert everything["result"]["threshold"] == 0.0
        before = len(camera_1.messages())
        assert ask("threshold", threshold=1.0, persist=True)["result"]["before"] == 0.0
        wait_until(lambda: bool(camera_1.messages()[before:]) and not camera_1.messages()[-1]["results"])

        assert ask("pause")["result"] == {"paused": True, "changed": True}
        assert ask("pause")["result"] == {"paused": True, "changed": False}
        still = len(camera_1.messages())
        assert picture_of(ask("snapshot")) is not None
        report = ask("report")["result"]
        assert report["sources"]["main"]["state"] == "running"
        assert len(camera_1.messages()) == still
        assert ask("resume")["result"]["changed"] is True
        wait_until(lambda: len(camera_1.messages()) > still)
        states = [json.loads(each.payload) for each in camera_1.caller.present.heard if is_online(each)]
        assert [each.get("paused") for each in states] == [None, True, False]

        rows = {row["name"]: row for row in ask("projects")["result"]["projects"]}
        assert rows["fake-finder"]["running"]
        assert len(rows["trash-finder"]["sha256"]) == 64
        swapped = ask("swap", project="trash-finder")
        assert swapped["result"]["sha256"] == rows["trash-finder"]["sha256"]
        assert ask("projects")["result"]["running"]["name"] == "trash-finder"
        assert ask("swap", project="/etc")["outcome"] == "refused"
        assert (
            ask("swap", uri="https://example.com/x.tar.gz", sha256="0" * 64, signature={})["cause"]
            == "unsigned"
        )
        assert ask("swap")["cause"] == "fields"
        assert ask("rollback")["result"]["project"] == "fake-finder"

        assert ask("record", seconds=60, name="first")["result"]["file"].endswith("first.recording")
        assert ask("record", stop=True)["result"]["ended"] == "asked"
        assert ask("record", seconds=60, name="first")["outcome"] == "refused"
        assert ask("logs", lines=3)["result"]["lines"][-1].endswith(
            f"command record: refused ({ask_of(camera_1)})"
        )
        done = camera_1.end()
        assert done.code == 130
        assert "Traceback" not in done.output


def ask_of(camera_1: Device) -> str:
    """The sentence of the newest refusal of a recording."""
    return [
        each["error"] for each in camera_1.caller.answers() if each["verb"] == "record" and "error" in each
    ][-1]


@pytest.mark.slow
def test_a_command_is_carried_out_once_however_often_it_comes_and_whatever_ends_the_process(
    tmp_path: Path,
) -> None:
    silent = "http://127.0.0.1:9/nobody.mjpeg"
    with device(tmp_path, "--set", "sources.main.patience=forever", source=silent) as camera_1:
        caller = camera_1.caller
        first = caller.ask("threshold", threshold=0.25, persist=True, id="same")
        assert caller.ask("threshold", threshold=0.75, id="same") == first
        caller.send("snapshot", b'{"id": "cut"}')  # waits for a frame that never comes
        time.sleep(1.0)
        camera_1.kill()
        camera_1.start()
        answers = caller.wait("cut")
        assert [each["cause"] for each in answers] == ["interrupted"]
        assert caller.ask("threshold", threshold=0.75, id="same") == first
        assert caller.ask("snapshot", id="cut")["cause"] == "interrupted"
        assert caller.ask("threshold", threshold=0.5)["result"]["before"] == 0.25
        assert camera_1.end().code == 130


@pytest.mark.slow
def test_what_must_not_be_carried_out_is_not(tmp_path: Path) -> None:
    with running(mosquitto(tmp_path)) as broker, witness(broker.port, "#") as present:
        caller = Caller(present)
        caller.send("pause", b'{"id": "old"}', retain=True)
        camera_1 = Device(tmp_path, broker, caller, "--set", "commands.allow=[report, pause]")
        try:
            assert caller.ask("pause", id="late", expires_at="2020-01-01T00:00:00Z")["cause"] == "expired"
            assert caller.ask("snapshot", id="not")["cause"] == "not_allowed"
            assert caller.ask("dance", id="no")["cause"] == "unknown_verb"
            caller.send("report", b"x" * 100_000)
            caller.send("report", b"{")
            assert not caller.answers("old")
            said = len(camera_1.messages())
            wait_until(lambda: len(camera_1.messages()) > said)  # nobody has paused it
            busy = [caller.send("report", json.dumps({"id": f"b{n}"}).encode(), qos=0) for n in range(60)]
            last = f"b{len(busy) - 1}"
            wait_until(lambda: bool(caller.answers("b0")))
            outcomes = [each["outcome"] for each in caller.answers() if each["id"].startswith("b")]
            wait_until(lambda: len(caller.answers()) > 3)
            assert "done" in outcomes
            time.sleep(1.5)
            assert caller.ask("report", id=f"{last}-again")["outcome"] == "done"
        finally:
            assert camera_1.end().code == 130


@pytest.mark.slow
def test_ten_thousand_junk_messages_a_second_leave_the_loop_and_the_memory_alone(tmp_path: Path) -> None:
    junk = [
        b"{",
        b"\x00" * 3000,
        b'{"id": 1}',
        b'{"id": "x", "y": ' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"id": "j"}',
    ]
    with device(tmp_path) as camera_1:
        caller = camera_1.caller
        wait_until(lambda: len(camera_1.messages()) > 20)
        before = rss(camera_1.process.pid)
        said = len(camera_1.messages())
        topics = [f"cmd/lensracer/cam-1/{verb}x" for verb in ("report", "pause")]
        caller.present.deaf_to = frozenset(topics)
        for number in range(30_000):
            caller.present._client.publish(topics[number % 5 == 4], junk[number % 5], 0)
        answer = caller.ask("report", timeout=30)  # the broker has the junk to pass on first
        assert answer["outcome"] == "done"
        assert len(camera_1.messages()) > said
        assert answer["result"]["messages"]["dropped"] == 0
        assert rss(camera_1.process.pid) - before < 64 << 20
        assert camera_1.end().code == 130


def rss(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
