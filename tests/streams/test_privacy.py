"""Private zones: nothing of what they hide leaves, whatever the camera gives and whichever way it goes.

The pictures here are dark but for a bright canary inside the zone: a bright pixel in anything that leaves is a leak.
"""

import dataclasses
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pictures import jpeg_bytes
from witness import wait_until

from kernels import convert
from kernels.formats import Picture, PixelFormat
from streams.detail import Detail
from streams.device import DeviceStream
from streams.encode import Encoder
from streams.feed import Feed
from streams.frame import Frame
from streams.inbox import Inbox
from streams.picture_packing import packed, unpacked
from streams.privacy import Curtain, Zone, Zones, covered
from streams.recording import Record
from streams.sinks.fifo import Fifo
from streams.sinks.gallery import Gallery
from streams.sinks.http import HttpSink
from streams.sinks.record import Bounds, VideoRecording
from streams.sources import Shot, mjpeg
from streams.sources.pool import Pool
from streams.transports.local import Local
from streams.whole import whole_picture

HEIGHT, WIDTH = 480, 640
BOX = (0.253, 0.302, 0.748, 0.701)
BRIGHT, DARK = 230, 30
TELLING = 120  # brighter than any ringing of a JPEG round black on dark
TRIANGLE = ((0.2, 0.15), (0.85, 0.4), (0.35, 0.9))


