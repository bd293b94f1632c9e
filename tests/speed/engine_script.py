"""What a user writes without us: one loop of cv2, NumPy, OpenVINO, json and paho. Its figures as JSON.

Written as its best users would: one compiled model, latency hint, one request used again, arrays used again where
NumPy offers it; but plain, as such scripts are: decode, resize, normalise, transpose, infer, sort, dump, publish.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402

WARM_UP = 60
SIZE = (720, 1280)


def frames(given: argparse.Namespace) -> Iterator[np.ndarray]:
    if given.pictures:
        files = sorted(given.pictures.glob("*.jpg"))
        while True:
            for file in files:
                yield cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    import scenes

    ready = [np.roll(scenes.scene(*SIZE), 16 * turn, axis=1) for turn in range(4)]
    while True:
        yield from ready


class Script:
    def __init__(self, given: argparse.Namespace) -> None:
        core = ov.Core()
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self.compiled = core.compile_model(core.read_model(given.model), "CPU", settings)
        self.request = self.compiled.create_infer_request()
        shape = self.compiled.input(0).shape
        self.channels, self.size = shape[1], (shape[3], shape[2])
        self.mean = np.float32(127.5)
        self.scale = np.float32(1 / 127.5)
        self.client = client(given.broker) if given.broker else None
        self.infer_s: list[float] = []
        self.latency_s: list[float] = []

    def step(self, number: int, frame: np.ndarray, began: float) -> None:
        tensor = self.tensor(frame)
        before = time.perf_counter()
        self.request.infer({0: tensor}, share_inputs=True)
        after = time.perf_counter()
        scores = self.request.get_output_tensor(0).data[0]
        e = np.exp(scores - scores.max())
        scores = e / e.sum()
        top = np.argpartition(scores, -3)[-3:]
        top = top[np.argsort(scores[top])[::-1]]
        results = [{"label": str(i), "label_id": int(i), "score": round(float(scores[i]), 4)} for i in top]
        message = {"frame": number, "ts": time.time(), "task": "classification", "results": results}
        payload = json.dumps(message)
        if self.client is not None:
            self.client.publish("script/infer", payload, qos=1)
        self.infer_s.append(after - before)
        self.latency_s.append(time.perf_counter() - began)

    def tensor(self, frame: np.ndarray) -> np.ndarray:
        resized = cv2.resize(frame, self.size)
        if self.channels == 1:
            gray = cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY)
            return ((gray.astype(np.float32) - self.mean) * self.scale)[None, None]
        rgb = cv2.cvtColor(resized, cv2.COLOR_BGR2RGB)
        normal = (rgb.astype(np.float32) - self.mean) * self.scale
        return np.ascontiguousarray(normal.transpose(2, 0, 1))[None]


def client(port: int):  # type: ignore[no-untyped-def]
    import paho.mqtt.client as mqtt

    made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    made.max_inflight_messages_set(100)
    made.connect("127.0.0.1", port)
    made.loop_start()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--broker", type=int)
    given = parser.parse_args()
    script, source = Script(given), frames(given)
    for number in range(given.frames + WARM_UP):
        if number == WARM_UP:
            start, cpu = time.perf_counter(), time.process_time()
        began = time.perf_counter()
        script.step(number, next(source), began)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    each = [
        whole - part for whole, part in zip(script.latency_s[WARM_UP:], script.infer_s[WARM_UP:], strict=True)
    ]
    figures = {
        "frames": given.frames,
        "fps": given.frames / seconds,
        "cpu_s_per_1000": used / given.frames * 1000,
        "beside_infer_ms": median(each) * 1000,
        "latency_ms": median(script.latency_s[WARM_UP:]) * 1000,
        "infer_ms": median(script.infer_s[WARM_UP:]) * 1000,
    }
    if script.client is not None:
        script.client.loop_stop()
        script.client.disconnect()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
