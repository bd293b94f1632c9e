"""Whole processes against each other: the runtime, OpenVINO's own benchmark, and the script that a user writes.

Both sides of a comparison take turns, round by round; what counts is the median of their ratios. Rates are unpaced,
so that idle time hides nothing. Figures of a process are its own, taken after its warm-up.
"""

import contextlib
import dataclasses
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import backbones
import simplejpeg
from brokers import mosquitto, running
from capped import CAPS, DONE, ONE_THREAD
from measure import Judged, Row

import kernels

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What cannot stand beside ours in one environment, since it wants another OpenCV:
# `pip install --no-deps --target build/peers openvino-model-api`
PEERS = ROOT / "build/peers"
PROJECT = """\
name: {name}
task: classification
model: {model}
input: {{color: {color}, mean: {mean}, scale: {mean}}}
output: {{top_k: 3, softmax: true}}
publish: {{every: 1}}
"""
REQUESTS = 4  # under way at once in both: two streams compute, and each has its next picture ready
Figures = dict[str, Any]


class Net(NamedTuple):
    """A project folder, its model, how many frames make a round of about three seconds."""

    name: str
    folder: Path
    model: Path
    frames: int


def rows(wanted: Callable[[str], bool], rounds: int = 3) -> Iterator[Row]:
    """The rows whose name is wanted."""
    with tempfile.TemporaryDirectory(prefix="lensracer-bench-") as place:
        bench = Bench(Path(place), rounds)
        for name, measure in bench.cases().items():
            if wanted(name):
                yield measure(name)


