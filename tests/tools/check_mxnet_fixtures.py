"""Compares each network that make_mxnet_fixtures.py wrote to a folder with what MXNet answered.

.venv/bin/python tests/tools/check_mxnet_fixtures.py FOLDER
"""

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from inference.formats.mxnet import imported
from inference.formats.mxnet_params import read_params
from inference.formats.mxnet_symbol import Port, read_symbol
from inference.formats.openvino_library import core


def answer(model: Any, data: Any) -> Any:
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    (found,) = compiled(data.astype(np.float32)).values()
    return found


def overlap(one: Any, other: Any) -> float:
    size = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0)
    return float(size.prod() / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - size.prod()))


def same_rows(found: Any, rows: Any) -> str:
    kept = list(itertools.takewhile(lambda row: row[0] >= 0, found[0, 0]))
    rows = [row for row in rows[0] if row[0] >= 0]
    matched = 0
    for row in rows:
        same = [each for each in kept if each[1] == row[0] and abs(each[2] - row[1]) < 1e-4]
        matched += max((overlap(each[3:7], row[2:6]) for each in same), default=0.0) > 0.99
    return f"{matched} of {len(rows)} rows matched, {len(kept)} found"


def check(data_path: Path) -> None:
    name, folder = data_path.stem, data_path.parent
    expected = np.load(data_path)
    for symbol_path in sorted(folder.glob(f"*{name}-symbol.json")):
        symbol = read_symbol(symbol_path)
        (params_path,) = folder.glob(f"*{name}-[0-9]*.params")
        begin = time.monotonic()
        params = read_params(params_path)
        model = imported(symbol, params, {})
        took = time.monotonic() - begin
        report = [f"{symbol_path.parent.name}/{symbol_path.name}: imported in {took:.2f} s"]
        for key in (key for key in expected.files if key != "data"):
            cut = symbol
            if key.startswith("before:"):
                inner = [node.name for node in symbol.nodes].index(key.removeprefix("before:"))
                cut = symbol._replace(heads=(Port(inner, 0),))
            found = answer(model if cut is symbol else imported(cut, params, {}), expected["data"])
            if key == "rows":
                report.append(same_rows(found, expected[key]))
                continue
            if found.shape != expected[key].shape:  # every seventh was kept
                found = found.reshape(-1)[::7]
            error = np.abs(found - expected[key]).max() / np.abs(expected[key]).max()
            report.append(f"{key} {error:.1e}")
        sys.stdout.write("; ".join(report) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).rglob("*.npz")):
        check(path)
