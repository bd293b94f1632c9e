"""Runs a recipe's steps as a nucleus does: artifacts in their place, variables filled in, a shell."""

import json
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TOOLS = ("sh", "dirname", "rm", "env")


class Deployed:
    """One component below a nucleus' root. unpacks: whether the nucleus unpacks archives (lite does not, locally)."""

    def __init__(self, root: Path, made: Path, name: str, *, unpacks: bool) -> None:
        found = next((made / "recipes").glob(f"{name}-*.json"))
        self.recipe: dict[str, Any] = json.loads(found.read_text())
        self.name, version = name, self.recipe["ComponentVersion"]
        self.work = root / "work" / name
        self.work.mkdir(parents=True, exist_ok=True)
        self.artifacts = root / "packages" / "artifacts" / name / version
        self.unpacked = root / "packages" / "artifacts-unarchived" / name / version
        shutil.copytree(made / "artifacts" / name / version, self.artifacts, dirs_exist_ok=True)
        if unpacks:
            for archive in self.artifacts.glob("*.zip"):
                zipfile.ZipFile(archive).extractall(self.unpacked / archive.stem)

    def command(self, step: str) -> list[str]:
        """The shell command of a step; of the first manifest, as on the machine it was made for."""
        given = self.recipe["Manifests"][0]["Lifecycle"][step]
        script = given["Script"] if isinstance(given, Mapping) else given
        for variable, value in {
            "artifacts:path": self.artifacts,
            "artifacts:decompressedPath": self.unpacked,
            "work:path": self.work,
        }.items():
            script = script.replace(f"{{{variable}}}", str(value))
        return ["/bin/sh", "-c", script]

    @property
    def configuration(self) -> dict[str, Any]:
        return dict(self.recipe["ComponentConfiguration"]["DefaultConfiguration"])


def bare_path(folder: Path) -> str:
    """A PATH on which there is the device's Python, a shell's few tools, and no compiler."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool, path="/usr/bin:/bin")
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    python = Path(sys._base_executable)  # type: ignore[attr-defined]  # the one that made the virtual environment
    for name in ("python3", f"python3.{sys.version_info.minor}"):
        (folder / name).symlink_to(python)
    return str(folder)
