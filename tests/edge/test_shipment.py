"""The parts of a shipment: targets, the lock, archives, recipes and their check."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ConfigInvalid
from edge.shipment import archive, gdk, locks, recipe_check, recipes, wheels
from edge.shipment.errors import ShipmentFailed, ShipmentInvalid
from edge.shipment.target import Target

TARGET = Target("x86_64", 11, 31)
NEEDS = {recipes.DEPENDENCIES: "1.0.0", recipes.RUNTIME: "0.1.0"}


def recipe() -> dict[str, Any]:
    made = recipes.project("p", "1.0.0", NEEDS, [TARGET], "p.zip", {"source": "camera:0"})
    return json.loads(json.dumps(made))  # a copy of all of it


def test_a_target_is_written_as_it_is_read() -> None:
    assert Target.parse("linux-x86_64-py311-glibc2.31") == TARGET
    assert str(TARGET) == "linux-x86_64-py311-glibc2.31"
    assert TARGET.tags[0] == "manylinux_2_31_x86_64"
    assert "manylinux2014_x86_64" in TARGET.tags
    assert "manylinux_2_32_x86_64" not in TARGET.tags


@pytest.mark.parametrize("text", ["x86_64", "linux-armv7l-py311-glibc2.31", "linux-x86_64-py39-glibc2.31"])
def test_a_target_that_is_none_is_refused_with_how_one_is_written(text: str) -> None:
    with pytest.raises(ShipmentInvalid, match=r"--target"):
        Target.parse(text)


def test_the_lock_pins_everything_by_digest() -> None:
    lock = locks.read()
    assert {"numpy", "openvino", "onnxruntime", "awsiotsdk"} <= {pin.name for pin in lock.pins}
    assert lock.number >= 1
    assert all(pin.digests for pin in lock.pins)
    assert lock.without({"openvino"}).digest != lock.digest


@pytest.mark.parametrize(
    "text", ["", "# lock 1\n", "# lock 1\nnumpy==2.0\n", "numpy==2.0 --hash=sha256:" + 64 * "a"]
)
def test_a_lock_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    with pytest.raises(ShipmentInvalid, match="is no lock"):
        locks.read(tmp_path / "lock")


def test_an_archive_of_the_same_is_the_same(tmp_path: Path) -> None:
    items = [archive.Item("b", b"2"), archive.Item("a", b"1", runnable=True)]
    archive.write(tmp_path / "1.zip", items)
    archive.write(tmp_path / "2.zip", reversed(items))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as opened:
        assert opened.getinfo("a").external_attr >> 16 & 0o111
        assert not opened.getinfo("b").external_attr >> 16 & 0o111


def test_an_archive_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        archive.write(tmp_path / "1.zip", [archive.Item("a", tmp_path / "absent")])
    assert list(tmp_path.iterdir()) == []


def wheel(path: Path, library: bytes = b"GLIBC_2.14\0GLIBC_2.29\0") -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("kernels/_prepare.abi3.so", library)
    return path


def test_a_wheel_that_asks_for_a_newer_c_library_is_refused(tmp_path: Path) -> None:
    good = wheel(tmp_path / "lensracer-0.1.0-cp311-abi3-linux_x86_64.whl")
    wheels.check(good, TARGET)
    with pytest.raises(ShipmentFailed, match=r"needs glibc 2\.29 .*_prepare"):
        wheels.check(good, Target("x86_64", 11, 23))
    with pytest.raises(ShipmentInvalid, match="not our wheel for aarch64"):
        wheels.check(good, Target("aarch64", 11, 31))


def test_a_wheel_without_compiled_kernels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lensracer-0.1.0-py3-none-x86_64.whl"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("kernels/__init__.py", "")
    with pytest.raises(ShipmentFailed, match="holds no compiled kernels"):
        wheels.check(path, TARGET)


def test_our_recipes_have_no_fault() -> None:
    assert recipe_check.faults(recipe()) == []
    zips = {TARGET: "d.zip"}
    assert recipe_check.faults(recipes.dependencies("1.0.0", zips)) == []
    assert recipe_check.faults(recipes.runtime("0.1.0", "1.0.0", zips)) == []


def spoil(path: str, value: Any) -> dict[str, Any]:
    """Our recipe with another value at a dotted path; None takes the key away."""
    made: Any = recipe()
    *above, last = path.split(".")
    here = made
    for part in above:
        here = here[int(part)] if isinstance(here, list) else here[part]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return made


MANIFEST = "Manifests.0"


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("RecipeFormatVersion", "2021-01-01", "2020-01-25"),
        ("ComponentName", "aws.greengrass.Mine", "are Amazon's"),
        ("ComponentName", "my name", "expected 1 to 128 letters"),
        ("ComponentVersion", "1.0", "expected a version like 1.4.2"),
        ("ComponentType", "aws.greengrass.lambda", "leave the key out"),
        ("ComponentSource", "arn:x", "leave it out"),
        ("componentname", "x", "write ComponentName"),
        ("Lifecycle", {}, "give each manifest its own"),
        ("Manifests", [], "one manifest at least"),
        (f"{MANIFEST}.Platform.runtime", None, 'write runtime: "\\*"'),
        (f"{MANIFEST}.Platform.os", "windows", "linux alone"),
        (f"{MANIFEST}.Platform.architecture", "/arm.*/", "knows no patterns"),
        (f"{MANIFEST}.Lifecycle.Run", "x", "write run"),
        (f"{MANIFEST}.Lifecycle.run", "x", "write one of the two"),
        (f"{MANIFEST}.Lifecycle.install", "pip install x", "write a Timeout"),
        (f"{MANIFEST}.Lifecycle.startup.Skipif", "onpath x", "does not know it"),
        (f"{MANIFEST}.Lifecycle.startup.Timeout", "120", "whole seconds"),
        (f"{MANIFEST}.Lifecycle.startup.Script", "", "expected a script"),
        (f"{MANIFEST}.Lifecycle.startup.Script", "x '{configuration:/a}'", "lite escapes the value"),
        (f"{MANIFEST}.Lifecycle.startup.Script", "{other:artifacts:path}", "not known to lite"),
        (f"{MANIFEST}.Lifecycle.Setenv", {"A-B": "1"}, "no name of a variable"),
        (f"{MANIFEST}.Lifecycle.Setenv", {"A": 1}, "expected a text"),
        (f"{MANIFEST}.Artifacts.0.Uri", "https://x/y.zip", "expected s3://"),
        (f"{MANIFEST}.Artifacts.0.URI", "s3://b/k.zip", "write Uri"),
        (f"{MANIFEST}.Artifacts.0.Unarchive", "TAR", "ZIP or NONE"),
    ],
)  # fmt: skip
def test_what_a_nucleus_refuses_is_told_with_its_mend(path: str, value: Any, told: str) -> None:
    found = recipe_check.faults(spoil(path, value))
    assert found
    assert any(re.search(told, str(fault)) for fault in found), [str(each) for each in found]


def test_a_dependency_says_how_hard_it_is() -> None:
    made = recipe()
    made["ComponentDependencies"][recipes.RUNTIME] = {"VersionRequirement": ">=1.0.0"}
    assert "write HARD or SOFT" in str(recipe_check.faults(made)[0])


def test_a_recipe_that_is_too_large_is_told_with_its_size() -> None:
    made = recipe()
    made["ComponentDescription"] = "x" * 16_000
    assert "16000 are the most" in str(recipe_check.faults(made)[0])


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "7", '{"Manifests": 3}', '{"Manifests": [3]}', "[" * 100_000,
        '{"ComponentDependencies": ["x"]}',
        '{"ComponentConfiguration": {"DefaultConfiguration": {"accessControl": {"a": 3}}}}',
        '{"ComponentConfiguration": {"DefaultConfiguration": {"accessControl": [1]}}}',
        '{"Manifests": [{"Artifacts": [3], "Platform": {"os": [1]}, "Lifecycle": {"run": 3, "Setenv": 4}}]}',
        '{"Manifests": [{"Artifacts": {"a": 3}, "Lifecycle": {"run": {"Script": "x", "Setenv": [2]}}}]}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_recipe_is_told_and_never_a_crash(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text)
    try:
        found = recipe_check.of_file(path)
    except ConfigInvalid as error:
        found = list(error.faults)
    assert found
    assert all(fault.where == path for fault in found)


def test_a_yaml_recipe_is_told_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("RecipeFormatVersion: '2020-01-25'\nComponentName: a\nComponentVersion: '1'\n")
    found = recipe_check.of_file(path)
    assert (3, "ComponentVersion") in {(fault.line, fault.key) for fault in found}
    assert any("write it as JSON" in fault.message for fault in found)


def test_gdk_finds_all_that_it_demands(tmp_path: Path) -> None:
    gdk.write(tmp_path, "org.lensracer.x", "1.2.3", "{}")
    told = json.loads((tmp_path / "gdk-config.json").read_text())
    component = told["component"]["org.lensracer.x"]
    assert set(component) == {"author", "version", "build", "publish"}
    assert component["build"]["build_system"] == "custom"
    assert set(component["publish"]) == {"bucket", "region"}
