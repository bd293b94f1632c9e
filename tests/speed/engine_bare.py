"""The least that answers once: import OpenVINO, read, compile, infer, say so. `python engine_bare.py MODEL`."""

import sys
import time

import numpy as np
import openvino as ov

core = ov.Core()
settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
compiled = core.compile_model(core.read_model(sys.argv[1]), "CPU", settings)
scores = compiled(np.zeros(list(compiled.input(0).shape), np.float32))[0]
sys.stdout.write(f"{float(scores.max())}\n")
sys.stdout.flush()
time.sleep(0.2)  # so that its memory can be read
