import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hand_clock import HandClock
from mjpeg_server import MjpegServer
from pictures import clip, cut, folder, jpeg_bytes, picture

from streams import sources
from streams.backoff import Backoff
from streams.errors import BadFrame, SourceError, SourceInvalid, SourceNotFound, SourceUnavailable
from streams.feed import Feed, FeedStatus, captured_at
from streams.frame import Frame
from streams.latest import Latest
from streams.sources import Reader, Shot
from streams.stall import StallWatch

CANARY = "c4nary"
AWAY = SourceUnavailable("the camera is away")
BAD = BadFrame("a torn picture")

Step = Shot | Exception | float | None


def moving(count: int, start: int = 0) -> list[Step]:
    return [Shot(np.full((8, 8, 3), start + step, np.uint8)) for step in range(count)]


def still(count: int) -> list[Step]:
    return [Shot(np.full((8, 8, 3), 99, np.uint8)) for _ in range(count)]


class Script:
    """A reader that does at each opening what is written: gives a shot, raises, lets seconds pass, or ends (None)."""

    def __init__(
        self,
        *openings: Exception | Iterable[Step],
        live: bool = True,
        clock: HandClock | None = None,
        each: float = 0.1,
    ) -> None:
        self.openings = iter(openings)
        self.steps: Iterator[Step] = iter(())
        self.live = live
        self.notice: str | None = None
        self.clock = clock or HandClock()
        self.each = each
        self.opened = self.closed = 0

    def describe(self) -> str:
        return "scripted camera"

    def open(self) -> None:
        self.opened += 1
        opening = next(self.openings, None)
        if opening is None:
            self.steps = iter((None,))
        elif isinstance(opening, Exception):
            raise opening
        else:
            self.steps = iter(opening)

    def read(self) -> Shot | None:
        step = next(self.steps, AWAY)
        if isinstance(step, float):
            self.clock.now += step
            return self.read()
        self.clock.now += self.each
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1


class Collector(Latest):
    """A slot that keeps every frame at once, so that the feed's thread never waits."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.on_frame: Callable[[Frame], None] = lambda _: None

    def put(self, frame: Frame) -> bool:
        if self.closed:
            return False
        self.frames.append(frame)
        self.on_frame(frame)
        return True


def run(
    reader: Script, *, patience: float | None = 30.0, watch: StallWatch | None = None
) -> tuple[Feed, Collector]:
    """Let a feed run to its end on the script's own clock."""
    slot = Collector()
    feed = Feed(
        "main",
        reader,
        slot,
        patience=patience,
        clock=reader.clock,
        sleep=reader.clock.sleep,
        backoff=Backoff(chance=random.Random(1)),
        watch=watch,
    )
    feed.start()
    assert wait_for(lambda: slot.closed), feed.status()
    assert feed.stop(5)
    return feed, slot


def wait_for(happened: Callable[[], bool], timeout: float = 10.0) -> bool:
    until = time.monotonic() + timeout
    while not happened() and time.monotonic() < until:
        time.sleep(0.002)
    return happened()


def test_frames_are_numbered_named_and_timed() -> None:
    reader = Script([*moving(3), None])
    feed, slot = run(reader)
    assert [frame.id for frame in slot.frames] == [1, 2, 3]
    assert {frame.source for frame in slot.frames} == {"main"}
    assert [frame.captured_at for frame in slot.frames] == pytest.approx([1000.1, 1000.2, 1000.3])
    assert feed.status() == FeedStatus("ended", 3, 0, 0, 0, 0, 0, None, None, "scripted camera")
    assert reader.closed


def test_a_frame_keeps_format_jpeg_and_the_very_pixels() -> None:
    pixels = np.zeros((4, 4, 2), np.uint8)
    shot = Shot(pixels, sources.PixelFormat.YUYV, jpeg=b"\xff\xd8")
    _, slot = run(Script([shot, None]))
    (frame,) = slot.frames
    assert np.shares_memory(frame.pixels, pixels)
    assert (frame.format, frame.jpeg) == (shot.format, shot.jpeg)


