"""From a taught network to model.onnx with its metadata (PyTorch and onnx, on the maker's machine only)."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

OPSET = 17


def exported(
    network: nn.Module, size: tuple[int, int], output: str, metadata: Mapping[str, str], file: Path
) -> None:
    """Write `network`, which takes (1, 3, height, width) float32, as ONNX with `metadata` as OpenVINO's model_info."""
    written(network, torch.zeros(1, 3, size[1], size[0]), ("image", output), metadata, file)


def written(
    network: nn.Module, example: torch.Tensor, names: tuple[str, str], metadata: Mapping[str, str], file: Path
) -> None:
    """Write `network`, which takes what has the shape of `example`; `names` are those of its input and its output."""
    fused(network.eval())
    held = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its own successor
        torch.onnx.export(
            network,
            (example,),
            held,
            opset_version=OPSET,
            input_names=[names[0]],
            output_names=[names[1]],
            dynamo=False,
        )
    model = onnx.load_from_string(held.getvalue())
    _strip(model)
    for key, value in metadata.items():
        model.metadata_props.add(key=f"model_info {key}", value=value)
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString(deterministic=True))


def fused(module: nn.Module) -> None:
    """Fold each normalisation into the convolution before it, in place."""
    for child in module.children():
        fused(child)
        if isinstance(child, nn.Sequential) and len(child) > 1 and isinstance(child[1], nn.BatchNorm2d):
            child[0] = fuse_conv_bn_eval(child[0], child[1])
            child[1] = nn.Identity()


def _strip(model: onnx.ModelProto) -> None:
    """Take out what tells of the maker's machine and not of the model."""
    model.producer_name, model.producer_version, model.doc_string = "lensracer edge/samples/maker", "", ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