class Bench:
    """Everything that the rows share: networks, pictures, a broker that is started where one is needed."""

    def __init__(self, place: Path, rounds: int) -> None:
        self.place, self.rounds = place, rounds

    @functools.cached_property
    def squeezenet(self) -> Net:
        return self._net("squeezenet", backbones.squeezenet, 500)

    @functools.cached_property
    def resnet50(self) -> Net:
        return self._net("resnet50", backbones.resnet50, 90)

    @functools.cached_property
    def policy(self) -> Net:
        return self._net("policy", backbones.policy, 6000)

    def cases(self) -> dict[str, Callable[[str], Row]]:
        return {
            "engine squeezenet, frames a second": lambda name: self.throughput(name, self.squeezenet, 0.95),
            "engine resnet50, frames a second": lambda name: self.throughput(name, self.resnet50, 0.98),
            "engine openvino-model-api async, squeezenet": lambda name: self.model_api(name, self.squeezenet),
            "engine squeezenet, memory": lambda name: self.from_memory(name, self.squeezenet, 1.2),
            "engine policy, memory": lambda name: self.from_memory(name, self.policy, 2.5),
            "engine squeezenet, memory, sent to nobody": lambda name: self.unpublished(name, self.squeezenet),
            "engine policy, memory, sent to nobody": lambda name: self.unpublished(name, self.policy),
            "engine squeezenet, MJPEG to message": lambda name: self.from_jpeg(name, self.squeezenet),
            "engine policy, MJPEG to message": lambda name: self.from_jpeg(name, self.policy),
            "engine start to first result": lambda name: self.start(name, self.squeezenet),
            "engine start, resnet50 with a warm cache": lambda name: self.warm_start(name, self.resnet50),
        }

    def throughput(self, name: str, net: Net, at_least: float) -> Row:
        """Frames in memory, prepare, interpret and messages included, against benchmark_app's random tensors."""
        ours, theirs = self._turns(
            lambda: self._ours(net, "--requests", str(REQUESTS))["fps"],
            lambda: benchmark_app(net.model, REQUESTS),
        )
        got = median(one / other for one, other in zip(ours, theirs, strict=True))
        peers = {"benchmark_app": 1e6 / median(theirs)}
        return row(name, 1e6 / median(ours), peers, judged("benchmark_app", at_least, got))

    def model_api(self, name: str, net: Net) -> Row:
        """The same frames through the asynchronous pipeline of openvino-model-api, which sends no messages."""
        if not (PEERS / "model_api").is_dir():
            return dataclasses.replace(row(name, float("nan"), {}), absent=("openvino-model-api",))
        words = ("--requests", str(REQUESTS))
        ours, theirs = self._turns(
            lambda: self._ours(net, *words)["fps"],
            lambda: answered("engine_model_api.py", str(net.model), "--frames", str(net.frames), *words)[
                "fps"
            ],
        )
        got = median(one / other for one, other in zip(ours, theirs, strict=True))
        peers = {"openvino-model-api": 1e6 / median(theirs)}
        return row(name, 1e6 / median(ours), peers, judged("openvino-model-api", 1.1, got))

    def from_memory(self, name: str, net: Net, at_least: float) -> Row:
        """The user's script with the same frames: time beside inference at most a fifth, and frames a second.

        Both publish to one broker, each message acknowledged; ours keeps each on the disk until then, too.
        """
        with running(mosquitto(self.place)) as broker:
            words = ("--broker", str(broker.port))
            ours, theirs = self._turns(lambda: self._ours(net, *words), lambda: self._script(net, *words))
        faster = median(one["fps"] / other["fps"] for one, other in zip(ours, theirs, strict=True))
        beside = median(
            other["beside_infer_ms"] / one["beside_infer_ms"] for one, other in zip(ours, theirs, strict=True)
        )
        return row(
            name,
            1e6 / median(each["fps"] for each in ours),
            {"script": 1e6 / median(each["fps"] for each in theirs)},
            judged("script, frames a second", at_least, faster),
            judged("script, time beside inference", 5.0, beside),
        )

    def unpublished(self, name: str, net: Net) -> Row:
        """For comparison, without a target: the script sends its messages to nobody, and ours still keeps each on the
        disk, and has a transport in the process acknowledge it."""
        ours, theirs = self._turns(lambda: self._ours(net), lambda: self._script(net))
        return row(
            name,
            1e6 / median(each["fps"] for each in ours),
            {"script": 1e6 / median(each["fps"] for each in theirs)},
        )

    def from_jpeg(self, name: str, net: Net) -> Row:
        """From JPEGs of 720p to messages on a broker: CPU seconds at most half of the script's."""
        pictures = self._pictures()
        with running(mosquitto(self.place)) as broker:
            words = ("--pictures", str(pictures), "--broker", str(broker.port))
            ours, theirs = self._turns(lambda: self._ours(net, *words), lambda: self._script(net, *words))
        less = median(
            other["cpu_s_per_1000"] / one["cpu_s_per_1000"] for one, other in zip(ours, theirs, strict=True)
        )
        stage = ours[-1]["stages"]["capture_to_publish"]
        return row(
            name,
            median(each["cpu_s_per_1000"] for each in ours) * 1000,
            {"script": median(each["cpu_s_per_1000"] for each in theirs) * 1000},
            judged("script, CPU seconds", 2.0, less),
            controls={f"capture to publish {key}": stage[key] * 1000 for key in ("p50", "p99")},
        )

    def start(self, name: str, net: Net) -> Row:
        """From the command to the first message: at most 0.3 s and 60 MB over the bare script."""
        ours, theirs = self._turns(lambda: self._first_message(net), lambda: self._bare(net))
        over = median(one[0] - other[0] for one, other in zip(ours, theirs, strict=True))
        more = median(one[1] - other[1] for one, other in zip(ours, theirs, strict=True))
        return row(
            name,
            median(each[0] for each in ours) * 1e6,
            {"bare script": median(each[0] for each in theirs) * 1e6},
            at_most("seconds over the bare script", 0.3, over),
            at_most("MB over the bare script", 60.0, more / 1024),
        )

    def warm_start(self, name: str, net: Net) -> Row:
        """The second start, its compiled model kept from the first, which had nothing: at most 0.7 of that one."""
        kept = self.place / "kept"
        self._first_message(net, cache=kept)
        ours, theirs = self._turns(
            lambda: self._first_message(net, cache=kept)[0],
            lambda: self._first_message(net, cache=Path(tempfile.mkdtemp(dir=self.place)) / "cold")[0],
        )
        got = median(one / other for one, other in zip(ours, theirs, strict=True))
        return row(
            name, median(ours) * 1e6, {"cold": median(theirs) * 1e6}, at_most("of the cold start", 0.7, got)
        )

    def _turns(self, one: Callable[[], Any], other: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
        pairs = [(one(), other()) for _ in range(self.rounds)]
        return [first for first, _ in pairs], [second for _, second in pairs]

    def _net(self, name: str, make: Callable[[Path], Path], frames: int) -> Net:
        folder = self.place / name
        folder.mkdir()
        model = make(folder / "model.onnx")
        gray = name == "policy"
        text = PROJECT.format(
            name=name, model=model.name, color="gray" if gray else "rgb", mean=127.5 if gray else [127.5] * 3
        )
        (folder / "project.yaml").write_text(text)
        return Net(name, folder, model, frames)

    def _pictures(self) -> Path:
        import numpy as np
        import scenes

        folder = self.place / "pictures"
        folder.mkdir(exist_ok=True)
        for turn in range(8):
            pixels = np.roll(scenes.soft(720, 1280), 64 * turn, axis=1)
            data = simplejpeg.encode_jpeg(pixels, quality=85, colorspace="BGR", colorsubsampling="420")
            (folder / f"{turn}.jpg").write_bytes(data)
        return folder

    def _ours(self, net: Net, *words: str) -> Figures:
        state = ("--state", str(self.place / "state"))
        return answered("engine_ours.py", str(net.folder), "--frames", str(net.frames), *state, *words)

    def _script(self, net: Net, *words: str) -> Figures:
        return answered("engine_script.py", str(net.model), "--frames", str(net.frames), *words)

    def _bare(self, net: Net) -> tuple[float, int]:
        return first_line(sys.executable, str(HERE / "engine_bare.py"), str(net.model))

    def _first_message(self, net: Net, cache: Path | None = None) -> tuple[float, int]:
        return first_line(
            *(sys.executable, "-m", "edge", "run", str(net.folder), "--print", "--frames", "1"),
            *("--source", "synthetic:?rate=0", "--set", "http.enabled=false"),
            *("--set", f"spool.path={self.place / 'state'}"),
            *("--set", f"inference.cache.path={cache}" if cache else "inference.cache.enabled=false"),
        )


def environment() -> dict[str, str]:
    """As a user's: without the caps of the kernels' bench."""
    capped = {*ONE_THREAD, DONE, *(name for caps in CAPS.values() for name in caps)}
    kept = {name: value for name, value in os.environ.items() if name not in capped}
    places = (ROOT, ROOT / "tests/tools", PEERS)
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, places))}


