"""Every model of the catalogue is complete, makes a manifest, and is asked for at an address that may be asked."""

import math
import re
from pathlib import Path

import models
import numpy as np
import pytest
from numpy.typing import NDArray

from inference import load
from inference.catalogue import Entry, entries, entry
from inference.errors import AddressRefused
from inference.fetch_address import Reach, checked
from inference.manifest import Manifest
from kernels.formats import PixelFormat


@pytest.mark.parametrize("found", entries(), ids=lambda found: found.name)
def test_a_model_of_the_catalogue_is_whole(found: Entry, tmp_path: Path) -> None:
    assert re.fullmatch("[0-9a-f]{64}", found.sha256)
    assert found.size > 100_000
    assert found.licence in ("MIT", "Apache-2.0")
    assert found.file.endswith(".onnx")
    assert checked(found.uri, Reach()).scheme == "https"
    keys = {"name": found.name, "task": found.task, "model": found.file, "labels": list(found.labels)}
    manifest = Manifest.from_mapping({**keys, "input": found.input, "output": found.output}, tmp_path)
    assert manifest.task == found.task


def test_names_and_digests_are_told_apart() -> None:
    assert len({found.name for found in entries()}) == len({found.sha256 for found in entries()}) == 9


def test_the_label_sets_have_as_many_names_as_the_networks_have_classes() -> None:
    counts = {found.name.removesuffix("-int8"): len(found.labels) for found in entries()}
    assert counts == {
        "yunet": 1,
        "nanodet": 80,
        "yolox": 80,
        "mobilenet-v2": 1000,
        "pp-resnet50": 1000,
        "pp-humanseg": 2,
    }


def test_labels_stand_where_the_networks_count_them() -> None:
    things, classes = entry("nanodet").labels, entry("mobilenet-v2").labels
    assert (things[0], things[39], things[79]) == ("person", "bottle", "toothbrush")
    assert (classes[0], classes[207], classes[999]) == ("tench", "golden retriever", "toilet tissue")
    assert len(set(classes)) == 1000


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(AddressRefused, match="has no model 'yolo-x'; did you mean yolox"):
        entry("yolo-x")
    with pytest.raises(AddressRefused, match="it has yunet, nanodet"):
        entry("???")


def outputs(name: str) -> dict[str, NDArray[np.float32]]:
    """What the networks give, by the shapes that their makers tell."""
    random = np.random.default_rng(1)

    def of(*shape: int) -> NDArray[np.float32]:
        return random.random((1, *shape), np.float32)

    if name == "yunet":
        parts = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
        cells = {stride: (640 // stride) ** 2 for stride in (8, 16, 32)}
        return {f"{part}_{s}": of(cells[s], size) for part, size in parts.items() for s in cells}
    if name == "nanodet":
        cells = {stride: math.ceil(416 / stride) ** 2 for stride in (8, 16, 32, 64)}
        return {f"{part}_{s}": of(cells[s], size) for s in cells for part, size in (("cls", 80), ("reg", 32))}
    if name == "yolox":
        return {"output": of(8400, 85)}
    return {"output": of(2, 192, 192)} if name == "pp-humanseg" else {"output": of(1000)}


@pytest.mark.parametrize("found", entries(), ids=lambda found: found.name)
def test_a_model_of_such_inputs_and_outputs_is_good_to_run(found: Entry, tmp_path: Path) -> None:
    width, height = found.input.get("size", (640, 640))
    path = tmp_path / found.file
    models.answering(path, outputs(found.name.removesuffix("-int8")), size=(height, width))
    keys = {"name": found.name, "task": found.task, "model": str(path), "labels": list(found.labels)}
    manifest = Manifest.from_mapping({**keys, "input": found.input, "output": found.output}, tmp_path)
    model = load(manifest, backend="openvino")
    try:
        assert model.labels == found.labels
        assert model.predict(np.zeros((90, 120, 3), np.uint8), PixelFormat.BGR).finite
    finally:
        model.close()


def test_the_catalogue_knows_the_real_file(shared_data: Path) -> None:
    from inference.fetch import digest_of

    path = shared_data / "models" / "nanodet" / "nanodet_m.onnx"
    assert (digest_of(path), path.stat().st_size) == (entry("nanodet").sha256, entry("nanodet").size)
