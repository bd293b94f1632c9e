"""The smallest models of TensorFlow and PaddlePaddle, byte by byte: y = relu(x), of shape (1, 3)."""

import struct
from pathlib import Path

from caffe_writer import field, varint

SHAPE = (1, 3)


def number(index: int, value: int) -> bytes:
    return varint(index << 3) + varint(value)


def graph_def() -> bytes:
    """A TensorFlow GraphDef."""
    kind = field(5, field(1, b"T") + field(2, number(6, 1)))  # attr T = DT_FLOAT
    dtype = field(5, field(1, b"dtype") + field(2, number(6, 1)))
    sizes = b"".join(field(2, number(1, size)) for size in SHAPE)
    shape = field(5, field(1, b"shape") + field(2, field(7, sizes)))
    place = field(1, b"x") + field(2, b"Placeholder") + dtype + shape
    relu = field(1, b"y") + field(2, b"Relu") + field(3, b"x") + kind
    return field(1, place) + field(1, relu)


def frozen(path: Path) -> Path:
    path.write_bytes(graph_def())
    return path


def saved_model(folder: Path) -> Path:
    """A folder with saved_model.pb and no variables."""
    sizes = b"".join(field(2, number(1, size)) for size in SHAPE)

    def end(name: bytes) -> bytes:
        return field(1, name + b":0") + number(2, 1) + field(3, sizes)

    signature = field(1, field(1, b"x") + field(2, end(b"x"))) + field(
        2, field(1, b"y") + field(2, end(b"y"))
    )
    signature += field(3, b"tensorflow/serving/predict")
    signatures = field(5, field(1, b"serving_default") + field(2, signature))
    meta = field(1, field(4, b"serve")) + field(2, graph_def()) + signatures
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(number(1, 1) + field(2, meta))
    return folder


def paddle(path: Path) -> Path:
    """A program of three operators, and no parameters."""
    dims = b"".join(number(2, size) for size in SHAPE)
    dense = number(1, 7) + field(3, field(1, number(1, 5) + dims))  # LOD_TENSOR of FP32

    def variable(name: bytes, kind: bytes, kept: bool = False) -> bytes:
        return field(3, field(1, name) + field(2, kind) + number(3, int(kept)))

    def operator(kind: bytes, into: tuple[bytes, bytes], out: tuple[bytes, bytes], column: bool) -> bytes:
        ends = field(1, field(1, into[0]) + field(2, into[1])) + field(2, field(1, out[0]) + field(2, out[1]))
        attribute = field(4, field(1, b"col") + number(2, 0) + number(3, 0)) if column else b""
        return field(4, ends + field(3, kind) + attribute)

    block = number(1, 0) + number(2, 2**32 - 1)
    block += variable(b"feed", number(1, 9), kept=True) + variable(b"fetch", number(1, 10), kept=True)
    block += variable(b"x", dense) + variable(b"y", dense)
    block += operator(b"feed", (b"X", b"feed"), (b"Out", b"x"), column=True)
    block += operator(b"relu", (b"X", b"x"), (b"Out", b"y"), column=False)
    block += operator(b"fetch", (b"X", b"y"), (b"Out", b"fetch"), column=True)
    path.write_bytes(field(1, block) + field(4, number(1, 0)))
    path.with_suffix(".pdiparams").write_bytes(b"")
    return path


def tflite(path: Path) -> Path:
    """A model of one subgraph with one RELU."""
    import flatbuffers

    made = flatbuffers.Builder(1024)

    def whole(values: tuple[int, ...]) -> int:
        made.StartVector(4, len(values), 4)
        for value in reversed(values):
            made.PrependInt32(value)
        return int(made.EndVector())

    def offsets(values: list[int]) -> int:
        made.StartVector(4, len(values), 4)
        for value in reversed(values):
            made.PrependUOffsetTRelative(value)
        return int(made.EndVector())

    tensors = []
    for name in ("x", "y"):
        label, sizes = made.CreateString(name), whole(SHAPE)
        made.StartObject(10)
        made.PrependUOffsetTRelativeSlot(0, sizes, 0)
        made.PrependUint32Slot(2, 0, 0)
        made.PrependUOffsetTRelativeSlot(3, label, 0)
        tensors.append(made.EndObject())
    first, second = whole((0,)), whole((1,))
    made.StartObject(9)
    made.PrependUOffsetTRelativeSlot(1, first, 0)
    made.PrependUOffsetTRelativeSlot(2, second, 0)
    operators = offsets([made.EndObject()])
    first, second, all_tensors = whole((0,)), whole((1,)), offsets(tensors)
    made.StartObject(5)
    for slot, value in enumerate((all_tensors, first, second, operators)):
        made.PrependUOffsetTRelativeSlot(slot, value, 0)
    subgraphs = offsets([made.EndObject()])
    made.StartObject(4)
    made.PrependInt8Slot(0, 19, 0)  # RELU
    made.PrependInt32Slot(2, 1, 1)
    made.PrependInt32Slot(3, 19, 0)
    codes = offsets([made.EndObject()])
    made.StartObject(3)
    buffers = offsets([made.EndObject()])
    made.StartObject(8)
    made.PrependUint32Slot(0, 3, 0)
    for slot, value in ((1, codes), (2, subgraphs), (4, buffers)):
        made.PrependUOffsetTRelativeSlot(slot, value, 0)
    made.Finish(made.EndObject(), file_identifier=b"TFL3")
    path.write_bytes(bytes(made.Output()))
    return path


def ir(path: Path) -> Path:
    """An OpenVINO IR of version 11 with the same operator."""
    port = "".join(f"<dim>{size}</dim>" for size in SHAPE)
    layers = (
        f'<layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,3" element_type="f32"/>'
        f'<output><port id="0" precision="FP32" names="x">{port}</port></output></layer>'
        f'<layer id="1" name="y" type="ReLU" version="opset1"><input><port id="0">{port}</port></input>'
        f'<output><port id="1" precision="FP32" names="y">{port}</port></output></layer>'
        f'<layer id="2" name="r" type="Result" version="opset1"><input><port id="0">{port}</port></input></layer>'
    )
    edges = '<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>'
    edges += '<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>'
    path.write_text(
        f'<?xml version="1.0"?><net name="m" version="11"><layers>{layers}</layers><edges>{edges}</edges></net>'
    )
    path.with_suffix(".bin").write_bytes(struct.pack("<f", 0))
    return path