def answered(script: str, *words: str) -> Figures:
    """What a script says on its standard output, as JSON."""
    command = [sys.executable, str(HERE / script), *words]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def benchmark_app(model: Path, requests: int, seconds: int = 4) -> float:
    """Frames a second that OpenVINO's own tool counts, with the hint and the requests that ours uses."""
    tool = Path(sys.executable).with_name("benchmark_app")
    command = [str(tool), "-m", str(model), "-d", "CPU"]
    command += ["-hint", "throughput", "-nireq", str(requests), "-t", str(seconds)]
    command += ["-infer_precision", "f32"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    found = re.search(r"Throughput:\s+([\d.]+) FPS", done.stdout)
    if found is None:
        raise RuntimeError(f"benchmark_app said no throughput: {(done.stdout + done.stderr)[-2000:]}")
    return float(found.group(1))


def first_line(*command: str) -> tuple[float, int]:
    """Seconds from the start of a process to its first line, and the most memory that it held, in KiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with contextlib.closing(process.stdout) as out:
        line = out.readline()
        seconds, most = time.perf_counter() - start, most_held(process.pid)
        out.read()
    if process.wait() or not line:
        raise RuntimeError(f"{' '.join(command)} said nothing and ended with {process.returncode}")
    return seconds, most


def most_held(pid: int) -> int:
    """The most memory that a process has held so far, in KiB. (What `wait4` tells counts the parent's, too.)"""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if found is None:
        raise RuntimeError(f"process {pid} ended before its memory was read")
    return int(found.group(1))


def judged(against: str, at_least: float, got: float) -> Judged:
    return Judged(against, at_least, round(got, 3), got >= at_least, int(got >= at_least))


def at_most(against: str, most: float, got: float) -> Judged:
    return Judged(f"{against}, at most", most, round(got, 3), got <= most, int(got <= most))


def row(
    name: str,
    ours_us: float,
    peers: dict[str, float],
    *targets: Judged,
    controls: dict[str, float] | None = None,
) -> Row:
    return Row(name, kernels.LEVEL, ours_us, peers, agrees=True, targets=targets, controls=controls or {})
