"""How much of a camera's JPEG a run decodes: what the model needs; for a hook, all of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from edge_process import edge
from pictures import folder as pictures_in

PROJECT = "name: small\ntask: detection\nmodel: fake:detection:3:64x48\npublish: {every: 1}\n"
HOOK = """
class Hook:
    def on_result(self, frame, result):
        return {"seen": list(frame.pixels.shape)}
"""


def said(folder: Path) -> list[dict[str, Any]]:
    done = edge(
        "run", folder / "small", "--source", pictures_in(folder / "pictures", 3), "--print", folder=folder
    )
    assert done.code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "project.yaml").write_text(PROJECT)
    return tmp_path


def test_messages_tell_the_size_of_the_picture_not_of_the_part_that_was_decoded(place: Path) -> None:
    messages = said(place)
    assert [(each["frame"]["width"], each["frame"]["height"]) for each in messages] == [(320, 240)] * 3


def test_a_hook_gets_every_pixel(place: Path) -> None:
    (place / "small" / "hook.py").write_text(HOOK)
    (place / "small" / "project.yaml").write_text(PROJECT + "hook: hook.py\n")
    assert [message["seen"] for message in said(place)] == [[240, 320, 3]] * 3
