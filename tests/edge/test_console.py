"""The console in a real browser, beside a real broker and the runtime's own picture server."""

import json
import os
import re
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import brokers
import browsers
import numpy as np
import paho.mqtt.client as mqtt
import pictures
import pytest
from browsers import DESKTOP, PHONE, Visit
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, expect
from witness import wait_until

from edge.errors import RunFailed
from edge.supervise import Child
from streams.frame import Frame
from streams.sinks.http import HttpSink

browser, visit = browsers.browser, browsers.visit  # fixtures

SIZE = (640, 360)  # width, height
SECOND = 1000  # milliseconds
HOSTILE = "<script>window.evil = 1</script><img src=x onerror='window.evil = 2'>`${window.evil = 3}`"


class Runtime:
    """What a running device shows: pictures on a port of its own, and messages on a broker. No model."""

    def __init__(self, port: int, sources: tuple[str, ...]) -> None:
        self.sink = HttpSink(sources=sources)
        self.sink.start()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._ended = threading.Event()
        self._showing = threading.Thread(target=self._show, args=(sources,))
        self._showing.start()

    def _show(self, sources: tuple[str, ...]) -> None:
        number = 0
        while not self._ended.wait(0.04):
            number += 1
            for name in sources:
                seen = pictures.picture(number, SIZE)
                self.sink.offer(Frame(number, name, time.monotonic(), seen), lambda seen=seen: 255 - seen)

    def send(self, topic: str, message: object, *, retain: bool = False) -> None:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.client.publish(f"dt/lensracer/{topic}", payload, qos=1, retain=retain).wait_for_publish(5)

    def stop(self) -> None:
        self._ended.set()
        self._showing.join()
        self.client.disconnect()
        self.client.loop_stop()
        self.sink.stop()


def infer(source: str = "main", frame: int = 1, label: str = "bottle", **more: Any) -> dict[str, Any]:
    return {
        "schema": "lensracer.infer/1", "thing": "cam-1", "source": source, "project": "trash-finder",
        "seq": frame, "boot_id": "b", "mono_ms": frame * 40.0, "clock": "synced", "ts": "2026-11-22T06:25:00.123Z",
        "ts_ms": 1795328700123, "task": "detection",
        "model": {"name": "trash-finder", "sha256": "ab12" * 16, "backend": "openvino", "device": "CPU"},
        "frame": {"id": frame, "width": 640, "height": 360, "age_ms": 12.5},
        "latency_ms": {"prepare": 0.5, "infer": 3.25, "interpret": 0.125, "total": 3.875},
        "results": [{"label": label, "label_id": 4, "score": 0.97, "box": [0.1, 0.2, 0.3, 0.4]}],
    } | more  # fmt: skip


def console(
    port: int, pictures_at: str | None = None, *more: str, thing: str = "cam-1", restarts: int = 0
) -> Child:
    where = ["--pictures", pictures_at] if pictures_at else []
    words = ["--broker", f"mqtt://127.0.0.1:{port}", *where, "--thing", thing, "--port", "0", *more]
    return Child("edge.console", words, name="the console", restarts=restarts)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with brokers.running(brokers.mosquitto(tmp_path_factory.mktemp("broker"))) as mosquitto:
        yield mosquitto.port


