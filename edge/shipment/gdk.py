"""What AWS's Greengrass Development Kit (`gdk component build`, `publish`) needs to publish a made component."""

import json
from pathlib import Path
from typing import Any

GDK = "1.6.2"
AUTHOR = "lensracer"
SCRIPT = "build.sh"
_BUILD = """#!/bin/sh
# `gdk component build` calls this: what is published was made by `edge package`, and is only laid where GDK looks.
set -e
mkdir -p greengrass-build/recipes greengrass-build/artifacts/{name}
cp recipe.json greengrass-build/recipes/recipe.json
cp -R ../../artifacts/{name}/{version} greengrass-build/artifacts/{name}/
"""


def write(folder: Path, name: str, version: str, recipe: str) -> None:
    """A folder in which `gdk component build` and `gdk component publish` work."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.json").write_text(recipe, encoding="utf-8")
    (folder / "gdk-config.json").write_text(
        json.dumps(config(name, version), indent=2) + "\n", encoding="utf-8"
    )
    script = folder / SCRIPT
    script.write_text(_BUILD.format(name=name, version=version), encoding="utf-8")
    script.chmod(0o755)


def config(name: str, version: str, bucket: str = "BUCKET", region: str = "REGION") -> dict[str, Any]:
    """The content of gdk-config.json. bucket, region: the owner's own; the placeholders must be replaced."""
    return {
        "component": {
            name: {
                "author": AUTHOR,
                "version": version,
                "build": {"build_system": "custom", "custom_build_command": ["sh", SCRIPT]},
                "publish": {"bucket": bucket, "region": region},
            }
        },
        "gdk_version": GDK,
    }