def box(x1: float, y1: float, x2: float, y2: float) -> tuple[tuple[float, float], ...]:
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def canary(corners: tuple[tuple[float, float], ...]) -> Picture:
    """Grey (height, width): bright with a pattern in the zone, dark elsewhere."""
    gray = np.full((HEIGHT, WIDTH), DARK, np.uint8)
    points = np.array([[x * WIDTH, y * HEIGHT] for x, y in corners])
    inside = np.zeros_like(gray)
    cv2.fillPoly(inside, [np.floor(points).astype(np.int32)], 1)
    pattern = np.where((np.indices(gray.shape).sum(0) // 3) % 2, BRIGHT, BRIGHT - 40)
    return np.where(inside == 1, pattern, gray).astype(np.uint8)


def as_shot(gray: Picture, kind: str) -> Shot:
    """The picture as a camera of that kind gives it."""
    bgr = np.ascontiguousarray(np.repeat(gray[..., None], 3, axis=2))
    if kind == "YUYV":
        return Shot(np.ascontiguousarray(np.stack([gray, np.full_like(gray, 128)], axis=2)), PixelFormat.YUYV)
    if kind == "NV12":
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        return Shot(np.ascontiguousarray(np.vstack([gray, chroma])), PixelFormat.NV12)
    if kind in ("BGR", "RGB", "GRAY"):
        return Shot(gray if kind == "GRAY" else bgr, PixelFormat[kind])
    data = jpeg_bytes(bgr)
    part = int(kind.partition("/")[2] or 1)
    detail = Detail(None if part == 1 else lambda size: (size[0] // part, size[1] // part))
    pixels, whole = mjpeg.decode_for(data, detail, Pool())
    assert (whole is None) == (part == 1)
    return Shot(pixels, PixelFormat.BGR, jpeg=data, whole=whole)


class Once:
    """A source of one picture, shown again and again."""

    live, notice = True, None

    def __init__(self, shot: Shot) -> None:
        self._shot = shot

    def describe(self) -> str:
        return "a canary"

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self) -> Shot:
        time.sleep(0.005)
        return self._shot._replace(stamp=time.monotonic())


def framed(shot: Shot, *zones: Zone) -> Frame:
    """The frame as the loop gets it, through a real feed."""
    inbox = Inbox()
    feed = Feed("main", Once(shot), inbox.slot("main"), curtain=Curtain(zones))
    feed.start()
    frame = inbox.next(5.0)
    feed.stop()
    assert frame is not None
    return frame


def shown(jpeg: bytes) -> Picture:
    return mjpeg.decode(jpeg, Pool())


def painted(frame: Frame) -> Picture:
    """As edge.lane paints, without results."""
    pixels, layout = whole_picture(frame)
    return pixels if layout is PixelFormat.BGR else convert(pixels, layout)


def over_mqtt(frame: Frame, folder: Path) -> list[Picture]:
    transport, got = Local(), []
    transport.subscribe("#", lambda topic, payload, retained: got.append(payload))
    transport.start()
    stream = DeviceStream("cam", "main", transport, rate=10)
    stream.start()
    stream.offer(frame, time.monotonic())
    wait_until(lambda: bool(got))
    stream.stop()
    return [shown(payload) for payload in got]


def over_http(frame: Frame, folder: Path) -> list[Picture]:
    sink = HttpSink(sources=["main"])
    sink.start()
    urllib.request.urlopen(f"{sink.url}/main/latest.json", timeout=5).close()
    sink.offer(frame, lambda: painted(frame))
    wait_until(lambda: sink.albums["main"].newest() is not None)
    sides = [
        urllib.request.urlopen(f"{sink.url}/main/{side}/{frame.id}.jpg", timeout=5)
        for side in ("device", "project")
    ]
    got = [shown(side.read()) for side in sides]
    for side in sides:
        side.close()
    sink.stop()
    return got


def through_a_pipe(frame: Frame, folder: Path) -> list[Picture]:
    gallery = Gallery(["main"])
    gallery.start()
    fifo = Fifo(folder / "pipe", gallery.albums["main"], "device")
    fifo.start()
    got: list[bytes] = []

    def read() -> None:
        with fifo.path.open("rb", buffering=0) as pipe:
            while not got or not got[-1].endswith(b"\xff\xd9"):
                got.append((got[-1] if got else b"") + pipe.read(65_536))

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: gallery.offer(frame, lambda: painted(frame)) or bool(got))  # type: ignore[func-returns-value]
    reader.join(5.0)
    fifo.stop()
    gallery.stop()
    return [shown(got[-1])]


def as_a_still(frame: Frame, folder: Path) -> list[Picture]:
    gallery = Gallery(["main"])
    gallery.start()
    stills: list[bytes] = []
    for side in (False, True):
        asking = threading.Thread(
            target=lambda side=side: stills.append(gallery.still("main", painted=side).jpeg)
        )  # type: ignore[union-attr]
        asking.start()
        wait_until(lambda: bool(gallery.albums["main"]._wanted))
        gallery.offer(frame, lambda: painted(frame))
        asking.join(5.0)
    gallery.stop()
    return [shown(still) for still in stills]


def as_a_film(frame: Frame, folder: Path) -> list[Picture]:
    film = VideoRecording("main", "device", folder, Bounds(rate=100.0))
    film.start()
    film.take(frame, None)
    wait_until(lambda: film.written == 1)
    film.stop()
    with av.open(str(next(folder.glob("*.mp4")))) as played:
        return [each.to_ndarray(format="bgr24") for each in played.decode(video=0)]


def as_a_recording_for_replay(frame: Frame, folder: Path) -> list[Picture]:
    told, blob = packed(frame)
    kept = unpacked(Record(b"fram", told, blob, 0))
    assert kept.jpeg is None
    return [painted(kept)]


def in_the_frame_itself(frame: Frame, folder: Path) -> list[Picture]:
    """What a hook could send anywhere, where zones are hidden from all."""
    assert frame.jpeg is None
    pixels = frame.pixels if frame.format is PixelFormat.BGR else convert(frame.pixels, frame.format)
    return [pixels, painted(frame)]


def within_few_bytes(frame: Frame, folder: Path) -> list[Picture]:
    made = Encoder().fit(frame, 6000, frame.id, 1)
    assert made is not None
    return [shown(made)]


WAYS = [
    over_mqtt,
    over_http,
    through_a_pipe,
    as_a_still,
    as_a_film,
    as_a_recording_for_replay,
    within_few_bytes,
]
KINDS = ["BGR", "RGB", "GRAY", "YUYV", "NV12", "JPEG", "JPEG/2", "JPEG/4", "JPEG/8"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model_sees", [False, True])
def test_nothing_of_a_zone_leaves(
    way: Callable[[Frame, Path], list[Picture]], kind: str, *, model_sees: bool, tmp_path: Path
) -> None:
    frame = framed(as_shot(canary(box(*BOX)), kind), Zone(box(*BOX), model_sees=model_sees))
    left = way(frame, tmp_path)
    assert left
    for picture in left:
        assert picture.max() < TELLING
        assert picture[:20].mean() > 10  # the rest is there


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [in_the_frame_itself, over_http])
def test_nothing_of_a_polygon_leaves(
    way: Callable[[Frame, Path], list[Picture]], kind: str, tmp_path: Path
) -> None:
    for picture in way(framed(as_shot(canary(TRIANGLE), kind), Zone(TRIANGLE)), tmp_path):
        assert picture.max() < TELLING


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_sees_no_more_than_the_owner_says(kind: str, tmp_path: Path) -> None:
    shot = as_shot(canary(box(*BOX)), kind)
    for picture in in_the_frame_itself(framed(shot, Zone(box(*BOX))), tmp_path):
        assert picture.max() < TELLING
    seen = framed(shot, Zone(box(*BOX), model_sees=True))
    assert np.array_equal(seen.pixels, shot.pixels)
    assert seen.format is shot.format
    assert covered(seen).veil is None
    assert painted(covered(seen)).max() < TELLING


def test_what_the_reader_holds_is_not_painted_over() -> None:
    shot = as_shot(canary(box(*BOX)), "BGR")
    before = shot.pixels.copy()
    framed(shot, Zone(box(*BOX)))
    assert np.array_equal(shot.pixels, before)


@pytest.mark.parametrize("corners", [box(*BOX), TRIANGLE])
def test_a_blurred_zone_keeps_no_pattern(corners: tuple[tuple[float, float], ...]) -> None:
    rng = np.random.default_rng(3)
    pixels = np.ascontiguousarray(np.repeat(rng.integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8), 3, axis=2))
    before = pixels.copy()
    Zones([Zone(corners, "blur")]).cover(pixels)
    middle = pixels[220:280, 280:340]
    assert 100 < middle.mean() < 156
    assert middle.std() < 6
    assert np.array_equal(pixels[:60], before[:60])


def test_two_zones_may_differ_and_only_theirs_is_covered() -> None:
    frame = framed(
        as_shot(canary(box(0.0, 0.0, 1.0, 1.0)), "BGR"),
        Zone(box(0.0, 0.0, 0.25, 1.0)),
        Zone(box(0.75, 0.0, 1.0, 1.0), model_sees=True),
    )
    whole, _ = whole_picture(frame)
    assert frame.pixels[:, :160].max() == 0
    assert frame.pixels[:, 480:].min() > TELLING
    assert whole[:, :160].max() == whole[:, 480:].max() == 0
    assert whole[:, 170:470].min() > TELLING


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (33, 65)])
@pytest.mark.parametrize("corners", [box(0.0, 0.0, 1.0, 1.0), box(0.5, 0.5, 0.51, 0.51), TRIANGLE])
@pytest.mark.parametrize("mode", ["blur", "mask"])
def test_zones_fit_pictures_of_any_size(
    size: tuple[int, int], corners: tuple[tuple[float, float], ...], mode: str
) -> None:
    pixels = np.full((*size, 3), 200, np.uint8)
    Zones([Zone(corners, "blur" if mode == "blur" else "mask")]).cover(pixels)
    assert pixels.min() == (200 if mode == "blur" else 0)


def test_a_polygon_covers_each_pixel_that_it_touches() -> None:
    rng = np.random.default_rng(11)
    for _ in range(30):
        corners = tuple((float(x), float(y)) for x, y in rng.random((int(rng.integers(3, 8)), 2)))
        pixels = np.full((120, 160, 3), 255, np.uint8)
        Zones([Zone(corners)]).cover(pixels)
        touched = np.zeros((120, 160), np.uint8)
        points = [np.array([[x * 160 * 16, y * 120 * 16] for x, y in corners]).astype(np.int32) - 8]
        cv2.fillPoly(touched, points, 1, shift=4)
        assert not pixels[touched == 1].any()


def test_a_veil_shows_nothing_when_it_is_printed() -> None:
    shot = as_shot(canary(box(*BOX)), "JPEG/4")
    frame = framed(shot, Zone(box(*BOX)))
    assert shot.jpeg is not None
    assert repr(frame.veil) == "Veil(1 zones)"
    assert frame.veil is not None
    assert not hasattr(frame.veil, "__dict__")
    assert dataclasses.replace(frame, jpeg=shot.jpeg).veil is frame.veil
    assert Encoder().fit(dataclasses.replace(frame, jpeg=shot.jpeg), None, 1, 1) != shot.jpeg
