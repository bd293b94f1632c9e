"""What every test may use, and the rule about skips."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED_ABSENT = "shared data absent"
REPOSITORY = Path(__file__).resolve().parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a script: children would inherit that, and Ctrl-C be no subject of any test.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real pictures, clips and models beside the checkout; the test is skipped where they are absent."""
    folder = Path(os.environ.get("EDGE_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(SHARED_ABSENT)
    return folder


@pytest.fixture(scope="session")
def vetted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Which models a child process has read: one record for all tests, as the trial takes most of a second."""
    return tmp_path_factory.mktemp("vetted")


@pytest.fixture(autouse=True)
def own_places(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, vetted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test reads or writes its user's state, configuration, caches or secrets."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    cache = tmp_path_factory.mktemp("cache")  # not in tmp_path, of which some tests look at all
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    (cache / "lensracer").mkdir(mode=0o700)
    (cache / "lensracer" / "vetted").symlink_to(vetted)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Under EDGE_CI a skip is a failure, unless it is for absent shared data."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if os.environ.get("EDGE_CI") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if SHARED_ABSENT not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped under EDGE_CI: {reason}"
