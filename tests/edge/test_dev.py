"""`edge dev`: what it chooses, what it starts, and that nothing of it stays behind."""

import http.client
import logging
import os
import re
import signal
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import edge_process
import models
import paho.mqtt.client as mqtt
import pictures
import pytest
from brokers import make_certificates
from paho.mqtt.enums import CallbackAPIVersion

from edge import dev as dev_module
from edge import project as projects
from edge.config import Config, Console, Http, Source, Transport
from edge.dev import HOST, dev, usable, with_source
from edge.options import Options
from edge.project import Project
from streams.errors import StateBusy
from streams.sequence import Sequence
from streams.sources.devices import Device, Holder
from streams.sources.v4l2 import Format

QUIET = Options(browser=False, webcam=False)
PATIENCE = 15.0  # seconds


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a clip, whose model knows three colours."""
    folder = tmp_path / "colours"
    folder.mkdir()
    models.classifier(folder / "model.onnx")
    pictures.clip(folder / "clip.mp4")
    (folder / "project.yaml").write_text(
        "name: colours\ntask: classification\nmodel: model.onnx\nlabels: [red, green, blue]\nclip: clip.mp4\n"
        "input: {color: rgb}\n"
    )
    return projects.load(folder)


@pytest.fixture
def config() -> Config:
    """A configuration whose ports are nobody's yet."""
    return Config(thing="cam-1", http=Http(port=0), console=Console(port=0))


class Said(list[str]):
    """What the user was told."""

    def address(self, name: str) -> str:
        """The address in the line that begins with `name`."""
        line = next(line for line in self if line.startswith(name))
        found = re.search(r"\w+://[\w.:\[\]]+", line)
        assert found, line
        return found[0]


def camera(path: str = "/dev/video0", holders: tuple[Holder, ...] = (), refusal: str | None = None) -> Device:
    return Device(path, "A webcam", "uvcvideo", (), (FORMAT,), holders, refusal)


FORMAT = Format("MJPG", ())


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), 0.2):
        return True
    return False


def wait_for(true: Callable[[], object], seconds: float = PATIENCE) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def fetched(url: str) -> str:
    with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
        return str(answer.read().decode())
    return ""


def test_a_named_source_is_taken_and_shown_without_its_password(config: Config, project: Project) -> None:
    named = config.model_copy(update={"sources": {"door": Source(uri="rtsp://eve:canary@camera/1")}})
    said = Said()
    assert with_source(named, project, webcam=True, say=said.append) is named
    assert said == ["Source    door: rtsp://***@camera/1"]


def test_the_clip_is_played_over_and_over_where_no_webcam_is_wanted(config: Config, project: Project) -> None:
    said = Said()
    source = with_source(config, project, webcam=False, say=said.append).sources["main"]
    assert (source.uri, source.loop, source.pace) == (str(project.clip), True, "realtime")
    assert said == ["Source    clip.mp4 of colours, over and over: no webcam is wanted"]


@pytest.mark.parametrize(
    ("found", "chosen", "why"),
    [
        ([], None, "there is no webcam"),
        ([camera()], "/dev/video0", ""),
        ([camera(holders=(Holder(7, "zoom"),))], None, "/dev/video0 is in use by zoom (process 7)"),
        ([camera(holders=(Holder(7, "zoom"),)), camera("/dev/video2")], "/dev/video2", ""),
        (
            [camera(refusal="it is another group's")],
            None,
            "/dev/video0 cannot be used: it is another group's",
        ),
    ],
)
def test_the_first_webcam_that_may_be_opened_is_chosen(
    found: list[Device], chosen: str | None, why: str
) -> None:
    device, reason = usable(found)
    assert (device and device.path, reason) == (chosen, why)