@pytest.fixture(scope="module")
def runtime(broker: int) -> Iterator[Runtime]:
    made = Runtime(broker, ("main", "front"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def address(broker: int, runtime: Runtime) -> Iterator[str]:
    """Where the console of this module's broker and runtime is, with one message already in it."""
    child = console(broker, runtime.sink.url)
    runtime.send("cam-1/main/infer", infer(), retain=True)  # whenever the console comes, it gets this one
    yield child.start()
    child.stop()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


def shown(page: Page) -> list[dict[str, Any]]:
    """The pictures on the page at one moment: kind, frame, width, height."""
    looked: list[dict[str, Any]] = page.evaluate(
        """() => [...document.querySelectorAll('.stage')].map((stage) => {
            const picture = stage.querySelector('img');
            const said = stage.querySelector('.stage-frame')?.innerText;
            return {kind: stage.dataset.kind, frame: picture?.dataset.frame, said,
                    width: picture?.naturalWidth, height: picture?.naturalHeight};
        })"""
    )
    return looked


def test_the_two_pictures_of_one_frame_stand_side_by_side(visit: Visit, address: str) -> None:
    page = visit(address)
    expect(page.locator(".stage img")).to_have_count(2)
    for _ in range(20):
        device, project = shown(page)
        assert (device["kind"], project["kind"]) == ("device", "project")
        assert device["frame"] == project["frame"]
        assert device["said"] == project["said"] == f"frame {device['frame']}"
        assert (device["width"], device["height"]) == (project["width"], project["height"]) == SIZE
        page.wait_for_timeout(30)


def test_the_pictures_move(visit: Visit, address: str) -> None:
    page = visit(address)
    expect(page.locator(".stage img")).to_have_count(2)
    for kind in ("device", "project"):
        stage = page.locator(f".stage[data-kind={kind}] .stage-picture")
        first = stage.screenshot()
        page.wait_for_timeout(SECOND / 2)
        assert stage.screenshot() != first


def test_the_pictures_are_exchanged_at_most_fifteen_times_a_second(visit: Visit, address: str) -> None:
    page = visit(address)
    expect(page.locator(".stage img")).to_have_count(2)
    exchanges = page.evaluate(
        """() => new Promise((done) => {
            let count = 0;
            new MutationObserver(() => count++).observe(document.querySelector('.stage-slot'), {childList: true});
            setTimeout(() => done(count), 2000);
        })"""
    )
    assert 6 <= exchanges <= 30


def test_the_left_picture_is_untouched_and_the_right_one_painted(visit: Visit, address: str) -> None:
    page = visit(address)
    expect(page.locator(".stage img")).to_have_count(2)
    corners = page.evaluate(
        """() => [...document.querySelectorAll('.stage img')].map((picture) => {
            const canvas = new OffscreenCanvas(8, 8).getContext('2d');
            canvas.drawImage(picture, 0, 0, 8, 8, 0, 0, 8, 8);
            return [...canvas.getImageData(4, 4, 1, 1).data].slice(0, 3);
        })"""
    )
    untouched, painted = (np.array(corner, int) for corner in corners)
    assert abs(untouched - pictures.picture(0, SIZE)[4, 4, ::-1]).max() < 12
    assert abs(untouched + painted - 255).max() < 24  # the test paints negatives


def test_a_message_of_another_client_appears_within_a_second(
    visit: Visit, address: str, runtime: Runtime
) -> None:
    page = visit(address)
    runtime.send("cam-1/main/infer", infer(frame=90210, label="banana peel"))
    row = page.locator(".messages tbody tr").first
    expect(row).to_contain_text("banana peel", timeout=SECOND)
    expect(row).to_contain_text("97%")
    expect(row).to_contain_text("90210")
    expect(row).to_contain_text("3.2 ms")


def test_figures_and_model_are_told(visit: Visit, address: str, runtime: Runtime) -> None:
    page = visit(address)
    for number in range(100, 120):
        runtime.send("cam-1/main/infer", infer(frame=number))
        page.wait_for_timeout(20)
    figures = page.locator(".figures")
    expect(figures).to_contain_text("25.0 /s")  # by the device's own clock: 40 ms a frame
    for told in ("12.5 ms", "0.5 ms", "3.2 ms", "0.1 ms"):
        expect(figures).to_contain_text(told)
    model = "trash-finder · detection · openvino on CPU · sha256 ab12ab12ab12"
    expect(page.locator(".model")).to_have_text(model)
    expect(page.locator(".state")).to_contain_text("Live")


def test_held_messages_stand_still_until_they_are_let_go(
    visit: Visit, address: str, runtime: Runtime
) -> None:
    page = visit(address)
    runtime.send("cam-1/main/infer", infer(frame=500))
    first = page.locator(".messages tbody tr").first
    expect(first).to_contain_text("500")
    page.get_by_role("button", name="Hold").click()
    runtime.send("cam-1/main/infer", infer(frame=501))
    page.wait_for_timeout(SECOND / 2)
    expect(first).to_contain_text("500")
    page.get_by_role("button", name="Go on").click()
    expect(first).to_contain_text("501")


@pytest.mark.slow
def test_one_of_several_sources_is_chosen(visit: Visit, address: str, runtime: Runtime) -> None:
    page = visit(address)
    runtime.send("cam-1/front/infer", infer("front", frame=7, label="front door"))
    page.get_by_role("button", name="front").click()
    expect(page.locator(".messages")).to_contain_text("front door")
    expect(page.locator(".stage img").first).to_have_attribute(
        "alt", re.compile(r"Device stream of front, frame \d+")
    )
    other = visit(f"{address}/?source=front")
    expect(other.locator(".messages")).to_contain_text("front door")


def test_hostile_text_is_shown_and_never_executed(visit: Visit, address: str, runtime: Runtime) -> None:
    hostile = {"project": HOSTILE, "task": HOSTILE, "model": {"name": HOSTILE, "backend": HOSTILE}}
    page = visit(address)
    runtime.send("cam-1/main/infer", infer(frame=666, label=HOSTILE, **hostile))
    for again in (False, True):  # once as it comes, once as it stands in a fresh page
        if again:
            page.reload()
        for place in (page.locator(".messages tbody tr").first, page.locator(".model")):
            expect(place).to_contain_text("<script>window.evil = 1</script><img src=x")
        page.wait_for_timeout(200)
        assert page.evaluate("window.evil") is None
    runtime.send("cam-1/main/infer", infer())


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1, 2]", "not a JSON object"),
        (b'{"results": 7, "frame": [], "model": null, "latency_ms": "x", "ts_ms": 1e999}', None),
    ],
)
def test_a_payload_that_is_no_message_does_no_harm(
    visit: Visit, address: str, runtime: Runtime, payload: bytes, why: str | None
) -> None:
    page = visit(address)
    runtime.send("cam-1/main/infer", payload)
    if why is not None:
        expect(page.locator(".places").first).to_contain_text(why)
    runtime.send("cam-1/main/infer", infer(frame=31337))
    expect(page.locator(".messages tbody tr").first).to_contain_text("31337")


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone, light", "desktop, dark"]
)
def test_nothing_is_wider_than_the_screen_and_all_text_can_be_read(
    visit: Visit, address: str, runtime: Runtime, viewport: dict[str, int], scheme: str
) -> None:
    runtime.send("cam-1/main/infer", infer(label="w" * 79))
    page = visit(address, viewport=viewport, color_scheme=scheme)
    expect(page.locator(".stage img")).to_have_count(2)
    expect(page.locator(".messages tbody tr").first).to_contain_text("www")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate((Path(__file__).parents[1] / "tools" / "contrast.js").read_text()) == []


