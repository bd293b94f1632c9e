"""Secrets come from files that others cannot read, in a fixed order."""

from pathlib import Path

import pytest

from edge import redaction, secrets


@pytest.fixture(autouse=True)
def own_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(secrets, "CONTAINER", tmp_path / "run-secrets")


def own(environ: dict[str, str], name: str, content: bytes, mode: int = 0o600) -> Path:
    folder = Path(environ["XDG_CONFIG_HOME"]) / "lensracer" / "secrets"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path / "home")}


def test_the_content_is_the_secret_without_its_last_line_end(environ: dict[str, str]) -> None:
    own(environ, "mqtt", b"correct horse \n")
    assert secrets.read("mqtt", environ) == "correct horse "


def test_credentials_of_systemd_go_first_and_containers_last(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "run-secrets").mkdir()
    (tmp_path / "run-secrets" / "x").write_text("of the container")
    assert secrets.read("x", environ) == "of the container"
    own(environ, "x", b"of the user")
    assert secrets.read("x", environ) == "of the user"
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "x").write_text("of systemd")
    assert (
        secrets.read("x", {**environ, "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}) == "of systemd"
    )


def test_without_xdg_config_home_it_is_below_the_home_folder(environ: dict[str, str]) -> None:
    del environ["XDG_CONFIG_HOME"]
    folder = Path(environ["HOME"]) / ".config" / "lensracer" / "secrets"
    folder.mkdir(parents=True)
    (folder / "x").write_text("y")
    (folder / "x").chmod(0o600)
    assert secrets.read("x", environ) == "y"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_secret_that_others_may_read_is_refused_with_its_mend(environ: dict[str, str], mode: int) -> None:
    path = own(environ, "loose", b"swordfish", mode)
    with pytest.raises(secrets.SecretUnreadable, match=f"chmod 600 {path}"):
        secrets.read("loose", environ)


def test_a_missing_secret_is_refused_with_the_places_searched(environ: dict[str, str]) -> None:
    with pytest.raises(
        secrets.SecretUnreadable, match=r"no secret 'absent'; looked for .*secrets/absent.*run-secrets"
    ):
        secrets.read("absent", environ)


@pytest.mark.parametrize("name", ["", "../passwd", "/etc/passwd", ".hidden", "a b", "ä"])
def test_a_name_is_never_a_path(environ: dict[str, str], name: str) -> None:
    with pytest.raises(secrets.SecretUnreadable, match="names no secret"):
        secrets.read(name, environ)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "not text"), (b"x" * 70_000, "larger than")],
)
def test_a_file_that_holds_no_secret_is_refused(environ: dict[str, str], content: bytes, words: str) -> None:
    own(environ, "odd", content)
    with pytest.raises(secrets.SecretUnreadable, match=words):
        secrets.read("odd", environ)


def test_a_folder_is_no_secret(environ: dict[str, str]) -> None:
    own(environ, "x", b"y").with_name("folder").mkdir()
    with pytest.raises(secrets.SecretUnreadable, match="cannot be read"):
        secrets.read("folder", environ)


def test_a_secret_that_was_read_is_hidden_from_then_on(environ: dict[str, str]) -> None:
    own(environ, "mqtt", b"correct horse")
    assert redaction.hide("correct horse") == "correct horse"
    secrets.read("mqtt", environ)
    assert redaction.hide("it is correct horse.") == "it is ***."


@pytest.mark.parametrize(
    ("value", "name"), [("secret:x", "x"), ("secret:", ""), ("x", None), (5, None), (None, None)]
)
def test_only_text_with_the_prefix_names_a_secret(value: object, name: str | None) -> None:
    assert secrets.named(value) == name
