"""Who may look: tokens, the form that takes one, how often it may be wrong, and TLS."""

import ssl
import subprocess
from http import HTTPStatus
from pathlib import Path

import pytest
from hand_clock import HandClock

from streams.sinks import login
from streams.sinks.gate import Gate, Refusal, SinkInvalid
from streams.sinks.guesses import BURST, Guesses

HERE = {"Host": "localhost"}
PEER = "192.168.1.7"


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key, made by the command of the documentation."""
    folder = tmp_path_factory.mktemp("pems")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "825", "-subj", "/CN=camera", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem", folder / "key.pem"


def bearer(word: str) -> dict[str, str]:
    return HERE | {"Authorization": f"Bearer {word}"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "camera.example", "", "127.0.0.1.evil"])
def test_an_open_door_to_the_network_needs_a_token_and_tls(host: str, pems: tuple[Path, Path]) -> None:
    with pytest.raises(SinkInvalid, match=r"console\.token"):
        Gate(host, None, setting="console", insecure=True)
    with pytest.raises(SinkInvalid, match=r"set console\.cert and console\.key .* console\.insecure"):
        Gate(host, "token", setting="console")
    assert Gate(host, "token", insecure=True).tls is None
    assert Gate(host, "token", cert=pems[0], key=pems[1]).tls is not None


def test_tls_is_not_older_than_1_2(pems: tuple[Path, Path]) -> None:
    gate = Gate("127.0.0.1", cert=pems[0], key=pems[1])
    assert gate.tls is not None
    assert gate.tls.minimum_version is ssl.TLSVersion.TLSv1_2


def test_certificates_that_cannot_be_used_are_refused_with_their_key(
    tmp_path: Path, pems: tuple[Path, Path]
) -> None:
    cert, key = pems
    absent, torn = tmp_path / "absent.pem", tmp_path / "torn.pem"
    torn.write_text("-----BEGIN CERTIFICATE-----\nno\n")
    with pytest.raises(SinkInvalid, match=r"http\.key is missing"):
        Gate("127.0.0.1", cert=cert)
    with pytest.raises(SinkInvalid, match=r"http\.key: .*absent\.pem cannot be read"):
        Gate("127.0.0.1", cert=cert, key=absent)
    with pytest.raises(SinkInvalid, match=r"http\.cert: .*torn\.pem"):
        Gate("127.0.0.1", cert=torn, key=key)
    with pytest.raises(SinkInvalid, match=r"no certificate and its private key"):
        Gate("127.0.0.1", cert=cert, key=cert)


def test_wrong_tokens_are_heard_for_a_while_and_then_not_even_the_right_one() -> None:
    clock = HandClock()
    gate = Gate("127.0.0.1", "right", clock=clock)
    for _ in range(BURST):
        assert status(gate, bearer("wrong")) is HTTPStatus.UNAUTHORIZED
    assert status(gate, bearer("wrong")) is HTTPStatus.TOO_MANY_REQUESTS
    refused = gate.refusal(bearer("right"), PEER)
    assert refused is not None
    assert ("Retry-After", "3") in refused.headers
    assert gate.refusal(bearer("right"), "192.168.1.8") is None
    clock.sleep(3.1)
    assert gate.refusal(bearer("right"), PEER) is None


def test_whoever_shows_no_token_makes_no_guess() -> None:
    gate = Gate("127.0.0.1", "right")
    for _ in range(10 * BURST):
        assert status(gate, HERE) is HTTPStatus.UNAUTHORIZED
    assert gate.refusal(bearer("right"), PEER) is None


def test_whoever_must_not_ask_at_all_cannot_use_up_the_guesses_of_others() -> None:
    gate = Gate("127.0.0.1", "right")
    for _ in range(2 * BURST):
        assert status(gate, bearer("wrong") | {"Host": "evil.example"}) is HTTPStatus.FORBIDDEN
        assert status(gate, bearer("wrong") | {"Origin": "https://evil.example"}) is HTTPStatus.FORBIDDEN
        assert isinstance(gate.entry(HERE | {"Origin": "https://evil.example"}, "wrong", PEER), Refusal)
    assert gate.refusal(bearer("right"), PEER) is None


def test_guesses_are_counted_by_network_and_remembered_of_so_many_peers_only() -> None:
    guesses = Guesses(HandClock())
    for number in range(BURST):
        guesses.wrong(f"2001:db8::{number:x}")
    assert guesses.wait("2001:db8::ffff") > 0
    assert guesses.wait("2001:db8:0:1::1") == 0
    for number in range(BURST):
        guesses.wrong(f"{'::ffff:' if number % 2 else ''}10.0.0.1")
    assert guesses.wait("10.0.0.1") > 0
    for number in range(5000):
        guesses.wrong(f"10.{number >> 8}.{number & 255}.2")
    assert len(guesses._peers) <= 1024


@pytest.mark.parametrize("secure", [False, True])
def test_the_form_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
    secure: bool, pems: tuple[Path, Path]
) -> None:
    gate = Gate("127.0.0.1", "wört", cert=pems[0] if secure else None, key=pems[1])
    cookie = gate.entry(HERE, " wört ", PEER)
    assert isinstance(cookie, str)
    words = cookie.split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} < set(words)
    assert ("Secure" in words) is secure
    assert "wört" not in cookie
    assert gate.refusal(HERE | {"Cookie": words[0]}, PEER) is None
    assert status(Gate("127.0.0.1", "another"), HERE | {"Cookie": words[0]}) is HTTPStatus.UNAUTHORIZED
    console = Gate("127.0.0.1", "wört", setting="console")
    renamed = words[0].replace("_http", "_console")
    assert status(console, HERE | {"Cookie": renamed}) is HTTPStatus.UNAUTHORIZED


def test_a_cookie_of_a_former_token_is_taken_away() -> None:
    refused = Gate("127.0.0.1", "new").refusal(HERE | {"Cookie": "lensracer_http=old"}, PEER)
    assert refused is not None
    assert any(name == "Set-Cookie" and "Max-Age=0" in value for name, value in refused.headers)


def test_the_form_is_guessed_no_oftener_than_the_header() -> None:
    gate = Gate("127.0.0.1", "right", clock=HandClock())
    for _ in range(BURST):
        assert gate.entry(HERE, "wrong", PEER) == Refusal(HTTPStatus.UNAUTHORIZED, "this is another token")
    answer = gate.entry(HERE, "right", PEER)
    assert isinstance(answer, Refusal)
    assert answer.status is HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.parametrize(
    ("body", "kind", "word"),
    [
        (b"token=a+b%C3%BC", login.FORM, "a bü"),
        (b"token=a", f"{login.FORM}; charset=utf-8", "a"),
        (b"token=a", "text/plain", None),
        (b"token=a&token=b", login.FORM, None),
        (b"word=a", login.FORM, None),
        (b"", login.FORM, None),
        (b"\xff=\xfe", login.FORM, None),
        (b"a=1&b=2&c=3&d=4&e=5&token=x", login.FORM, None),
    ],
)
def test_a_word_is_read_from_our_own_form_only(body: bytes, kind: str, word: str | None) -> None:
    assert login.word_in(body, kind) == word


def status(gate: Gate, headers: dict[str, str]) -> HTTPStatus | None:
    refused = gate.refusal(headers, PEER)
    return None if refused is None else refused.status