def test_the_run_finds_a_broker_pictures_and_a_console_and_they_end_with_it(
    config: Config, project: Project
) -> None:
    said, ports = Said(), []

    def run(config: Config, project: Project, options: Options) -> int:
        transport = config.transport
        assert (transport.kind, transport.protocol, transport.endpoint) == ("iot_core", "3.1.1", HOST)
        assert transport.port is not None
        ports.extend([transport.port, int(said.address("Console").rpartition(":")[2])])
        assert said.address("Broker") == f"mqtt://{HOST}:{transport.port}"
        assert said.address("Pictures") == f"http://{HOST}:{config.http.port}"
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        assert client.connect(HOST, transport.port) == mqtt.MQTT_ERR_SUCCESS
        client.disconnect()
        assert wait_for(lambda: "cam-1 · lensracer" in fetched(said.address("Console")))
        ended_at.append(time.monotonic())
        return 7

    ended_at: list[float] = []
    assert dev(config, project, QUIET, say=said.append, runner=run) == 7
    assert time.monotonic() - ended_at[0] < 1.0
    assert not any(map(answers, ports))
    assert said[-2].startswith(
        "From a device, the same: edge run colours --source camera:0 --transport mqtts://"
    )


def test_another_port_is_taken_and_said_where_the_usual_one_is_taken(
    config: Config, project: Project, stack: ExitStack
) -> None:
    with suppress(OSError):  # somebody else may hold it already: just as well
        stack.enter_context(socket.create_server((HOST, 1883)))
    said = Said()
    assert dev(config, project, QUIET, say=said.append, runner=lambda *_: 0) == 0
    assert not said.address("Broker").endswith(":1883")
    assert any(line.endswith("(port 1883 is taken)") for line in said)


@pytest.mark.parametrize("name", ["broker", "console"])
def test_a_helper_that_dies_is_started_again_where_it_was(
    config: Config, project: Project, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO)
    said = Said()

    def run(config: Config, project: Project, options: Options) -> int:
        port = int(said.address(name.capitalize()).rpartition(":")[2])
        assert wait_for(lambda: name == "broker" or "the console is ready" in caplog.text)
        os.kill(child_running(f"edge.{name}"), signal.SIGKILL)
        assert wait_for(lambda: f"{name} ended (signal 9); it starts again" in caplog.text)
        assert wait_for(lambda: answers(port))
        return 0

    assert dev(config, project, QUIET, say=said.append, runner=run) == 0