def test_every_control_is_reached_by_the_keyboard(visit: Visit, address: str, runtime: Runtime) -> None:
    runtime.send("cam-1/front/infer", infer("front"))
    page = visit(address)
    expect(page.locator(".source")).to_have_count(2)
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText"))
    assert {"Live", "main", "front", "Hold"} <= set(reached)


def test_a_broker_that_is_not_there_is_said_in_words(visit: Visit, stack: ExitStack) -> None:
    child = console(brokers.free_port())
    stack.callback(child.stop)
    page = visit(child.start())
    expect(page.locator(".state")).to_contain_text("No broker")
    expect(page.locator(".state")).to_contain_text("edge dev")


@pytest.mark.slow
def test_the_loss_of_the_broker_is_said_and_survived(visit: Visit, tmp_path: Path, stack: ExitStack) -> None:
    mosquitto = brokers.mosquitto(tmp_path)
    stack.enter_context(brokers.running(mosquitto))
    child = console(mosquitto.port)
    stack.callback(child.stop)
    page = visit(child.start())
    state = page.locator(".state")
    expect(state).to_contain_text("Nobody publishes")
    mosquitto.kill()
    expect(state).to_contain_text("The broker is gone")
    mosquitto.start()
    expect(state).to_contain_text("Nobody publishes", timeout=15 * SECOND)


