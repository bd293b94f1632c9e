"""Writes small MXNet networks with what the real MXNet answers: tests/data/formats.

Run by hand, in a virtual environment of its own:
    python3.11 -m venv /tmp/mxnet-venv && /tmp/mxnet-venv/bin/pip install mxnet==1.9.1 numpy==1.23.5
    /tmp/mxnet-venv/bin/python tests/tools/make_mxnet_fixtures.py [--full FOLDER]
With --full the networks in their real sizes go to FOLDER instead; tests/tools/check_mxnet_fixtures.py compares.

The weights are drawn from a seed. Moving means and variances are those that the pictures really have, and the last
layer is made so that a class exceeds 0.5 and the two pictures differ in their best class.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

if "--full" not in sys.argv:  # MXNet's own operators, slower than oneDNN's but free of its faults
    os.environ["MXNET_MKLDNN_ENABLED"] = "0"
np.bool = bool  # MXNet 1.9.1 still asks NumPy for it
import mxnet as mx  # noqa: E402
import mxnet_networks as networks  # noqa: E402
from mxnet_operators import operator_cases  # noqa: E402

FOLDER = Path(__file__).resolve().parent.parent / "data" / "formats"


def pictures(side: int, seed: int) -> Any:
    """Two of (2, 3, side, side), 0 to 255: patches of eight colours each way, each a little uneven."""
    draw = np.random.RandomState(seed)
    size = -(-side // 8)
    coarse = draw.uniform(16, 239, (2, 3, 8, 8)).repeat(size, 2).repeat(size, 3)[:, :, :side, :side]
    grain = np.tile(draw.uniform(-16, 16, (2, 3, 5, 7)), (1, 1, side // 5 + 1, side // 7 + 1))[
        :, :, :side, :side
    ]
    return (coarse + grain).round().astype(np.float32)


def drawn(symbol: Any, shapes: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    draw = np.random.RandomState(seed)
    arg_shapes, _, aux_shapes = symbol.infer_shape(**shapes)
    args, auxes = {}, {}
    for name, shape in zip(symbol.list_arguments(), arg_shapes, strict=True):
        if name in shapes or name in ("label", "softmax_label"):
            continue
        if name.endswith("_weight"):
            value = draw.normal(0, np.sqrt(2.0 / np.prod(shape[1:])), shape)
        elif name.endswith(("gamma", "_scale")):
            value = draw.uniform(0.7, 1.3, shape) * (20 if name.endswith("_scale") else 1)
        else:
            value = draw.normal(0, 0.1, shape)
        args[name] = mx.nd.array(value)
    for name, shape in zip(symbol.list_auxiliary_states(), aux_shapes, strict=True):
        auxes[name] = mx.nd.array(np.ones(shape) if name.endswith("var") else np.zeros(shape))
    return args, auxes


def run(
    symbol: Any, args: dict[str, Any], auxes: dict[str, Any], data: Any, train: bool = False
) -> list[Any]:
    inputs = {**args, "data": mx.nd.array(data)}
    for name in symbol.list_arguments():
        if name == "softmax_label":
            inputs[name] = mx.nd.zeros((len(data),))
        if name == "label":
            inputs[name] = -mx.nd.ones((len(data), 2, 5))
    executor = symbol.bind(mx.cpu(), inputs, aux_states=auxes, grad_req="null")
    return [output.asnumpy() for output in executor.forward(is_train=train)]


def settle(symbol: Any, args: dict[str, Any], auxes: dict[str, Any], data: Any) -> None:
    """Moving means and variances of BatchNorm as the pictures have them."""
    for _ in range(60 if auxes else 0):
        run(symbol, args, auxes, data, train=True)


def centre(symbol: Any, last: str, args: dict[str, Any], auxes: dict[str, Any], data: Any) -> None:
    """The last layer: class 0 is what tells the first picture from the second, class 1 the opposite."""
    node = next(
        node for node in json.loads(symbol.tojson())["nodes"] if node["name"] in (last, f"{last}_fwd")
    )
    before = json.loads(symbol.tojson())["nodes"][node["inputs"][0][0]]["name"]
    features = run(symbol.get_internals()[f"{before}_output"], args, auxes, data)[0].reshape(2, -1)
    features = features.astype(np.float64)
    weights = args[f"{last}_weight"].asnumpy().astype(np.float64)
    apart = features[0] - features[1]
    weights *= 2 / np.abs(weights @ apart).max()
    weights[0], weights[1] = 12 * apart / (apart @ apart), -12 * apart / (apart @ apart)
    args[f"{last}_weight"] = mx.nd.array(weights)
    args[f"{last}_bias"] = mx.nd.array(-weights @ features.mean(axis=0))


def save(
    folder: Path, name: str, symbol: Any, args: dict[str, Any], auxes: dict[str, Any], epoch: int = 0
) -> None:
    content = json.loads(symbol.tojson(remove_amp_cast=False))
    (folder / f"{name}-symbol.json").write_text(json.dumps(content, separators=(",", ":")))
    tagged = {f"arg:{key}": value for key, value in args.items()}
    tagged.update({f"aux:{key}": value for key, value in auxes.items()})
    mx.nd.save(str(folder / f"{name}-{epoch:04d}.params"), tagged)


def answers(folder: Path, name: str, data: Any, outputs: dict[str, Any]) -> None:
    picture = data.astype(np.uint8)
    assert np.array_equal(picture, data)
    np.savez_compressed(folder / f"{name}.npz", data=picture, **outputs)
    sys.stdout.write(f"{name}: " + ", ".join(f"{key} {value.shape}" for key, value in outputs.items()) + "\n")


def classification(folder: Path, name: str, symbol: Any, side: int, seed: int, last: str = "fc1") -> None:
    data = pictures(side, seed)
    args, auxes = drawn(symbol, {"data": data.shape}, seed)
    settle(symbol, args, auxes, data)
    centre(symbol, last, args, auxes, data)
    inner = mx.sym.Group([symbol.get_internals()[f"{last}_output"], symbol])
    logits, scores = run(inner, args, auxes, data)
    assert scores.max(axis=1).min() > 0.5, scores
    assert len(set(scores.argmax(axis=1))) == 2, scores
    save(folder, name, symbol, args, auxes, epoch=7)
    answers(folder, name, data, {f"before:{last}": logits, "softmax": scores})


def detection(folder: Path, name: str, forms: tuple[Any, Any], side: int, seed: int) -> None:
    deployed, training = forms
    data = pictures(side, seed)
    args, auxes = drawn(deployed, {"data": data.shape}, seed)
    settle(deployed, args, auxes, data)
    inner = deployed.get_internals()
    for key in [key for key in args if key.endswith("_pred_conv_weight")]:
        tap = run(inner[key.replace("_weight", "_output")], args, auxes, data)[0]
        args[key] = args[key] * ((4.0 if "cls" in key else 1.0) / tap.std())
    watched = [
        "multibox_loc_pred_output",
        "multibox_cls_pred_output",
        "multibox_anchors_output",
        "detection_output",
    ]
    locations, scores, anchors, rows = run(mx.sym.Group([inner[key] for key in watched]), args, auxes, data)
    kept = rows[rows[:, :, 0] >= 0]
    assert kept[:, 1].max() > 0.5, kept[:5]
    assert len(set(kept[:, 0])) > 1, kept[:5]
    save(folder, f"deploy_{name}", deployed, args, auxes)
    save(folder, name, training, args, auxes)
    (folder / f"{name}-0000.params").unlink()
    outputs = {"before:multibox_loc_pred": locations, "before:multibox_cls_pred": scores}
    outputs.update({"before:multibox_anchors": anchors, "rows": rows[:, :400]})
    answers(folder, name, data[:1], {key: some(key, value[:1]) for key, value in outputs.items()})


def some(key: str, value: Any) -> Any:
    """Of a head of thousands of numbers every seventh, to keep the fixtures small."""
    return value.reshape(-1)[::7] if key.startswith("before:") else value


def gluon(folder: Path, kind: str, width: float, side: int, seed: int) -> None:
    """Logits alone, as Gluon's networks give them."""
    net = networks.gluon_network(kind, width, 5)
    net.initialize(mx.init.Zero())
    net(mx.nd.zeros((2, 3, side, side)))
    symbol = net(mx.sym.var("data"))
    data = pictures(side, seed)
    args, auxes = drawn(symbol, {"data": data.shape}, seed)
    settle(symbol, args, auxes, data / 64)
    last = json.loads(symbol.tojson())["nodes"][-1]
    if last["op"] == "FullyConnected":
        centre(symbol, last["name"].removesuffix("_fwd"), args, auxes, data)
    (logits,) = run(symbol, args, auxes, data)
    while len(set(logits.argmax(axis=1))) < 2:  # without a last layer to set: another draw
        seed += 100
        args, auxes = drawn(symbol, {"data": data.shape}, seed)
        (logits,) = run(symbol, args, auxes, data)
    save(folder, kind, symbol, args, auxes)
    answers(folder, kind, data, {"last": logits})