@pytest.mark.parametrize(
    ("stamp", "now", "captured"),
    [
        (99.9, 100.0, 99.9),
        (100.0, 100.0, 100.0),
        (None, 100.0, 100.0),
        (100.5, 100.0, 100.0),
        (20.0, 100.0, 100.0),
    ],
)
def test_a_driver_s_time_is_believed_where_it_can_be_true(
    stamp: float | None, now: float, captured: float
) -> None:
    assert captured_at(stamp, now) == captured


def test_bad_pictures_are_counted_and_skipped() -> None:
    feed, slot = run(Script([*moving(2), BAD, BAD, *moving(1), None]))
    assert [frame.id for frame in slot.frames] == [1, 2, 3]
    assert feed.status().bad == 2


def test_a_live_source_that_gives_bad_pictures_only_is_opened_anew() -> None:
    reader = Script([*moving(1), *[BAD] * 60], [*moving(1), None])
    feed, slot = run(reader)
    assert len(slot.frames) == 2
    assert reader.opened == 2
    assert 50 <= feed.status().bad <= 52


def test_a_camera_that_is_away_is_tried_until_patience_ends() -> None:
    reader = Script(*[AWAY] * 50)
    feed, slot = run(reader, patience=30.0)
    status = feed.status()
    assert (status.state, status.error, status.captured) == ("failed", AWAY, 0)
    assert reader.clock.now == pytest.approx(1030.0)
    assert 5 <= reader.opened <= 12
    assert not slot.frames
    assert slot.closed


def test_the_waits_between_tries_grow_and_the_last_one_ends_with_patience() -> None:
    reader = Script(*[AWAY] * 50)
    run(reader, patience=30.0)
    waits = reader.clock.slept
    assert all(0.25 * 2**place <= wait <= 0.5 * 2**place for place, wait in enumerate(waits[:-1]))
    assert sum(waits) == pytest.approx(30.0)


def test_without_patience_one_try_is_all() -> None:
    reader = Script(*[AWAY] * 50)
    feed, _ = run(reader, patience=0.0)
    assert reader.opened == 1
    assert feed.status().state == "failed"


def test_endless_patience_tries_for_ever() -> None:
    reader = Script(*[AWAY] * 200, [*moving(1), None])
    feed, slot = run(reader, patience=None)
    assert len(slot.frames) == 1
    assert reader.opened == 201
    assert max(reader.clock.slept) <= 30.0
    assert feed.status().state == "ended"


@pytest.mark.parametrize("error", [SourceInvalid("no video"), SourceNotFound("gone")])
def test_what_can_never_work_is_not_tried_again(error: SourceError) -> None:
    reader = Script(error, moving(5))
    feed, _ = run(reader)
    assert reader.opened == 1
    assert feed.status().state == "failed"
    assert feed.status().error is error


def test_a_source_that_opens_but_never_gives_a_picture_has_not_opened() -> None:
    feed, _ = run(Script(*[[AWAY]] * 50), patience=10.0)
    assert feed.status().state == "failed"


def test_a_lost_live_source_is_tried_for_ever_and_goes_on_counting() -> None:
    reader = Script([*moving(3), AWAY], *[AWAY] * 40, SourceInvalid("odd"), [*moving(2), None])
    feed, slot = run(reader, patience=1.0)
    assert [frame.id for frame in slot.frames] == [1, 2, 3, 4, 5]
    status = feed.status()
    assert (status.state, status.reopened, status.error) == ("ended", 1, None)
    assert reader.closed >= 42


def test_while_it_is_lost_its_state_and_error_say_so() -> None:
    seen: list[FeedStatus] = []
    reader = Script([*moving(1), AWAY], AWAY, [*moving(1), None])
    slot = Collector()
    feed = Feed("main", reader, slot, clock=reader.clock, sleep=lambda _: seen.append(feed.status()))
    assert feed.status().state == "opening"
    slot.on_frame = lambda _: seen.append(feed.status())
    feed.start()
    assert wait_for(lambda: slot.closed)
    assert [status.state for status in seen] == ["running", "reconnecting", "reconnecting", "running"]
    assert [status.error for status in seen] == [None, AWAY, AWAY, None]


