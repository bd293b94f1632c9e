"""The recipes of the three components, in a form that the classic nucleus and the nucleus lite both take.

JSON, since lite makes a text of every value in a YAML recipe. Steps in lower case, `Uri`, `runtime: "*"` and written
out dependency types, since lite knows no other spelling. No configuration on the command line, since lite escapes it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edge.shipment.errors import ShipmentInvalid
from edge.shipment.target import Target

Recipe = dict[str, Any]
DEPENDENCIES, RUNTIME, PROJECTS = (
    "org.lensracer.dependencies",
    "org.lensracer.runtime",
    "org.lensracer.project",
)
PUBLISHER = "lensracer"
BUCKET = "s3://BUCKET_NAME/COMPONENT_NAME/COMPONENT_VERSION"  # what GDK and `--publish` fill in
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?", re.ASCII)
LONGEST_VERSION = 64
NUCLEUS = {"aws.greengrass.Nucleus": {"VersionRequirement": ">=2.6.0 <3.0.0", "DependencyType": "SOFT"}}
PREFIXES = ["dt/lensracer/*", "cmd/lensracer/*"]  # our own topics, and no more
INSTALL_S, SHORT_INSTALL_S, START_S = 1800, 300, 120


def dependencies(version: str, zips: Mapping[Target, str]) -> Recipe:
    """The environment: it is installed, and runs nothing."""
    manifests = [
        manifest(target, name, installing("dependencies", target, name, INSTALL_S))
        for target, name in zips.items()
    ]
    about = "Python packages that the lensracer runtime needs, as one virtual environment."
    return recipe(DEPENDENCIES, version, about, manifests, NUCLEUS)


def runtime(version: str, needs: str, zips: Mapping[Target, str]) -> Recipe:
    """The runtime: likewise. needs: the version of the dependencies."""
    manifests = [
        manifest(target, name, installing("runtime", target, name, SHORT_INSTALL_S))
        for target, name in zips.items()
    ]
    about = "The lensracer runtime: frames in, two streams out."
    return recipe(RUNTIME, version, about, manifests, NUCLEUS | hard(DEPENDENCIES, needs))


def project(
    name: str, version: str, needs: Mapping[str, str], targets: Sequence[Target], zip_name: str,
    configuration: Mapping[str, Any], topics: Sequence[str] = (),
) -> Recipe:  # fmt: skip
    """What runs: a project on the runtime. needs: versions of dependencies and runtime. topics: further ones that it
    may publish to, for dialects."""
    component = component_of(name)
    run = f'exec "{{work:path}}/../{RUNTIME}/current/run" component {unpacked(zip_name, "project")}'
    # `startup`, not `run`: it has started when it says RUNNING, so that a broken version fails its deployment.
    lifecycle = {"startup": {"Script": with_unpacked(zip_name, run), "Timeout": START_S}}
    manifests = [manifest(target, zip_name, lifecycle) for target in targets]
    made = recipe(component, version, f"The lensracer project {name}.", manifests,
                  NUCLEUS | hard(DEPENDENCIES, needs[DEPENDENCIES]) | hard(RUNTIME, needs[RUNTIME]))  # fmt: skip
    made["ComponentConfiguration"] = {
        "DefaultConfiguration": {"accessControl": access(component, topics), "lensracer": dict(configuration)}
    }
    return made


def component_of(project_name: str) -> str:
    return f"{PROJECTS}.{project_name}"


def access(component: str, topics: Sequence[str]) -> dict[str, Any]:
    """Leave to publish and hear our topics."""
    policy = {
        "policyDescription": "Results, frames and health to AWS IoT Core; commands from it.",
        "operations": ["aws.greengrass#PublishToIoTCore", "aws.greengrass#SubscribeToIoTCore"],
        "resources": [*PREFIXES, *topics],
    }
    return {"aws.greengrass.ipc.mqttproxy": {f"{component}:mqttproxy:1": policy}}


def recipe(name: str, version: str, about: str, manifests: Sequence[Any], needs: Mapping[str, Any]) -> Recipe:
    if not VERSION.fullmatch(version) or len(version) > LONGEST_VERSION:
        raise ShipmentInvalid(f"a component's version must be like 1.4.2, not {version!r}")
    return {
        "RecipeFormatVersion": "2020-01-25",
        "ComponentName": name,
        "ComponentVersion": version,
        "ComponentDescription": about,
        "ComponentPublisher": PUBLISHER,
        "ComponentDependencies": dict(needs),
        "Manifests": list(manifests),
    }


def hard(name: str, version: str) -> dict[str, Any]:
    """A dependency on this version or a later one of the same series."""
    series = int(version.split(".")[0])
    return {name: {"VersionRequirement": f">={version} <{series + 1}.0.0", "DependencyType": "HARD"}}


def manifest(target: Target, zip_name: str, lifecycle: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": str(target),
        "Platform": {"os": "linux", "architecture": target.architecture, "runtime": "*"},
        "Lifecycle": dict(lifecycle),
        "Artifacts": [
            {
                "Uri": f"{BUCKET}/{zip_name}",
                "Unarchive": "ZIP",
                "Permission": {"Read": "ALL", "Execute": "NONE"},
            }
        ],
    }


def installing(part: str, target: Target, zip_name: str, seconds: int) -> dict[str, Any]:
    python = f"python3.{target.python}"
    call = f'exec {python} {unpacked(zip_name, "install.py")} {part} {unpacked(zip_name)} "{{work:path}}"'
    missing = f'command -v {python} >/dev/null || {{ echo "{python} is not installed on this device" >&2; exit 1; }}'
    return {"install": {"Script": f"{missing}\n{with_unpacked(zip_name, call, python)}", "Timeout": seconds}}


def unpacked(zip_name: str, inside: str = "") -> str:
    """A path inside the unpacked artifact, as the shell reads it."""
    return f'"$unpacked/{inside}"' if inside else '"$unpacked"'


def with_unpacked(zip_name: str, call: str, python: str = "python3") -> str:
    """A script that finds the unpacked artifact; the nucleus lite does not unpack what is deployed without a cloud."""
    folder = zip_name.removesuffix(".zip")
    return (
        f'unpacked="{{artifacts:decompressedPath}}/{folder}"\n'
        f'[ -e "$unpacked" ] || {{ unpacked="{{work:path}}/unpacked-{folder}"\n'
        f'  rm -rf "$unpacked"; {python} -m zipfile -e "{{artifacts:path}}/{zip_name}" "$unpacked" || exit 1; }}\n'
        f"{call}"
    )