def child_running(module: str) -> int:
    """The number of our child process that runs `module`."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if module.encode() in words and str(os.getpid()).encode() in words:
                return int(folder.name)
    raise AssertionError(f"no child of ours runs {module}")


def test_without_the_extra_the_run_goes_on_alone_and_says_how_to_have_more(
    config: Config, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev_module, "installed", lambda module: False)
    said, kinds = Said(), []
    runner = lambda config, project, options: kinds.append(config.transport.kind) or 0  # noqa: E731
    assert dev(config, project, QUIET, say=said.append, runner=runner) == 0
    assert kinds == ["local"]
    assert any("pip install 'lensracer[console]'" in line for line in said)


def test_messages_stay_on_this_machine_wherever_the_configuration_sends_them(
    config: Config, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    aws = Transport(kind="iot_core", endpoint="abc-ats.iot.eu-central-1.amazonaws.com")
    seen = []
    runner = lambda config, project, options: seen.append(config.transport.endpoint) or 0  # noqa: E731
    dev(config.model_copy(update={"transport": aws}), project, QUIET, say=Said().append, runner=runner)
    assert seen == [HOST]
    assert "dev mode stays on this machine" in caplog.text


def test_an_error_of_the_run_leaves_nobody_behind(config: Config, project: Project) -> None:
    said = Said()

    def run(config: Config, project: Project, options: Options) -> int:
        raise RuntimeError("no model")

    with pytest.raises(RuntimeError, match="no model"):
        dev(config, project, QUIET, say=said.append, runner=run)
    assert not answers(int(said.address("Broker").rpartition(":")[2]))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.mark.slow
def test_dev_ends_by_itself_after_so_many_frames(project: Project, tmp_path: Path) -> None:
    words = ("--frames", "60", "--no-browser", "--no-webcam", "--report", "dev.json")
    done = edge_process.edge("dev", project.folder, *words, *FREE_PORTS, folder=tmp_path)
    assert done.code == 0, done.output
    assert done.report is not None
    assert done.report["frames"]["inferred"] == 60
    assert done.report["messages"]["project"] == 60
    assert done.report["messages"]["acked"] >= 60
    assert done.report["acks"] == "broker"


FREE_PORTS = ("--set", "http.port=0", "--set", "console.port=0")


@pytest.mark.slow
def test_ctrl_c_ends_everything_within_a_second(project: Project, tmp_path: Path) -> None:
    words = ("dev", project.folder, "--no-browser", "--no-webcam", *FREE_PORTS)
    started = edge_process.start(*words, folder=tmp_path)
    assert started.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(started.stderr or []), daemon=True)
    reader.start()
    assert wait_for(lambda: any(line.startswith("Console") for line in said))
    url = Said(said).address("Console")
    assert wait_for(lambda: "colours" in "".join(said) and fetched(url))
    began = time.monotonic()
    os.killpg(started.pid, signal.SIGINT)  # as the terminal does it
    assert started.wait(10) == 130
    assert time.monotonic() - began < 2.0
    reader.join(2)
    assert "Traceback" not in "".join(said)
    assert not answers(int(url.rpartition(":")[2]))
    for pipe in (started.stdout, started.stderr):
        assert pipe is not None
        pipe.close()


def test_a_second_one_ends_before_it_starts_anything(config: Config, project: Project) -> None:
    said = Said()
    with Sequence(config.spool.folder(config.thing)), pytest.raises(StateBusy):
        dev(config, project, QUIET, say=said.append, runner=lambda *_: 0)
    assert said == []


OPEN_CONSOLE = ("--set", "console.host=0.0.0.0", "--set", "console.token=word")


def test_a_console_for_other_machines_is_refused_without_tls_or_a_word_of_the_owner(
    project: Project, tmp_path: Path
) -> None:
    words = ("--frames", "1", "--no-browser", "--no-webcam", *FREE_PORTS, *OPEN_CONSOLE)
    refused = edge_process.edge("dev", project.folder, *words, folder=tmp_path)
    assert refused.code == 2
    assert "console.cert: is missing" in refused.stderr
    assert "Broker" not in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("secured", [True, False])
def test_the_console_is_served_by_tls_or_in_the_open_as_it_was_asked(
    project: Project, tmp_path: Path, *, secured: bool
) -> None:
    pems = make_certificates(tmp_path)
    tls = ("--set", f"console.cert={pems.server_cert}", "--set", f"console.key={pems.server_key}")
    words = ("dev", project.folder, "--no-browser", "--no-webcam", *FREE_PORTS, *OPEN_CONSOLE)
    started = edge_process.start(*words, *(tls if secured else ("--insecure",)), folder=tmp_path)
    assert started.stderr is not None
    said = Said()
    reader = threading.Thread(target=lambda: said.extend(started.stderr or []), daemon=True)
    reader.start()
    try:
        assert wait_for(lambda: any("the console is ready" in line for line in said), 40)
        url = urlsplit(said.address("Console"))
        assert url.scheme == ("https" if secured else "http")
        assert said.address("Pictures").startswith("http://127.0.0.1:")  # these stay here in any case
        assert url.port is not None
        trusting = ssl.create_default_context(cafile=str(pems.ca))
        bare = http.client.HTTPConnection("localhost", url.port, timeout=10)
        asking = (
            http.client.HTTPSConnection("localhost", url.port, timeout=10, context=trusting)
            if secured
            else bare
        )
        told = []
        for headers in ({}, {"Authorization": "Bearer word"}):
            asking.request("GET", "/", headers=headers)
            answer = asking.getresponse()
            answer.read()
            told.append(answer.status)
        asking.close()
        assert told == [401, 200]
    finally:
        edge_process.finish(started)
        reader.join(2)