def test_a_recorded_source_that_breaks_midway_has_failed() -> None:
    feed, slot = run(Script([*moving(3), SourceUnavailable("broken")], live=False))
    assert len(slot.frames) == 3
    assert feed.status().state == "failed"


def test_a_camera_that_repeats_one_picture_has_stalled_and_is_withheld_until_it_moves() -> None:
    reader = Script([*moving(3), *still(100), *moving(3, 50), None])
    feed, slot = run(reader, watch=StallWatch(after=5.0, repeats=10))
    status = feed.status()
    assert (status.stalls, status.reopened) == (1, 0)
    assert 45 <= status.repeated <= 50
    assert len(slot.frames) + status.repeated == 106
    assert [frame.id for frame in slot.frames] == list(range(1, len(slot.frames) + 1))


def test_a_stalled_camera_says_so_while_it_lasts() -> None:
    reader = Script([*moving(1), *still(80), None])
    slot = Collector()
    feed = Feed("main", reader, slot, clock=reader.clock, sleep=reader.clock.sleep)
    seen: list[FeedStatus] = []
    read = reader.read

    def spying() -> Shot | None:
        seen.append(feed.status())
        return read()

    reader.read = spying
    feed.start()
    assert wait_for(lambda: slot.closed)
    assert seen[-1].state == "stalled"
    assert "repeats one picture" in str(seen[-1].error)


def test_a_camera_that_stays_stalled_is_opened_anew() -> None:
    reader = Script([*moving(1), *still(500)], [*moving(1, 7), None])
    feed, slot = run(reader, watch=StallWatch(after=5.0, repeats=10, reopen=30.0))
    assert reader.opened == 2
    assert feed.status().reopened == 1
    assert slot.frames[-1].pixels[0, 0, 0] == 7
    assert feed.status().stalls == 1


def test_a_camera_whose_clock_stands_still_has_stalled() -> None:
    shots = [Shot(np.full((8, 8, 3), step % 251, np.uint8), stamp=min(1.0, step / 10)) for step in range(100)]
    feed, _ = run(Script([*shots, None]))
    assert feed.status().stalls == 1
    assert feed.status().repeated > 30


def test_a_recorded_source_may_repeat_itself() -> None:
    feed, slot = run(Script([*still(200), None], live=False))
    assert len(slot.frames) == 200
    assert feed.status().repeated == 0


def test_a_source_that_is_silent_for_long_counts_as_stalled_also_while_it_hangs() -> None:
    clock = HandClock()
    hang = threading.Event()
    reader = Script([*moving(1)], clock=clock)
    read = reader.read

    def hanging() -> Shot | None:
        if reader.steps.__length_hint__() == 0:
            hang.wait(5)
        return read()

    reader.read = hanging
    slot = Collector()
    feed = Feed("main", reader, slot, clock=clock, sleep=clock.sleep)
    feed.start()
    assert wait_for(lambda: bool(slot.frames))
    assert wait_for(lambda: feed.status().state == "running")
    clock.now += 6.0
    assert feed.status().state == "stalled"
    assert "silent" in str(feed.status().error)
    hang.set()
    assert wait_for(lambda: slot.closed)
    assert feed.status().stalls == 1


def test_a_gap_between_pictures_counts_as_a_stall() -> None:
    feed, _ = run(Script([*moving(2), 7.0, *moving(2, 5), None]))
    assert feed.status().stalls == 1


def test_paced_pictures_are_handed_over_when_they_are_due() -> None:
    clock = HandClock(1000.0)
    shots = [Shot(np.zeros((2, 2, 3), np.uint8), due=1000.0 + place) for place in range(1, 4)]
    _, slot = run(Script([*shots, None], live=False, clock=clock, each=0.25))
    assert [frame.captured_at for frame in slot.frames] == [1001.0, 1002.0, 1003.0]


