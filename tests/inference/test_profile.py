import importlib.metadata
import json
from pathlib import Path

import pytest

from inference import profile
from inference.backends import Tuning
from inference.profile import FOLDER, Profile

BEST = Profile("openvino", "CPU", 3, "throughput", None, "throughput", 4.2, 480.0)


def only(folder: Path) -> Path:
    [path] = (folder / FOLDER).iterdir()
    return path


def test_a_profile_is_found_for_its_model_and_device_alone(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    assert not profile.any_kept(folder)
    profile.keep(folder, "ab", "CPU", BEST)
    assert profile.any_kept(folder)
    assert profile.find(folder, "ab", "cpu") == BEST
    assert profile.find(folder, "cd", "CPU") is None
    assert profile.find(folder, "ab", "GPU,CPU") is None
    assert BEST.tuning == Tuning("throughput", None)
    assert str(BEST) == "openvino CPU, 3 request(s), hint throughput"


def test_a_profile_is_private_and_a_newer_one_takes_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    for threads in (1, 2):
        profile.keep(folder, "ab", "CPU", BEST._replace(threads=threads))
    assert only(folder).stat().st_mode & 0o777 == 0o600
    assert (folder / FOLDER).stat().st_mode & 0o777 == 0o700
    found = profile.find(folder, "ab", "CPU")
    assert found is not None
    assert found.threads == 2


def test_another_version_of_a_runtime_finds_no_older_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile.keep(tmp_path / "c", "ab", "CPU", BEST)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9999.0")
    assert profile.find(tmp_path / "c", "ab", "CPU") is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        json.dumps({**BEST._asdict(), "more": 1}),
        json.dumps({**BEST._asdict(), "backend": "abacus"}),
        json.dumps({**BEST._asdict(), "hint": "hurry"}),
        json.dumps({**BEST._asdict(), "requests": 0}),
        json.dumps({**BEST._asdict(), "requests": "3"}),
        json.dumps({**BEST._asdict(), "threads": 10**9}),
    ],
)
def test_a_damaged_profile_is_told_and_is_none(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    profile.keep(tmp_path / "c", "ab", "CPU", BEST)
    only(tmp_path / "c").write_text(content)
    assert profile.find(tmp_path / "c", "ab", "CPU") is None
    assert "is left out" in caplog.text


def test_a_profile_that_others_may_write_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    profile.keep(tmp_path / "c", "ab", "CPU", BEST)
    only(tmp_path / "c").chmod(0o666)
    assert profile.find(tmp_path / "c", "ab", "CPU") is None
    assert "open to others" in caplog.text