@pytest.mark.slow
def test_who_is_there_and_what_its_sources_do_is_said(
    visit: Visit, broker: int, runtime: Runtime, stack: ExitStack
) -> None:
    child = console(broker, thing="cam-2")
    stack.callback(child.stop)
    runtime.send("cam-9/status", {"thing": "cam-9", "state": "online"}, retain=True)
    page = visit(child.start())
    state = page.locator(".state")
    expect(state).to_contain_text("Nobody publishes")
    expect(state).to_contain_text("Others are here: cam-9")
    runtime.send("cam-2/status", {"thing": "cam-2", "state": "online"})
    expect(state).to_contain_text("cam-2 is online")
    kernels = {"implementation": "compiled", "level": "v3"}
    runtime.send("cam-2/health", {"sources": {"main": {"state": "reconnecting"}}, "kernels": kernels})
    expect(state).to_contain_text("The source is away")
    runtime.send("cam-2/main/infer", infer())
    expect(page.locator(".model")).to_contain_text("compiled v3 kernels")
    expect(state).to_contain_text("where the pictures are")
    runtime.send("cam-2/status", {"thing": "cam-2", "state": "offline"})
    expect(state).to_contain_text("cam-2 is offline", timeout=8 * SECOND)


@pytest.mark.slow
def test_pictures_that_cannot_be_had_are_said(visit: Visit, broker: int, stack: ExitStack) -> None:
    runtime = Runtime(broker, ("main",))
    stopped = stack.callback(runtime.stop)
    child = console(broker, runtime.sink.url, thing="cam-3")
    stack.callback(child.stop)
    runtime.send("cam-3/main/infer", infer(), retain=True)
    page = visit(child.start())
    expect(page.locator(".stage img")).to_have_count(2)
    stopped()
    expect(page.locator(".stage-mark")).to_have_count(2, timeout=8 * SECOND)
    expect(page.locator(".state")).to_contain_text("No frames")


@pytest.mark.slow
def test_a_page_goes_on_by_itself_when_the_console_was_started_again(
    visit: Visit, broker: int, runtime: Runtime, address: str, stack: ExitStack
) -> None:
    port = str(brokers.free_port())
    child = console(broker, runtime.sink.url, "--port", port, restarts=1)
    stack.callback(child.stop)
    page = visit(child.start())
    expect(page.locator(".stage img")).to_have_count(2)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    # Whether the page tells of its loss before it is back is a matter of luck; what comes after it is not.
    wait_until(lambda: child.restarted == 1 and child.pid is not None and shows(page, runtime, 4242), 30.0)
    expect(page.get_by_text("Connection lost")).to_be_hidden(timeout=20 * SECOND)
    expect(page.locator(".stage img")).to_have_count(2)


def shows(page: Page, runtime: Runtime, frame: int) -> bool:
    """Whether a message that is sent now appears on the page; not so while the page is just coming anew."""
    runtime.send("cam-1/main/infer", infer(frame=frame))
    page.wait_for_timeout(500)
    try:
        return str(frame) in "".join(page.locator(".messages").all_inner_texts())
    except BrowserError:  # what was looked at went away in mid-look: the page reloads when its server is back
        return False


def test_a_page_of_another_site_is_refused(address: str) -> None:
    asked: Callable[[dict[str, str]], urllib.request.Request] = lambda headers: urllib.request.Request(  # noqa: E731
        f"{address}/pictures/main/latest.json", headers=headers
    )
    with urllib.request.urlopen(asked({})) as answer:
        assert "id" in json.load(answer)
    for headers in ({"Host": "rebound.example"}, {"Origin": "https://other.example"}):
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(asked(headers))
        refused.value.close()


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        (("--host", "0.0.0.0"), "set console.token beside it"),
        (("--broker", "tcp://user:canary@host"), "must be mqtt://HOST:PORT, not tcp://\\*\\*\\*@host"),
        (("--thing", "a/b"), "a thing's name must be"),
    ],
)
def test_a_setting_that_cannot_be_is_said(argument: tuple[str, str], why: str) -> None:
    with pytest.raises(RunFailed, match=f"exit code 2: No console at .*{why}"):
        console(1883, None, *argument).start()