def test_a_broken_reader_ends_its_feed_with_an_error_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed, _ = run(Script([*moving(1), RuntimeError("bug")]))
    assert feed.status().state == "failed"
    assert "RuntimeError('bug')" in str(feed.status().error)
    assert "its reader broke" in caplog.text


def test_warnings_do_not_come_with_every_picture(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    steps = [step for place in range(200) for step in (*moving(1, place % 200), BAD)]
    run(Script([*steps, None]))
    assert len(caplog.records) < 8


class Hanging:
    """A reader whose driver hangs in `where` until it is let go."""

    live = True
    notice = None

    def __init__(self, where: str) -> None:
        self.where = where
        self.inside = threading.Event()
        self.let_go = threading.Event()

    def describe(self) -> str:
        return "hanging camera"

    def open(self) -> None:
        self._hang("open")

    def read(self) -> Shot | None:
        self._hang("read")
        return Shot(picture())

    def close(self) -> None:
        pass

    def _hang(self, where: str) -> None:
        if where == self.where:
            self.inside.set()
            self.let_go.wait(20)


@pytest.mark.parametrize("where", ["open", "read"])
def test_stopping_never_hangs_and_nothing_is_handed_over_after_it(where: str) -> None:
    reader, slot = Hanging(where), Collector()
    feed = Feed("main", reader, slot)
    feed.start()
    assert reader.inside.wait(5)
    began = time.monotonic()
    assert not feed.stop(0.1)
    assert time.monotonic() - began < 2
    assert slot.ended
    reader.let_go.set()
    assert feed.stop(5)
    assert not slot.frames
    assert feed.status().captured == 0


def test_stopping_ends_the_waits_between_tries_and_before_a_picture_is_due() -> None:
    for reader in (Script(*[AWAY] * 99), Script([Shot(picture(), due=time.monotonic() + 60)], live=False)):
        feed = Feed("main", reader, Latest(), patience=None, backoff=Backoff(30.0, 60.0))
        feed.start()
        time.sleep(0.05)
        began = time.monotonic()
        assert feed.stop(5)
        assert time.monotonic() - began < 2
        assert feed.status().state == "ended"


def test_stopping_ends_the_wait_for_room() -> None:
    feed = Feed("main", Script(moving(99), live=False), Latest(lossless=True))
    feed.start()
    time.sleep(0.05)
    assert feed.stop(5)


def test_a_feed_that_never_started_can_be_stopped() -> None:
    slot = Latest()
    assert Feed("main", Script([]), slot).stop()
    assert slot.ended


def collected(uri: str, *, lossless: bool | None = None, **asked: object) -> tuple[FeedStatus, list[Frame]]:
    """Run a real reader to its end, taking each frame."""
    reader: Reader = sources.reader(uri, **asked)
    slot = Latest(lossless=not reader.live if lossless is None else lossless)
    feed = Feed("main", reader, slot)
    feed.start()
    frames = []
    while not slot.ended:
        frame = slot.take(timeout=10)
        if frame is not None:
            frames.append(frame)
    feed.stop(5)
    return feed.status(), frames


def test_every_frame_of_a_file_arrives(tmp_path: Path) -> None:
    status, frames = collected(str(clip(tmp_path / "clip.mp4", 40)))
    assert [frame.id for frame in frames] == list(range(1, 41))
    assert (status.state, status.captured, status.dropped) == ("ended", 40, 0)


def test_a_file_at_pace_realtime_takes_its_time(tmp_path: Path) -> None:
    began = time.monotonic()
    _, frames = collected(str(clip(tmp_path / "clip.mp4", 11, rate=20)), pace="realtime")
    assert 0.45 <= time.monotonic() - began < 5
    assert len(frames) == 11


def test_a_video_cut_short_ends_well_and_says_what_was_odd(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status, frames = collected(str(cut(clip(tmp_path / "clip.avi", 40))))
    assert (status.state, status.error, status.bad) == ("ended", None, 1)
    assert status.captured == len(frames) >= 15
    assert status.notice is not None
    assert status.notice in caplog.text


def test_damaged_pictures_of_a_folder_are_counted(tmp_path: Path) -> None:
    status, frames = collected(str(folder(tmp_path / "pictures", 6, damaged=(2, 5))))
    assert (len(frames), status.bad, status.state) == (4, 2, "ended")


def test_what_is_no_video_fails_with_its_sentence(tmp_path: Path) -> None:
    path = cut(clip(tmp_path / "clip.mp4", 20))
    status, _ = collected(str(path))
    assert status.state == "failed"
    assert isinstance(status.error, SourceInvalid)
    assert str(path) in str(status.error)


def test_a_live_source_that_is_read_too_slowly_drops_and_counts() -> None:
    reader = sources.reader("synthetic:?size=64x32&rate=200&frames=30")
    slot = Latest()
    feed = Feed("main", reader, slot)
    feed.start()
    seen = []
    while not slot.ended:
        frame = slot.take(timeout=5)
        if frame is not None:
            seen.append(frame.id)
            time.sleep(0.02)
    feed.stop(5)
    status = feed.status()
    assert status.captured == 30
    assert status.dropped == 30 - len(seen) > 5
    assert seen == sorted(seen)


def test_a_held_frame_is_never_written_into_while_the_feed_goes_on() -> None:
    reader = sources.reader("synthetic:?size=64x48&rate=0&frames=300")
    slot = Latest(lossless=True)
    feed = Feed("main", reader, slot)
    feed.start()
    held: list[tuple[Frame, bytes]] = []
    places = set()
    while not slot.ended:
        frame = slot.take(timeout=5)
        if frame is None:
            continue
        places.add(frame.pixels.ctypes.data)
        if frame.id % 50 == 0:
            held.append((frame, frame.pixels.tobytes()))
    feed.stop(5)
    assert len(held) == 6
    assert all(frame.pixels.tobytes() == content for frame, content in held)
    assert len(places) <= len(held) + 6


@pytest.mark.parametrize("hang", [False, True])
def test_an_mjpeg_camera_that_breaks_off_is_found_again_without_its_password_being_told(
    hang: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("streams.sources.capture.READ_TIMEOUT_S", 0.3)
    jpegs = [jpeg_bytes(picture(step)) for step in range(12)]
    slot = Collector()
    with MjpegServer(jpegs, each=8, hang=hang, password=f"admin:{CANARY}") as camera:
        port = camera.port
        reader = sources.reader(camera.url(f"admin:{CANARY}"))
        feed = Feed("main", reader, slot, backoff=Backoff(0.02, 0.2))
        feed.start()
        assert wait_for(lambda: feed.status().reopened >= 1)
    assert wait_for(lambda: feed.status().state == "reconnecting")
    away = feed.status()
    before = len(slot.frames)
    with MjpegServer(jpegs, port=port, password=f"admin:{CANARY}"):
        assert wait_for(lambda: len(slot.frames) > before + 5)
        assert feed.status().state == "running"
        assert feed.stop(5)
    assert [frame.id for frame in slot.frames] == list(range(1, len(slot.frames) + 1))
    assert {frame.jpeg for frame in slot.frames} <= set(jpegs)
    printed = capfd.readouterr()
    told = caplog.text + str(away) + repr(away.error) + str(feed.status()) + printed.out + printed.err
    assert CANARY not in told
    assert "***@127.0.0.1" in told


def test_nobody_can_write_into_a_picture_that_others_see() -> None:
    """A user's hook that draws on it would change the device stream, and a picture half encoded."""
    slot = Latest(lossless=True)
    feed = Feed("main", Script(moving(1), live=False), slot)
    feed.start()
    frame = slot.take(5.0)
    assert frame is not None
    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[:] = 0
    feed.stop()
