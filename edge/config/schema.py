"""The JSON Schema of edge.yaml, for editors."""

from typing import Any

from edge.config.config import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SECRET = "Any text may be `secret:NAME`: the content of a file named NAME that only this user can read."


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the configuration file, with what is short for something longer."""
    found = Config.model_json_schema()
    properties = found["properties"]
    properties["source"] = {
        "anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/Source"}],
        "description": "The one source of frames; short for `sources: {main: ...}`.",
        "examples": ["camera:0", "clip.mp4"],
    }
    named = properties["sources"]["additionalProperties"]
    properties["sources"]["additionalProperties"] = {"anyOf": [{"type": "string", "minLength": 1}, named]}
    for part in (found, *found["$defs"].values()):
        may_be_empty(part, found["$defs"])
    return {
        "$schema": DIALECT,
        **found,
        "title": "lensracer edge.yaml",
        "description": f"{Config.__doc__} {SECRET}",
    }


def may_be_empty(part: dict[str, Any], sections: dict[str, Any]) -> None:
    """A section whose keys are all commented out is nothing, and no mistake."""
    for content in part.get("properties", {}).values():
        if "$ref" in content:
            reference = content.pop("$ref")
            content.setdefault("description", sections[reference.rpartition("/")[2]]["description"])
            content["anyOf"] = [{"$ref": reference}, {"type": "null"}]