def shapes_file(folder: Path, side: int) -> None:
    content = [{"shape": [32, 3, side, side], "name": "data"}]
    (folder / "model-shapes.json").write_text(json.dumps(content))


def params_versions(folder: Path) -> None:
    """A list as MXNet 1.9 writes it, and one with NumPy's shapes (V3)."""
    arrays = {"arg:a": mx.nd.array([[1, 2, 3]]), "b": mx.nd.array([4, 5], dtype="int64")}
    arrays["aux:c"] = mx.nd.array([0.5, -2], dtype="float16")
    mx.nd.save(str(folder / "v2.params"), arrays)
    mx.npx.set_np()
    mx.npx.save(str(folder / "v3.params"), {"scalar": mx.np.array(3.5), "row": mx.np.arange(3)})
    mx.npx.reset_np()


def small(folder: Path) -> None:
    for depth, width in ((18, 1 / 32), (50, 1 / 64)):
        place = folder / f"classification{depth}"
        place.mkdir(parents=True, exist_ok=True)
        shapes_file(place, 64)
        classification(
            place, "image-classification", networks.image_classification(depth, width, 5), 64, depth
        )
    detection(folder, "ssd_resnet50", networks.ssd_resnet(1 / 64, 3), 128, 3)
    detection(folder, "ssd_vgg16", networks.ssd_vgg(1 / 64, 3), 150, 4)
    for seed, (kind, width) in enumerate(
        [("squeezenet", 1 / 8), ("mobilenet", 1 / 16), ("resnetv1", 1 / 32)]
    ):
        gluon(folder, kind, width, 64, seed)
    params_versions(folder)
    np.savez_compressed(folder / "operators.npz", **operator_cases())


def full(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for depth in (18, 34, 50, 101, 152):
        place = folder / f"classification{depth}"
        place.mkdir(exist_ok=True)
        shapes_file(place, 224)
        classification(
            place, "image-classification", networks.image_classification(depth, 1, 257), 224, depth
        )
    detection(folder, "ssd_resnet50", networks.ssd_resnet(1, 20), 512, 3)
    detection(folder, "ssd_vgg16", networks.ssd_vgg(1, 20), 300, 4)
    for seed, kind in enumerate(("squeezenet", "mobilenet", "mobilenetv2", "resnetv1", "resnetv2")):
        gluon(folder, kind, 1, 224, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", type=Path)
    folder = parser.parse_args().full
    full(folder) if folder else small(FOLDER)


if __name__ == "__main__":
    main()
