"""Networks in the forms in which SageMaker and Gluon write theirs; `width` shrinks them. Needs MXNet 1.9.1."""

from typing import Any

import mxnet as mx

BN = {"fix_gamma": False, "eps": 2e-5, "momentum": 0.9}
UNITS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def conv(x: Any, name: str, filters: int, kernel: int = 3, stride: int = 1, **more: Any) -> Any:
    pad = more.pop("pad", (kernel // 2, kernel // 2))
    settings = {"num_filter": filters, "kernel": (kernel, kernel), "stride": (stride, stride), "pad": pad}
    return mx.sym.Convolution(data=x, name=name, **settings, **more)


def relu(x: Any, name: str) -> Any:
    return mx.sym.Activation(data=x, act_type="relu", name=name)


def unit(x: Any, filters: int, stride: int, same: bool, name: str, bottleneck: bool) -> Any:
    """A pre-activation residual unit, named as the built-in image classification names it."""
    act = x
    plan = [(filters // 4, 1, 1), (filters // 4, 3, stride), (filters, 1, 1)]
    if not bottleneck:
        plan = [(filters, 3, stride), (filters, 3, 1)]
    first = None
    for index, (count, kernel, step) in enumerate(plan, 1):
        act = mx.sym.BatchNorm(data=act, name=f"{name}_bn{index}", **BN)
        act = relu(act, f"{name}_relu{index}")
        first = act if first is None else first
        act = conv(act, f"{name}_conv{index}", count, kernel, step, no_bias=True)
    shortcut = x if same else conv(first, f"{name}_sc", filters, 1, stride, no_bias=True)
    return act + shortcut


def resnet_body(depth: int, width: float) -> Any:
    """From `data` to the last relu, as in SageMaker's image classification."""
    bottleneck = depth >= 50
    filters = [max(4, int(count * width) // 4 * 4) for count in (64, 256, 512, 1024, 2048)]
    if not bottleneck:
        filters = [max(4, int(count * width) // 4 * 4) for count in (64, 64, 128, 256, 512)]
    x = mx.sym.identity(data=mx.sym.Variable("data"), name="id")
    x = mx.sym.BatchNorm(data=x, name="bn_data", **{**BN, "fix_gamma": True})
    x = conv(x, "conv0", filters[0], 7, 2, no_bias=True)
    x = relu(mx.sym.BatchNorm(data=x, name="bn0", **BN), "relu0")
    x = mx.sym.Pooling(data=x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="max", name="pooling0")
    for stage, units in enumerate(UNITS[depth]):
        for index in range(units):
            stride = 2 if stage and not index else 1
            name = f"stage{stage + 1}_unit{index + 1}"
            x = unit(x, filters[stage + 1], stride, bool(index), name, bottleneck)
    return relu(mx.sym.BatchNorm(data=x, name="bn1", **BN), "relu1")


def image_classification(depth: int, width: float, classes: int) -> Any:
    x = resnet_body(depth, width)
    x = mx.sym.Pooling(data=x, global_pool=True, kernel=(7, 7), pool_type="avg", name="pool1")
    x = mx.sym.FullyConnected(data=mx.sym.Flatten(data=x), num_hidden=classes, name="fc1")
    return mx.sym.SoftmaxOutput(data=x, name="softmax")


def vgg_taps(width: float) -> list[Any]:
    """relu4_3, scaled to one length a channel, and relu7 of the dilated VGG-16."""
    x, taps = mx.sym.Variable("data"), []
    for stage, (count, layers) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
        for index in range(1, layers + 1):
            x = conv(x, f"conv{stage}_{index}", max(4, int(count * width)))
            x = relu(x, f"relu{stage}_{index}")
        if stage == 4:
            taps.append(x)
        form = {"kernel": (2, 2), "stride": (2, 2)}
        if stage == 3:
            form["pooling_convention"] = "full"
        if stage == 5:
            form = {"kernel": (3, 3), "stride": (1, 1), "pad": (1, 1)}
        x = mx.sym.Pooling(data=x, pool_type="max", name=f"pool{stage}", **form)
    wide = max(4, int(1024 * width))
    x = relu(conv(x, "fc6", wide, 3, pad=(6, 6), dilate=(6, 6)), "relu6")
    taps.append(relu(conv(x, "fc7", wide, 1, pad=(0, 0)), "relu7"))
    scale = mx.sym.Variable("relu4_3_scale", shape=(1, max(4, int(512 * width)), 1, 1))
    length = mx.sym.L2Normalization(data=taps[0], mode="channel", name="relu4_3_norm")
    return [mx.sym.broadcast_mul(lhs=scale, rhs=length, name="relu4_3_scaled"), taps[1]]


def resnet_taps(width: float) -> list[Any]:
    with mx.name.NameManager():  # counts its _plus from 0
        inner = resnet_body(50, width).get_internals()
    return [inner["_plus12_output"], inner["_plus15_output"]]


def extra(taps: list[Any], width: float, filters: list[int]) -> list[Any]:
    """Further, ever smaller maps: 1x1 relu, 3x3 of stride 2 relu, with bias."""
    for index, count in enumerate(filters):
        x = relu(
            conv(taps[-1], f"multi_feat_{index}_conv_1x1", max(4, int(count * width / 2)), 1), f"mr{index}a"
        )
        x = relu(conv(x, f"multi_feat_{index}_conv_3x3", max(4, int(count * width)), 3, 2), f"mr{index}b")
        taps = [*taps, x]
    return taps


SIZES = [(0.1, 0.141), (0.2, 0.272), (0.37, 0.447), (0.54, 0.619), (0.71, 0.79), (0.88, 0.961)]
RATIOS = [(1, 2, 0.5), *[(1, 2, 0.5, 3, 1.0 / 3)] * 3, (1, 2, 0.5), (1, 2, 0.5)]


def heads(taps: list[Any], classes: int, steps: list[float]) -> tuple[Any, Any, Any]:
    locations, scores, anchors = [], [], []
    for index, (tap, sizes, ratios) in enumerate(zip(taps, SIZES, RATIOS, strict=False)):
        boxes = len(sizes) + len(ratios) - 1
        step = {"steps": (steps[index], steps[index])} if steps else {}
        name = f"tap{index}"
        for parts, kind, count in ((locations, "loc", 4), (scores, "cls", classes + 1)):
            x = conv(tap, f"{name}_{kind}_pred_conv", boxes * count)
            parts.append(mx.sym.Flatten(data=mx.sym.transpose(x, axes=(0, 2, 3, 1))))
        prior = mx.sym.contrib.MultiBoxPrior(
            tap, sizes=sizes, ratios=ratios, clip=False, name=f"{name}_anchors", **step
        )
        anchors.append(mx.sym.Flatten(data=prior))
    location = mx.sym.Concat(*locations, dim=1, name="multibox_loc_pred")
    score = mx.sym.Reshape(data=mx.sym.Concat(*scores, dim=1), shape=(0, -1, classes + 1))
    score = mx.sym.transpose(score, axes=(0, 2, 1), name="multibox_cls_pred")
    anchor = mx.sym.Reshape(data=mx.sym.Concat(*anchors, dim=1), shape=(0, -1, 4), name="multibox_anchors")
    return location, score, anchor


def ssd(taps: list[Any], classes: int, steps: list[float]) -> tuple[Any, Any]:
    """The network as it is deployed, and as it is trained."""
    location, score, anchor = heads(taps, classes, steps)
    settings = {
        "nms_threshold": 0.45,
        "force_suppress": False,
        "variances": (0.1, 0.1, 0.2, 0.2),
        "nms_topk": 400,
    }
    probability = mx.sym.SoftmaxActivation(data=score, mode="channel", name="cls_prob")
    deployed = mx.sym.contrib.MultiBoxDetection(probability, location, anchor, name="detection", **settings)
    label = mx.sym.Variable("label")
    target = mx.sym.contrib.MultiBoxTarget(
        anchor, label, score, overlap_threshold=0.5, name="multibox_target"
    )
    training = mx.sym.SoftmaxOutput(
        data=score, label=target[2], ignore_label=-1, use_ignore=True, multi_output=True, name="cls_prob"
    )
    loss = mx.sym.smooth_l1(data=target[1] * (location - target[0]), scalar=1.0, name="loc_loss_")
    found = mx.sym.contrib.MultiBoxDetection(training, location, anchor, name="detection", **settings)
    outputs = [
        mx.sym.MakeLoss(loss, name="loc_loss"),
        mx.sym.MakeLoss(target[2], grad_scale=0, name="cls_label"),
    ]
    outputs.append(mx.sym.MakeLoss(found, grad_scale=0, name="det_out"))
    return deployed, mx.sym.Group([training, *outputs])


def ssd_resnet(width: float, classes: int) -> tuple[Any, Any]:
    return ssd(extra(resnet_taps(width), width, [512, 256, 256, 128]), classes, [])


def ssd_vgg(width: float, classes: int) -> tuple[Any, Any]:
    taps = extra(vgg_taps(width), width, [512, 256, 256, 256])
    return ssd(taps, classes, [step / 300 for step in (8, 16, 32, 64, 100, 300)])


def gluon_squeezenet(width: float, classes: int) -> Any:
    """SqueezeNet 1.1 by Gluon's own blocks."""
    from mxnet.gluon import nn
    from mxnet.gluon.model_zoo.vision.squeezenet import _make_fire

    def wide(count: int) -> int:
        return max(2, int(count * width))

    net = nn.HybridSequential(prefix="squeezenet0_")
    with net.name_scope():
        net.add(nn.Conv2D(wide(64), kernel_size=3, strides=2), nn.Activation("relu"))
        for squeeze, times in ((16, 2), (32, 2), (48, 4)):
            net.add(nn.MaxPool2D(pool_size=3, strides=2, ceil_mode=True))
            for index in range(times):
                count = squeeze if squeeze < 48 or index < 2 else 64
                net.add(_make_fire(wide(count), wide(4 * count), wide(4 * count)))
        net.add(nn.Dropout(0.5), nn.Conv2D(classes, kernel_size=1), nn.Activation("relu"))
        net.add(nn.GlobalAvgPool2D(), nn.Flatten())
    return net


def gluon_network(kind: str, width: float, classes: int) -> Any:
    from mxnet.gluon.model_zoo.vision import mobilenet, resnet

    if kind == "squeezenet":
        return gluon_squeezenet(width, classes)
    if kind == "mobilenet":
        return mobilenet.MobileNet(width, classes=classes, prefix="mobilenet0_")
    if kind == "mobilenetv2":
        return mobilenet.MobileNetV2(width, classes=classes, prefix="mobilenetv20_")
    channels = [
        max(least, int(count * width))
        for least, count in zip((4, 4, 6, 8, 12), (64, 64, 128, 256, 512), strict=True)
    ]
    form, block = (resnet.ResNetV1, resnet.BasicBlockV1)
    if kind == "resnetv2":
        form, block = (resnet.ResNetV2, resnet.BasicBlockV2)
    return form(block, [2, 2, 2, 2], channels, classes=classes, prefix=f"{kind}0_")
