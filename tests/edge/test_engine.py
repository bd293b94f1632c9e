"""From the configuration to the model: the cache, the devices, and the profile that a benchmark left."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from projects import colour_sorter

from edge import config as configuration
from edge import engine
from edge import project as projects
from edge.config import Config
from edge.errors import ConfigInvalid
from inference import profile as profiles
from inference.backends import UNTUNED, Tuning
from inference.files import sha256_of
from inference.manifest import Manifest
from inference.profile import Profile

BEST = Profile("onnxruntime", "CPU", 2, "throughput", 1, "throughput", 4.2, 480.0)


def config(**values: Any) -> Config:
    return configuration.load(
        None, {}, {f"inference.{key.replace('__', '.')}": value for key, value in values.items()}
    )


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    monkeypatch.chdir(tmp_path)
    return projects.load(colour_sorter(tmp_path / "sorter")).manifest


def keep(manifest: Manifest, device: str = "CPU", profile: Profile = BEST) -> None:
    folder = config().inference.cache.folder
    assert folder is not None
    profiles.keep(folder, sha256_of(manifest.model), device, profile)


def test_compiled_models_are_kept_in_the_user_s_cache(manifest: Manifest) -> None:
    found = config().inference.cache.folder
    assert found == Path(os.environ["XDG_CACHE_HOME"]) / "lensracer"
    engine.load(config(), manifest).close()
    assert len(list((found / "compiled").iterdir())) == 1


def test_the_cache_can_lie_elsewhere_or_be_off(manifest: Manifest, tmp_path: Path) -> None:
    engine.load(config(cache__path=str(tmp_path / "mine"), cache__max_bytes=1 << 22), manifest).close()
    assert (tmp_path / "mine" / "compiled").is_dir()
    off = config(cache__enabled=False)
    assert off.inference.cache.folder is None
    engine.load(off, manifest).close()
    assert not list(Path(os.environ["XDG_CACHE_HOME"]).rglob("compiled"))


def test_without_a_profile_all_is_as_configured(manifest: Manifest) -> None:
    found = engine.settings(config(device=["GPU", "CPU"], requests=3, hint="latency", threads=2), manifest)
    assert found["device"] == "GPU,CPU"
    assert found["requests"] == 3
    assert found["tuning"] == Tuning("latency", 2)
    assert engine.settings(config(), manifest)["tuning"] == UNTUNED


@pytest.mark.parametrize("text", ["[GPU, CPU]", "['GPU',\"CPU\"]", "GPU,CPU"])
def test_a_list_can_stand_after_set_too(text: str) -> None:
    found = configuration.load(None, {}, configuration.overrides([f"inference.device={text}"]))
    assert found.inference.device == "GPU,CPU"
    assert configuration.load(None, {"EDGE_INFERENCE__DEVICE": text}, {}).inference.device == "GPU,CPU"


def test_a_list_of_devices_comes_to_the_one_that_is_here(manifest: Manifest) -> None:
    model = engine.load(config(device="TOASTER, CPU"), manifest)
    assert model.identity.device == "CPU"
    model.close()


def test_a_run_uses_what_was_found_best_and_says_so(
    manifest: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    keep(manifest)
    with caplog.at_level(logging.INFO):
        model = engine.load(config(), manifest)
    assert (model.identity.backend, model.requests) == ("onnxruntime", 2)
    model.close()
    assert (
        "model.onnx runs as edge model bench found best for throughput: onnxruntime CPU, 2 request(s), "
        "hint throughput, 1 thread(s)" in caplog.text
    )


@pytest.mark.parametrize(
    ("key", "value"), [("requests", 1), ("backend", "openvino"), ("hint", "latency"), ("threads", 2)]
)
def test_what_is_configured_goes_before_a_profile(
    manifest: Manifest, key: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    keep(manifest)
    with caplog.at_level(logging.INFO):
        found = engine.settings(config(**{key: value}), manifest)
    assert found["backend"] == ("openvino" if key == "backend" else "auto")
    assert f"has a profile, but inference.{key} is configured: it is left out" in caplog.text


def test_profiles_can_be_switched_off_and_are_those_of_their_device(manifest: Manifest) -> None:
    keep(manifest)
    assert engine.profile(config(), manifest) == BEST
    for other in (config(profile=False), config(cache__enabled=False), config(device="GPU,CPU")):
        assert engine.profile(other, manifest) is None


def test_another_model_has_no_profile(manifest: Manifest) -> None:
    keep(manifest)
    manifest.model.write_bytes(manifest.model.read_bytes() + b"\x00")
    assert engine.profile(config(), manifest) is None


def test_a_device_that_is_gone_since_it_was_measured_is_no_reason_to_stop(manifest: Manifest) -> None:
    keep(manifest, profile=BEST._replace(backend="openvino", device="TOASTER"))
    model = engine.load(config(), manifest)
    assert model.identity.device == "CPU"
    model.close()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("device", "[]", "expected a device such as CPU, or a list of them"),
        ("device", ["CPU", 3], "expected a device such as CPU, or a list of them"),
        ("threads", 0, "expected at least 1"),
        ("hint", "hurry", "latency"),
        ("cache__max_bytes", 1, "expected at least 1048576"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(key: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said) as caught:
        config(**{key: value})
    assert f"inference.{key.replace('__', '.')}" in str(caught.value)


def test_the_schema_takes_a_device_or_a_list() -> None:
    schema = configuration.schema()
    device = schema["$defs"]["Inference"]["properties"]["device"]
    assert {each["type"] for each in device["anyOf"]} == {"string", "array"}
    assert json.dumps(schema)
