"""What a Greengrass recipe must be for both nuclei to take it: every fault with the sentence that mends it.

Where a nucleus differs, it is named; "lite" is the nucleus lite 2.6, "classic" the one in Java.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge import yamlfile
from edge.errors import ConfigInvalid, Fault
from edge.shipment.recipes import LONGEST_VERSION, VERSION

LARGEST = 16_000  # bytes
NAME = re.compile(r"[a-zA-Z0-9._-]{1,128}", re.ASCII)
TOP = {
    "RecipeFormatVersion", "ComponentName", "ComponentVersion", "ComponentDescription", "ComponentPublisher",
    "ComponentType", "ComponentConfiguration", "ComponentDependencies", "Manifests",
}  # fmt: skip
MANIFEST = {"Name", "Platform", "Lifecycle", "Artifacts"}
PLATFORM = {"os", "architecture", "architecture.detail", "runtime"}
STEPS = {"bootstrap", "install", "run", "startup", "shutdown", "recover", "uninstall", "Setenv"}
STEP = {"Script", "RequiresPrivilege", "Timeout", "Setenv"}
ARTIFACT = {"Uri", "Unarchive", "Permission", "Digest", "Algorithm"}
VARIABLE = re.compile(r"\{([A-Za-z][A-Za-z0-9._-]*):([^{}\s]*)\}")
PLAIN_VARIABLES = {
    "artifacts:path",
    "artifacts:decompressedPath",
    "work:path",
    "kernel:rootPath",
    "iot:thingName",
}
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
SERVICES = "aws.greengrass."
Found = Iterator[Fault]


def faults(recipe: object, size: int | None = None) -> list[Fault]:
    """Everything that either nucleus refuses or misunderstands. size: bytes of the file; None: as JSON."""
    if not isinstance(recipe, Mapping):
        return [Fault("a recipe is a mapping of keys to values", "")]
    if size is None:
        size = len(json.dumps(recipe).encode())
    found = [] if size <= LARGEST else [Fault(f"it has {size} bytes, and {LARGEST} are the most", "")]
    for check in (heads, kind, configuration, dependencies, manifests):
        found += check(recipe)
    return found


def of_file(path: Path) -> list[Fault]:
    """The faults of a recipe in a file, JSON or YAML; each with the file, and with its line in YAML."""
    if path.suffix != ".json":
        document = yamlfile.load(path)  # raises ConfigInvalid with the line
        found = faults(document.values, path.stat().st_size)
        found.append(Fault("lite makes a text of every value in a YAML recipe: write it as JSON", ""))
        return [Fault(each.message, each.key, path, document.line(each.key)) for each in found]
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigInvalid(Fault(f"cannot be read: {error.strerror}", "", path)) from None
    except (ValueError, RecursionError) as error:
        raise ConfigInvalid(Fault(f"is no JSON: {error}", "", path)) from None
    return [Fault(each.message, each.key, path) for each in faults(recipe, path.stat().st_size)]


def heads(recipe: Mapping[str, Any]) -> Found:
    yield from spelling(recipe, TOP, "")
    if recipe.get("RecipeFormatVersion") != "2020-01-25":
        yield Fault('expected the text "2020-01-25"', "RecipeFormatVersion")
    name = recipe.get("ComponentName")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield Fault("expected 1 to 128 letters, digits, '.', '_' and '-'", "ComponentName")
    elif name.lower().startswith("aws.greengrass"):
        yield Fault("names that begin with aws.greengrass are Amazon's", "ComponentName")
    version = recipe.get("ComponentVersion")
    if not isinstance(version, str) or not VERSION.fullmatch(version) or len(version) > LONGEST_VERSION:
        yield Fault(f"expected a version like 1.4.2, as text, got {version!r}", "ComponentVersion")


def spelling(section: Mapping[str, Any], known: set[str], above: str) -> Found:
    """Keys that lite does not read since it minds upper and lower case, and keys that nobody reads."""
    exact = {key.lower(): key for key in known}
    for key in section:
        if key not in known:
            right = exact.get(str(key).lower())
            told = f"lite minds the case: write {right}" if right else "is not known"
            yield Fault(told, f"{above}{key}")


def kind(recipe: Mapping[str, Any]) -> Found:
    if recipe.get("ComponentType") not in (None, "aws.greengrass.generic"):
        yield Fault("lite runs aws.greengrass.generic alone: leave the key out", "ComponentType")
    if "ComponentSource" in recipe:
        yield Fault("is set by the service alone: leave it out", "ComponentSource")


def configuration(recipe: Mapping[str, Any]) -> Found:
    settings = recipe.get("ComponentConfiguration") or {}
    defaults = settings.get("DefaultConfiguration", {}) if isinstance(settings, Mapping) else None
    above = "ComponentConfiguration.DefaultConfiguration"
    if not isinstance(defaults, Mapping):
        yield Fault("expected a mapping", above)
        return
    access = defaults.get("accessControl", {})
    if not isinstance(access, Mapping):
        yield Fault("expected a mapping of services", f"{above}.accessControl")
        return
    seen: set[str] = set()
    for service, policies in access.items():
        if not str(service).startswith(SERVICES):
            yield Fault("is no service of the nucleus", f"{above}.accessControl.{service}")
        if not isinstance(policies, Mapping):
            yield Fault("expected a mapping of policies", f"{above}.accessControl.{service}")
            continue
        for name, policy in policies.items():
            yield from grant(policy, f"{above}.accessControl.{service}.{name}")
            if name in seen:
                yield Fault("is used twice: policy ids are unique over all components", name)
            seen.add(name)


def grant(policy: object, key: str) -> Found:
    for part in ("operations", "resources"):
        given = policy.get(part) if isinstance(policy, Mapping) else None
        if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
            yield Fault("expected a list of texts, with one at least", f"{key}.{part}")


def dependencies(recipe: Mapping[str, Any]) -> Found:
    given = recipe.get("ComponentDependencies") or {}
    if not isinstance(given, Mapping):
        yield Fault("expected names of components, each with VersionRequirement and DependencyType below it",
                    "ComponentDependencies")  # fmt: skip
        return
    for name, needed in given.items():
        key = f"ComponentDependencies.{name}"
        if not isinstance(needed, Mapping) or not isinstance(needed.get("VersionRequirement"), str):
            yield Fault("expected a text such as >=1.0.0 <2.0.0", f"{key}.VersionRequirement")
        elif needed.get("DependencyType") not in ("HARD", "SOFT"):
            yield Fault(
                "write HARD or SOFT: without it lite keeps no order of starting", f"{key}.DependencyType"
            )


def manifests(recipe: Mapping[str, Any]) -> Found:
    if "Lifecycle" in recipe:
        yield Fault("lite knows it hardly: give each manifest its own", "Lifecycle")
    given = recipe.get("Manifests")
    if not isinstance(given, list) or not given:
        yield Fault(
            "expected a list with one manifest at least: without a match a deployment fails", "Manifests"
        )
        return
    for at, manifest in enumerate(given):
        if not isinstance(manifest, Mapping):
            yield Fault("expected a mapping", f"Manifests[{at}]")
            continue
        key = f"Manifests[{at}]."
        yield from spelling(manifest, MANIFEST, key)
        yield from platform(manifest.get("Platform"), f"{key}Platform.")
        yield from lifecycle(manifest.get("Lifecycle"), f"{key}Lifecycle.")
        yield from artifacts(manifest.get("Artifacts", []), f"{key}Artifacts")


def platform(given: object, key: str) -> Found:
    if not isinstance(given, Mapping) or given.get("runtime") != "*":
        yield Fault('write runtime: "*": lite skips a manifest without it', f"{key}runtime")
    if isinstance(given, Mapping):
        yield from spelling(given, PLATFORM, key)
        if given.get("os") not in ["linux", "*", None]:
            yield Fault("lite runs on linux alone", f"{key}os")
        for name, value in given.items():
            if isinstance(value, str) and len(value) > 1 and value.startswith("/"):
                yield Fault("lite knows no patterns: write the value out", f"{key}{name}")


def lifecycle(given: object, key: str) -> Found:
    if not isinstance(given, Mapping):
        yield Fault("expected a mapping of steps", key.removesuffix("."))
        return
    yield from spelling(given, STEPS, key)
    if "run" in given and "startup" in given:
        yield Fault("stands beside run; write one of the two", f"{key}startup")
    for name, step in given.items():
        if name == "Setenv":
            yield from environment(step, f"{key}{name}.")
        else:
            yield from one_step(str(name), step, f"{key}{name}")


def one_step(name: str, step: object, key: str) -> Found:
    script = step.get("Script") if isinstance(step, Mapping) else step
    if isinstance(step, Mapping):
        if "Skipif" in step or "skipif" in step:
            yield Fault("lite does not know it: let the script see for itself", f"{key}.Skipif")
        yield from spelling({k: v for k, v in step.items() if k.lower() != "skipif"}, STEP, f"{key}.")
        yield from environment(step.get("Setenv", {}), f"{key}.Setenv.")
        if not isinstance(step.get("Timeout", 0), int):
            yield Fault("expected whole seconds", f"{key}.Timeout")
    if not isinstance(script, str) or not script.strip():
        yield Fault("expected a script", f"{key}.Script")
        return
    if name == "install" and "pip" in script and not (isinstance(step, Mapping) and "Timeout" in step):
        yield Fault("is stopped after 120 seconds, which pip may need: write a Timeout", f"{key}.Timeout")
    yield from variables(script, f"{key}.Script")


def variables(script: str, key: str) -> Found:
    for whole in VARIABLE.finditer(script):
        space, name = whole.groups()
        if space == "configuration":
            yield Fault(
                f"{whole[0]}: lite escapes the value, and classic does not: let the program ask for it", key
            )
        elif f"{space}:{name}" not in PLAIN_VARIABLES:
            yield Fault(
                f"{whole[0]} is not known to lite: a neighbour's files are found beside work:path", key
            )


def environment(given: object, key: str) -> Found:
    if not isinstance(given, Mapping):
        yield Fault("expected a mapping of names to texts", key.removesuffix("."))
        return
    for name, value in given.items():
        if not ENVIRONMENT_NAME.fullmatch(str(name)):
            yield Fault("is no name of a variable to lite", f"{key}{name}")
        if not isinstance(value, str):
            yield Fault(f"expected a text, got {value!r}", f"{key}{name}")


def artifacts(given: object, key: str) -> Found:
    seen: set[str] = set()
    if not isinstance(given, list):
        yield Fault("expected a list", key)
        return
    for at, artifact in enumerate(given):
        here = f"{key}[{at}]."
        if not isinstance(artifact, Mapping):
            yield Fault("expected a mapping", here.removesuffix("."))
            continue
        yield from spelling(artifact, ARTIFACT, here)
        uri = next((value for name, value in artifact.items() if name.lower() == "uri"), None)
        if not isinstance(uri, str) or not uri.startswith(("s3://", "docker:", "greengrass:")):
            yield Fault("expected s3://BUCKET/KEY", f"{here}Uri")
            continue
        name = uri.rpartition("/")[2]
        if name in seen:
            yield Fault(f"{name} stands there twice: names are unique in a manifest", f"{here}Uri")
        seen.add(name)
        if artifact.get("Unarchive", "NONE") not in ("ZIP", "NONE"):
            yield Fault("expected ZIP or NONE", f"{here}Unarchive")
