"""OpenVINO's own library for the same work, openvino-model-api, by its asynchronous pipeline. Its figures as JSON.

`python engine_model_api.py MODEL --frames N --requests N`: the frames that engine_ours.py takes from memory, 720p.
"""

import argparse
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402
import scenes  # noqa: E402
from model_api.adapters import OpenvinoAdapter  # noqa: E402
from model_api.models import ClassificationModel  # noqa: E402
from model_api.pipelines import AsyncPipeline  # noqa: E402

WARM_UP = 60
SIZE = (720, 1280)
CONFIGURATION = {
    "mean_values": [127.5] * 3,
    "scale_values": [127.5] * 3,
    "reverse_input_channels": True,
    "topk": 3,
    "confidence_threshold": 0.0,
    "labels": [str(number) for number in range(1000)],
}


def pipeline(model: Path, requests: int) -> AsyncPipeline:
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
    settings["PERFORMANCE_HINT_NUM_REQUESTS"] = str(requests)
    adapter = OpenvinoAdapter(
        ov.Core(), str(model), device="CPU", plugin_config=settings, max_num_requests=requests
    )
    return AsyncPipeline(ClassificationModel(adapter, CONFIGURATION))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True)
    given = parser.parse_args()
    work = pipeline(given.model, given.requests)
    ready = [np.roll(scenes.scene(*SIZE), 16 * turn, axis=1) for turn in range(4)]
    whole, put, got, start = given.frames + WARM_UP, 0, 0, 0.0
    while got < whole:
        while put < whole and work.is_ready():
            work.submit_data(ready[put % len(ready)], put)
            put += 1
        if put == whole:
            work.await_all()
        else:
            work.await_any()
        while (found := work.get_result(got)) is not None:
            assert found[0].top_labels
            got += 1
            start = time.perf_counter() if got == WARM_UP else start
    seconds = time.perf_counter() - start
    sys.stdout.write(json.dumps({"frames": given.frames, "fps": given.frames / seconds}) + "\n")


if __name__ == "__main__":
    main()
