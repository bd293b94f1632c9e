"""Who may see the console: the same token, form and cookie as for the pictures, with TLS where it is asked for."""

import http.client
import ssl
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import make_certificates

from edge.console import CONSOLE_TOKEN
from edge.supervise import Child

WORD = "open sesame"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int, ssl.SSLContext]]:
    """A console with a token and a certificate; nobody is at its broker."""
    pems = make_certificates(tmp_path_factory.mktemp("pems"))
    words = ["--broker", "mqtt://127.0.0.1:9", "--thing", "cam-1", "--port", "0"]
    words += ["--cert", str(pems.server_cert), "--key", str(pems.server_key)]
    child = Child("edge.console", words, name="the console", restarts=0, environ={CONSOLE_TOKEN: WORD})
    address = urllib.parse.urlsplit(child.start(30.0))
    assert address.port is not None
    yield address.scheme, address.port, ssl.create_default_context(cafile=str(pems.ca))
    child.stop()


def ask(
    guarded: tuple[str, int, ssl.SSLContext], method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPSConnection("localhost", guarded[1], context=guarded[2], timeout=10)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return (
            response.status,
            {name.title(): value for name, value in response.getheaders()},
            response.read(),
        )
    finally:
        connection.close()


@pytest.mark.slow
def test_nobody_sees_the_console_without_its_token(guarded: tuple[str, int, ssl.SSLContext]) -> None:
    assert guarded[0] == "https"
    for path in ("/", "/console.css", "/pictures/main/latest.json", "/?token=open+sesame", "/_nicegui/"):
        assert ask(guarded, "GET", path)[0] == 401
    status, headers, body = ask(guarded, "GET", "/", Accept="text/html")
    assert (status, headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    assert b'action="/login"' in body
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert ask(guarded, "POST", "/login", b"token=wrong", **form)[0] == 401
    assert ask(guarded, "POST", "/login", b"token=" + b"x" * 9000, **form)[0] == 401
    evil = ask(guarded, "POST", "/login", b"token=open+sesame", Origin="https://evil.example", **form)
    assert evil[0] == 403
    status, headers, _ = ask(guarded, "POST", "/login", b"token=open+sesame", **form)
    assert (status, headers["Location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict", "Secure"} < set(headers["Set-Cookie"].split("; "))
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert ask(guarded, "GET", "/", Cookie=cookie)[0] == 200
    assert ask(guarded, "GET", "/console.css", Authorization=f"Bearer {WORD}")[0] == 200


@pytest.mark.slow
def test_a_console_for_the_network_needs_tls_or_a_word_of_its_owner(tmp_path: Path) -> None:
    from edge.errors import RunFailed

    words = ["--broker", "mqtt://127.0.0.1:9", "--thing", "cam-1", "--port", "0", "--host", "0.0.0.0"]
    with pytest.raises(RunFailed, match=r"set console\.cert and console\.key for TLS"):
        Child("edge.console", words, name="it", restarts=0, environ={CONSOLE_TOKEN: WORD}).start(30.0)
    child = Child(
        "edge.console", [*words, "--insecure"], name="it", restarts=0, environ={CONSOLE_TOKEN: WORD}
    )
    assert child.start(30.0).startswith("http://0.0.0.0:")
    child.stop()
