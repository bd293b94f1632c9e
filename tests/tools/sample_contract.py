"""What every bundled sample promises of its files; each is called by a test of the sample."""

import subprocess
import sys
from pathlib import Path

import onnx
from edge_process import edge

from edge import project
from inference import metadata

MEGABYTE = 1_000_000
FILES = {"project.yaml", "model.onnx", "labels.txt", "clip.mp4", "clip.json", "card.md"}


def is_whole_and_small(name: str) -> None:
    sizes = {file.name: file.stat().st_size for file in project.find(name).iterdir()}
    assert set(sizes) == FILES
    assert max(sizes.values()) < MEGABYTE


def model_says_what_the_project_says(name: str, labels: tuple[str, ...], *keys: str) -> None:
    """keys: of the project's `input` that the model's metadata hold too."""
    manifest = project.load(project.find(name)).manifest
    properties = {prop.key: prop.value for prop in onnx.load(manifest.model).metadata_props}
    said = metadata.read(metadata.strip_prefixes(properties))
    assert said.labels == manifest.labels == labels
    for key in keys:
        assert getattr(said.input, key) == getattr(manifest.input, key), key


def card_is_honest(name: str) -> None:
    card = (project.find(name) / "card.md").read_text(encoding="utf-8")
    assert "Synthetic" in card
    assert f"make.py --sample {name}" in card


def needs_no_torch(folder: Path, *modules: str) -> None:
    """The maker's modules that draw pictures load neither PyTorch nor PyAV."""
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules or 'av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, check=False).returncode == 0


def runs_by_its_name(name: str, frames: int, folder: Path) -> None:
    done = edge("run", name, "--frames", str(frames), "--report", "report.json", folder=folder)
    assert done.code == 0, done.output
    assert done.report is not None
    assert done.report["frames"]["inferred"] == frames
