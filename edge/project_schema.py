"""The JSON Schema of project.yaml, for editors: words of ours, keys and choices of the manifest."""

from typing import Any

from edge.config.values import DURATION_SCHEMA
from edge.project import HOOK_BUDGET, Publish
from inference import manifest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def schema() -> Schema:
    """JSON Schema (draft 2020-12) of a project's file."""
    return {
        "$schema": DIALECT,
        "title": "lensracer project.yaml",
        "description": "What is looked for, with which model, and what is told of it.",
        **section("The whole file.", keys(), required=["name", "task", "model"]),
    }


def section(description: str, properties: Schema, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required or [],
        "additionalProperties": False,
    }


def keys() -> Schema:
    return {
        "name": text(
            "Name of the project, of a-z, digits and hyphens.",
            pattern="^[a-z0-9-]+$",
            examples=["my-project"],
        ),
        "task": choice("What the model does.", manifest.TASKS),
        "model": text(
            "The model's file (for OpenVINO IR the .xml), relative to this file.", examples=["model.onnx"]
        ),
        "labels": labels(),
        "input": or_nothing(section("How a picture is put into the model.", of_input())),
        "output": or_nothing(section("How the model's answer is read.", of_output())),
        "publish": or_nothing(section("Which results become messages.", of_publish())),
        "hook": hook(),
        "clip": text("A video or a picture that is played where no source is named.", examples=["clip.mp4"]),
    }


def of_input() -> Schema:
    """What is absent is taken from the model's own metadata, else from the defaults."""
    channels = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "maxItems": 3}]}
    side = {"type": "integer", "minimum": 1, "maximum": manifest.LARGEST_SIDE}
    return {
        "size": {
            "type": "array",
            "items": side,
            "minItems": 2,
            "maxItems": 2,
            "description": "[width, height] in pixels.",
            "examples": [[224, 224]],
        },
        "color": choice("Order of the channels the model wants.", manifest.COLORS),
        "resize": choice("How a picture of another shape is fitted.", manifest.RESIZES),
        "anchor": choice("Where a letterboxed picture lies.", manifest.ANCHORS),
        "pad": whole("Grey level of what a letterbox leaves free.", 0, 255),
        "mean": {**channels, "description": "Subtracted, in grey levels; one number, or one a channel."},
        "scale": {**channels, "description": "Divided by, in grey levels; one number, or one a channel."},
        "layout": choice("Order of the model's axes; with T for a model that takes clips.", manifest.LAYOUTS),
    }


def of_output() -> Schema:
    return {
        "threshold": fraction("Scores below it are left out."),
        "top_k": whole("At most so many results.", 1, manifest.MOST_RESULTS),
        "iou": fraction("Boxes of one class that overlap more than this are one thing."),
        "decoder": choice("Which layout of outputs a detector has.", manifest.DECODERS),
        "softmax": truth("Whether a classifier's raw scores still need it."),
        "track": truth("Whether a detector's things are followed from picture to picture."),
        "mask": truth("Whether messages of a segmentation carry the mask."),
        **of_activity(),
    }


def of_activity() -> Schema:
    most = manifest.MOST_PICTURES
    return {
        "window": whole("Pictures that a model of clips looks at together.", 1, most),
        "step": whole("Each so-manieth picture is one of the window's.", 1, most),
        "stride": whole("The model is asked after so many new pictures of the window.", 1, most),
        "average": whole("So many answers are averaged.", 1, most),
        "hold": whole("A class is told once it has led for so many results.", 1, most),
    }


def of_publish() -> Schema:
    default = Publish()
    return {
        "every": {"type": ["integer", "null"], "minimum": 1, "description": "A message of each n-th result."},
        "on_change": {
            "type": "boolean",
            "default": default.on_change,
            "description": "A message of each result that differs from the last one.",
        },
        "min_interval": duration("With on_change: messages are at least so far apart.", default.min_interval),
        "heartbeat": duration("With on_change: a message after so long without a change.", default.heartbeat),
        "hold": {
            "type": "integer",
            "minimum": 1,
            "default": default.hold,
            "description": "With on_change: a change counts once so many results running have shown it.",
        },
    }


def hook() -> Schema:
    file = text("A Python file with a class that has on_result(frame, result).", examples=["hook.py"])
    budget = duration("A result that takes the hook longer is counted as slow.", HOOK_BUDGET)
    both = section("The file, and what it may take.", {"file": file, "budget": budget}, required=["file"])
    return {"anyOf": [file, both, {"type": "null"}], "description": file["description"]}


def labels() -> Schema:
    return {
        "anyOf": [
            {"type": "array", "items": {"type": "string", "minLength": 1}},
            {"type": "string", "minLength": 1},
            {"type": "null"},
        ],
        "description": "Names of the classes, in the model's order; or a file with one a line.",
        "examples": [["compost", "landfill", "recycling"], "labels.txt"],
    }


def text(description: str, **more: Any) -> Schema:
    return {"type": "string", "minLength": 1, "description": description, **more}


def truth(description: str) -> Schema:
    return {"type": ["boolean", "null"], "description": description}


def choice(description: str, choices: tuple[str, ...]) -> Schema:
    return {"enum": [*choices], "description": description}


def whole(description: str, lowest: int, highest: int) -> Schema:
    return {"type": "integer", "minimum": lowest, "maximum": highest, "description": description}


def fraction(description: str) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def duration(description: str, default: float) -> Schema:
    return {
        **DURATION_SCHEMA,
        "default": default,
        "description": description,
        "examples": ["500ms", "1s", "2m"],
    }


def or_nothing(part: Schema) -> Schema:
    return {"anyOf": [part, {"type": "null"}], "description": part["description"]}
