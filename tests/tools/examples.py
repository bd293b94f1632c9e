"""The project files that docs/models.md shows, so that the page is tested for what it promises."""

import re
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"


def project_examples() -> list[dict[str, Any]]:
    """Every YAML block of the page, in its order."""
    return [
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    ]
