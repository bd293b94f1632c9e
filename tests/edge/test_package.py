"""`edge package`: what it makes is installed by the recipes' own scripts, with no network, and runs."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import edge_process
import pytest
from nucleus import Nucleus, short_folder
from nucleus_host import Host
from recipe_runner import Deployed, bare_path

from edge.shipment import recipe_check, recipes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PROJECT = f"{recipes.PROJECTS}.trash-sorter"
SAMPLE = edge_process.REPOSITORY / "edge" / "samples" / "trash-sorter"
SETTINGS = {
    "source": {"uri": str(SAMPLE / "clip.mp4"), "loop": True, "pace": "realtime"},
    "http": {"enabled": False},
}
INFER = "dt/lensracer/cam-1/main/infer"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipment of a sample. The wheels come from where `make venv` had them."""
    folder = tmp_path_factory.mktemp("made")
    done = edge_process.edge("package", "trash-sorter", "-o", "pkg", "--json", folder=folder, timeout=500)
    assert done.code == 0, done.output
    sizes = {each["name"]: each["files"][0]["bytes"] for each in json.loads(done.stdout)["components"]}
    assert list(sizes) == [recipes.DEPENDENCIES, recipes.RUNTIME, PROJECT]
    assert sizes[recipes.RUNTIME] <= 5_000_000  # what an update of the runtime alone downloads
    shutil.rmtree(folder / "build")
    return folder / "pkg"


def unplugged(command: list[str]) -> list[str]:
    """The command without any network, where this machine lets us; elsewhere no address is named to it anyway."""
    unshare = shutil.which("unshare") or "/usr/bin/unshare"
    for way in ([unshare, "-n"], [unshare, "-rn"]):
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return [*way, *command]
    return command


def ran(command: list[str], folder: Path, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module", params=["classic", "lite"])
def installed(made: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """A device's root with dependencies and runtime installed by their recipes."""
    root = short_folder()
    environ = {"PATH": bare_path(root / "bin"), "HOME": str(root / "nobody"), "PIP_NO_CACHE_DIR": "1"}
    for name in (recipes.DEPENDENCIES, recipes.RUNTIME):
        component = Deployed(root, made, name, unpacks=request.param == "classic")
        for _ in range(2):  # the nucleus installs at each of its starts
            done = ran(unplugged(component.command("install")), component.work, environ)
            assert done.returncode == 0, done.stdout + done.stderr
            assert " MB)" in done.stdout
    yield root, request.param, environ
    shutil.rmtree(root)


def test_every_recipe_is_good_for_both_nuclei(made: Path) -> None:
    found = sorted((made / "recipes").glob("*.json"))
    assert len(found) == 3
    for path in found:
        assert recipe_check.of_file(path) == []


def test_a_device_runs_the_project_from_the_archives_alone(
    made: Path, installed: tuple[Path, str, dict[str, str]]
) -> None:
    root, kind, environ = installed
    component = Deployed(root, made, PROJECT, unpacks=kind == "classic")
    nucleus = Nucleus(root, kind)
    nucleus.start()
    nucleus.install(PROJECT, None, component.configuration | {"lensracer": SETTINGS})
    host = Host(nucleus, root, PROJECT, environ)
    try:
        host.start(component.command("startup"))
        host.reported("RUNNING")
        host.until(lambda: len(nucleus.messages(INFER)) >= 3)
        assert nucleus.messages(INFER)[0]["model"]["name"] == "trash-sorter"
        kernels = nucleus.messages("dt/lensracer/cam-1/health")[0]["kernels"]
        assert kernels["implementation"] == "compiled"
        assert nucleus.configure(PROJECT, {"lensracer": {"thing": "cam-2"}})
        host.until(lambda: nucleus.messages("dt/lensracer/cam-2/main/infer"))
        assert host.stop() < 3.0
        assert nucleus.oversized == 0
    finally:
        host.kill()
        nucleus.stop()


def test_what_is_inside_is_told_with_its_licences(made: Path) -> None:
    archive = next(made.rglob("lensracer-dependencies-*.zip"))
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        bill = json.loads(opened.read("sbom.cdx.json"))
        wheels = {Path(name).name.partition("-")[0] for name in names if name.endswith(".whl")}
    told = {each["name"].replace("-", "_").lower() for each in bill["components"]}
    assert {name.lower() for name in wheels} - {"pip"} == told
    assert {"numpy", "openvino"} <= {name.split("/")[1] for name in names if name.startswith("licences/")}


def test_the_same_project_makes_the_same_archives(made: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first = next(made.rglob("lensracer-project-*.zip"))
    from edge import project as projects
    from edge.shipment import locks, making
    from edge.shipment.target import Target

    order = making.Order(projects.load(SAMPLE), [Target.here()], tmp_path / "a", tmp_path)
    again = making.project(order, locks.read())
    assert next(iter(again.files)).read_bytes() == first.read_bytes()


def test_a_device_without_room_is_told_before_anything_is_written(made: Path, tmp_path: Path) -> None:
    archive = next(made.rglob("lensracer-runtime-*.zip"))
    zipfile.ZipFile(archive).extractall(tmp_path / "unpacked")
    manifest = tmp_path / "unpacked" / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told | {"needs_bytes": 1 << 60}))
    work = tmp_path / "work"
    done = install(tmp_path / "unpacked", work)
    assert done.returncode == 1
    assert "MB free, and" in done.stderr
    assert list(work.iterdir()) == []
    manifest.write_text(json.dumps(told | {"target": told["target"] | {"python": 99}}))
    assert "it was packed for Python 3.99" in install(tmp_path / "unpacked", work).stderr


def test_an_installation_that_was_cut_off_is_made_anew_and_one_former_stays(
    made: Path, tmp_path: Path
) -> None:
    archive = next(made.rglob("lensracer-runtime-*.zip"))
    zipfile.ZipFile(archive).extractall(tmp_path / "unpacked")
    manifest, work = tmp_path / "unpacked" / "manifest.json", tmp_path / "work"
    told = json.loads(manifest.read_text())
    for number in range(4):
        manifest.write_text(json.dumps(told | {"digest": f"{number}" * 64}))
        half = work / f"runtime-{str(number) * 16}"
        half.mkdir(parents=True)
        (half / "half").touch()
        assert install(tmp_path / "unpacked", work).returncode == 0
        assert not (half / "half").exists()
        assert (work / "current").resolve() == half.resolve()
    assert {path.name for path in work.glob("runtime-*")} == {f"runtime-{'2' * 16}", f"runtime-{'3' * 16}"}


def install(folder: Path, work: Path) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": os.environ["PATH"]}
    return ran(
        [sys.executable, str(folder / "install.py"), "runtime", str(folder), str(work)], folder, environ
    )
