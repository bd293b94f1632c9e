import dataclasses
import logging

import pytest

from inference import metadata
from inference.manifest import InputSpec, OutputSpec


def test_openvino_s_keys_become_specifications() -> None:
    said = metadata.read(
        {
            "labels": "cat traffic_light dog",
            "confidence_threshold": "0.4",
            "iou_threshold": "0.6",
            "topk": "7",
            "resize_type": "fit_to_window_letterbox",
            "pad_value": "114",
            "mean_values": "123.675 116.28 103.53",
            "scale_values": "[58.395, 57.12, 57.375]",
            "reverse_input_channels": "YES",
            "layout": "data:NHWC",
            "orig_width": "320",
            "orig_height": "240",
        }
    )
    mean, scale = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    assert said.input == InputSpec((320, 240), "rgb", "letterbox", "centre", 114, mean, scale, "NHWC")
    assert said.output == OutputSpec(threshold=0.4, top_k=7, iou=0.6)
    assert said.labels == ("cat", "traffic_light", "dog")
    assert not said.multilabel


@pytest.mark.parametrize(
    ("name", "resize", "anchor"),
    [
        ("standard", "stretch", None),
        ("crop", "crop", None),
        ("fit_to_window", "letterbox", "top-left"),
        ("fit_to_window_letterbox", "letterbox", "centre"),
        ("unheard of", None, None),
    ],
)
def test_resize_types_have_our_names(name: str, resize: str | None, anchor: str | None) -> None:
    said = metadata.read({"resize_type": name}).input
    assert (said.resize, said.anchor) == (resize, anchor)


def test_a_model_that_says_nothing_says_none() -> None:
    assert metadata.read({}) == metadata.Metadata(InputSpec(), OutputSpec(), (), multilabel=False)


def test_bgr_is_what_needs_no_reversal() -> None:
    assert metadata.read({"reverse_input_channels": "False"}).input.color == "bgr"


def test_a_model_with_its_preparation_built_in_takes_bgr_as_it_is() -> None:
    said = metadata.read(
        {
            "embedded_processing": "True",
            "mean_values": "1 2 3",
            "reverse_input_channels": "YES",
            "orig_width": "224",
            "orig_height": "192",
        }
    )
    assert said.input == InputSpec(size=(224, 192), color="bgr")


def test_names_of_yolo_exports_are_labels() -> None:
    assert metadata.read({"names": "{1: 'car', 0: 'person'}"}).labels == ("person", "car")
    assert metadata.read({"names": "['person', 'car']"}).labels == ("person", "car")
    assert metadata.read({"names": "{0: 'person'}", "labels": "a b"}).labels == ("a", "b")


@pytest.mark.parametrize(
    "broken",
    [
        {"mean_values": "one two"},
        {"mean_values": "1 2"},
        {"scale_values": "0 0 0"},
        {"confidence_threshold": "150"},
        {"pad_value": "-5"},
        {"names": "__import__('os')"},
        {"orig_width": "99999", "orig_height": "2"},
    ],
)
def test_a_value_that_makes_no_sense_is_left_out_and_logged(
    broken: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        said = metadata.read({**broken, "iou_threshold": "0.5"})
    assert said.input == InputSpec()
    assert said.output == OutputSpec(iou=0.5)
    assert "left out" in caplog.text


def test_prefixes_of_other_writers_are_taken_off() -> None:
    properties = {"model_info labels": "a", "model_info/iou_threshold": "1", "author": "me"}
    assert metadata.strip_prefixes(properties) == {"labels": "a", "iou_threshold": "1", "author": "me"}


@pytest.mark.parametrize(
    ("spec", "output", "labels"),
    [
        (InputSpec(), OutputSpec(), ()),
        (
            InputSpec((320, 240), "bgr", "letterbox", "top-left", 7, (1.5, 2, 3), (4, 5, 6), "NHWC"),
            OutputSpec(threshold=0.25, top_k=3, iou=0.75),
            ("cat", "dog"),
        ),
        (
            InputSpec(color="rgb", resize="letterbox", anchor="centre", mean=(123.675,)),
            OutputSpec(),
            ("a b", "c"),
        ),
        (InputSpec(resize="crop"), OutputSpec(top_k=1), ("it's", '"quoted"', "größe x")),
        (InputSpec(resize="stretch", scale=(0.017124753831663668,)), OutputSpec(), ()),
    ],
)
def test_what_is_written_is_read_again(spec: InputSpec, output: OutputSpec, labels: tuple[str, ...]) -> None:
    said = metadata.read(metadata.write(spec, output, labels))
    assert said.labels == labels
    assert said.output == output
    assert said.input.scale == (None if spec.scale is None else pytest.approx(spec.scale, rel=1e-8))
    assert dataclasses.replace(said.input, scale=spec.scale) == spec


def test_a_letterbox_without_an_anchor_is_one_round_the_centre() -> None:
    assert metadata.write(InputSpec(resize="letterbox"), OutputSpec()) == {
        "resize_type": "fit_to_window_letterbox"
    }


def test_what_has_no_key_is_not_written() -> None:
    assert metadata.write(InputSpec(color="gray"), OutputSpec(decoder="ssd", softmax=True)) == {}
