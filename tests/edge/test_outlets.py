"""Where pictures go: what the configuration may ask for, and a whole run that shows nothing it must not."""

import threading
from pathlib import Path

import av
import numpy as np
import pytest
from edge_process import edge, finish, start
from projects import colour_sorter, fake_finder, quiet_environ
from witness import wait_until

from edge import build, config, project
from edge.errors import ConfigInvalid
from edge.validate import check
from streams.sources import mjpeg
from streams.sources.pool import Pool

BROKER = "transport: {endpoint: 127.0.0.1, port: 9, budget: lite}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return colour_sorter(tmp_path / "sorter")


def told(folder: Path, text: str) -> list[str]:
    Path("edge.yaml").write_text(text)
    faults = check(folder, environ=quiet_environ())
    return [str(fault).replace(f"{Path.cwd()}/", "") for fault in faults]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "http: {host: 0.0.0.0, token: word}\n",
            "edge.yaml:1: http.cert: is missing: what goes to and from 0.0.0.0 could be read on its way; set cert "
            "and key for TLS, or insecure: true (--insecure) where the network is to be trusted",
        ),
        ("console: {host: 192.168.1.9, token: word}\n", "edge.yaml:1: console.cert: is missing"),
        ("http: {host: 0.0.0.0, insecure: true}\n", "edge.yaml:1: http.token: is missing: whoever reaches"),
        ("http: {cert: a.pem}\n", "edge.yaml:1: http.key: is missing: a certificate needs its private key"),
        ("http: {key: a.pem}\n", "edge.yaml:1: http.cert: is missing: a private key needs its certificate"),
        ("http: {cert: a.pem, key: b.pem}\n", "edge.yaml:1: http.cert: a.pem cannot be read"),
        ("http: {rate: 0}\n", "edge.yaml:1: http.rate: "),
        (
            "streams: {fifo: {device: sorter/clip.avi}}\n",
            "edge.yaml:1: streams.fifo.device: sorter/clip.avi is there",
        ),
        (
            "streams: {fifo: {device: no/where}}\n",
            "edge.yaml:1: streams.fifo.device: the folder no cannot be used",
        ),
        (
            "streams: {fifo: {device: x, project: x}}\n",
            "edge.yaml:1: streams.fifo.project: x is the pipe of main (device) already",
        ),
        (
            "sources: {a: 'synthetic:', b: 'synthetic:'}\nstreams: {fifo: {device: x}}\n",
            "edge.yaml:2: streams.fifo.device: x is the pipe of a (device) already; {source} in the path stands",
        ),
        (
            "streams: {record: {device: true, path: sorter/clip.avi}}\n",
            "edge.yaml:1: streams.record.path: sorter/clip.avi cannot be made or written: sorter/clip.avi is no folder",
        ),
        (
            "privacy: [{source: yard, box: [0, 0, 1, 1]}]\n",
            "edge.yaml:1: privacy: there is no source 'yard', but main",
        ),
        ("privacy: [{box: [0.5, 0, 0.1, 1]}]\n", "edge.yaml:1: privacy"),
        ("privacy: [{box: [0, 0, 2, 1]}]\n", "edge.yaml:1: privacy"),
        ("privacy: [{polygon: [[0, 0], [1, 1]]}]\n", "edge.yaml:1: privacy"),
        ("privacy: [{source: main}]\n", "edge.yaml:1: privacy"),
        ("privacy: [{box: [0, 0, 1, 1], from: nobody}]\n", "edge.yaml:1: privacy"),
        (BROKER, "streams.device.enabled: pictures cannot go through the lite nucleus"),
    ],
)
def test_a_mistake_is_told_with_its_key(folder: Path, text: str, sentence: str) -> None:
    (only,) = told(folder, text)
    assert only.startswith(sentence)


@pytest.mark.parametrize(
    "text",
    [
        "http: {host: 0.0.0.0, token: word, insecure: true}\n",
        "sources: {a: 'synthetic:', b: 'synthetic:'}\nstreams: {fifo: {device: '{source}.mjpeg'}}\n",
        "streams: {record: {device: true, project: true, path: video, segment: 30s, max_seconds: 24h}}\n",
        "privacy:\n- {source: main, box: [0, 0, 0.3, 0.5], mode: blur, from: device}\n"
        "- polygon: [[0.1, 0.1], [0.5, 0.2], [0.3, 0.9]]\n",
        BROKER + "streams: {device: {enabled: false}}\n",
    ],
)
def test_what_is_right_is_accepted(folder: Path, text: str) -> None:
    before = set(Path().rglob("*"))
    assert told(folder, text) == []
    assert set(Path().rglob("*")) - before <= {Path("edge.yaml")}


def test_on_lite_a_run_is_refused_with_the_way_out(folder: Path) -> None:
    Path("edge.yaml").write_text(BROKER)
    with pytest.raises(ConfigInvalid, match=r"iot_core .*client_id that is not the nucleus's") as refused:
        build.runtime(config.load(None, quiet_environ(), {}), project.load(folder))
    assert refused.value.faults[0].key == "streams.device.enabled"


def test_insecure_is_a_word_of_the_command_line(folder: Path) -> None:
    words = ("--set", "http.host=0.0.0.0", "--set", "http.token=word")
    refused = edge("run", folder, *words, "--frames", "1", folder=folder.parent)
    assert refused.code == 2
    assert "http.cert: is missing" in refused.stderr
    assert edge("run", folder, *words, "--insecure", "--frames", "1", folder=folder.parent).code == 0


@pytest.mark.slow
def test_a_run_fills_a_pipe_and_films_and_shows_no_zone_anywhere(tmp_path: Path) -> None:
    """The left half of a moving picture is private: it is black in all that a whole run gives out."""
    (tmp_path / "edge.yaml").write_text(
        "thing: cam\nsource: 'synthetic:?size=320x240&rate=60'\n"
        "privacy: [{box: [0, 0, 0.5, 1]}]\n"
        "streams: {fifo: {device: pipe}, record: {device: true, project: true, path: video, rate: 30}}\n"
    )
    process = start("run", fake_finder(tmp_path), folder=tmp_path)
    pipe = tmp_path / "pipe"
    got: list[bytes] = []

    def read() -> None:
        with pipe.open("rb", buffering=0) as reading:
            while sum(map(len, got)) < 60_000 and (piece := reading.read(65_536)):
                got.append(piece)

    try:
        wait_until(pipe.exists, 30.0)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(30.0)
        wait_until(lambda: len(list((tmp_path / "video").glob("*.mp4"))) == 2, 20.0)
    finally:
        finish(process)
    assert not pipe.exists()
    whole = b"".join(got).split(b"\xff\xd9\xff\xd8")[1:-1]
    seen = [mjpeg.decode(b"\xff\xd8" + jpeg + b"\xff\xd9", Pool()) for jpeg in whole]
    for path in (tmp_path / "video").glob("*.mp4"):
        with av.open(str(path)) as played:
            films = [frame.to_ndarray(format="bgr24") for frame in played.decode(video=0)]
        assert films
        if "device" in path.name:
            seen += films
        else:  # boxes are painted over it
            assert np.median([film[:, :150].max(axis=2) for film in films]) < 10
    assert len(seen) > 3
    for picture in seen:
        assert picture[:, :160].max() < 60
        assert picture[:, 180:].mean() > 20
