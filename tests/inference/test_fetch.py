"""A fetched file is whole and of its digest, or it is not there; and no stranger leads us to our own machine."""

import contextlib
import datetime
import functools
import hashlib
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from file_server import FileServer

from inference.errors import AddressRefused, DigestWrong, FetchFailed, ModelNotFound
from inference.fetch import Limits, fetch
from inference.fetch_address import Reach, checked, forbidden, places, shown

CONTENT = bytes(range(256)) * 1024  # 256 KiB
SHA = hashlib.sha256(CONTENT).hexdigest()
HERE = Reach(insecure=True, file=True, loopback=True)
QUICK = Limits(patience=10.0, tries=3)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(CONTENT) as found:
        yield found


def get(uri: str, into: Path, **more: Any) -> Path:
    wanted: dict[str, Any] = {"reach": HERE, "limits": QUICK, "sleep": lambda seconds: None, **more}
    return fetch(uri, wanted.pop("sha256", SHA), into, **wanted)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refused(uri: str, into: Path, kind: type[Exception] = FetchFailed, **more: Any) -> str:
    with pytest.raises(kind) as found:
        get(uri, into, **more)
    assert not into.exists()
    return str(found.value)


# the good way


def test_a_file_comes_whole_and_alone(server: FileServer, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = get(server.url(), tmp_path / "new" / "m.onnx", progress=lambda *step: told.append(step))
    assert path.read_bytes() == CONTENT
    assert left(path.parent) == ["m.onnx"]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_is_not_asked_for_again(server: FileServer, tmp_path: Path) -> None:
    get(server.url(), tmp_path / "m")
    get(server.url(), tmp_path / "m")
    assert len(server.requests) == 1


def test_a_damaged_file_of_that_name_is_fetched_anew(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"damaged")
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT


def test_a_server_that_tells_no_length_is_read_to_its_end(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.length = False
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT


def test_an_answer_in_chunks_is_put_together(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.chunked = True
    server.behaviour.cut_after, server.behaviour.cuts = 100_000, 1
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT
    assert server.requests[-1][1] == "bytes=100000-"


def test_the_digest_may_be_in_capitals_and_with_its_name(server: FileServer, tmp_path: Path) -> None:
    get(server.url(), tmp_path / "m", sha256=f"sha256:{SHA.upper()}")


def test_a_file_of_this_machine_is_copied(tmp_path: Path) -> None:
    (tmp_path / "a b.onnx").write_bytes(CONTENT)
    assert get((tmp_path / "a b.onnx").as_uri(), tmp_path / "m").read_bytes() == CONTENT


# cuts


def test_a_cut_is_gone_on_with_where_it_happened(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.cut_after, server.behaviour.cuts = 100_000, 1
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT
    assert [request[1:] for request in server.requests] == [(None, None), ("bytes=100000-", '"one"')]
    assert server.sent == len(CONTENT)
    assert left(tmp_path) == ["m"]


def test_many_cuts_end_well_as_long_as_each_brings_something(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.cut_after = 20_000
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT
    assert len(server.requests) == 14


def test_without_ranges_a_cut_begins_anew(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.ranges = False
    server.behaviour.cut_after, server.behaviour.cuts = 100_000, 1
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT


def test_what_came_before_a_failure_is_used_by_the_next_run(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.cut_after, server.behaviour.cuts = 200_000, 1
    server.behaviour.status, server.behaviour.failures = 200, 0
    sleeps: list[float] = []

    def then_down(seconds: float) -> None:
        sleeps.append(seconds)
        server.behaviour.status, server.behaviour.failures = 503, 1_000_000

    told = refused(server.url(), tmp_path / "m", sleep=then_down)
    assert "answers 503" in told
    assert len(sleeps) == 3
    server.behaviour.status = 200
    get(server.url(), tmp_path / "m")
    assert server.sent == len(CONTENT)
    assert server.requests[-1][1] == "bytes=200000-"


def test_a_file_that_changed_in_between_is_fetched_anew(server: FileServer, tmp_path: Path) -> None:
    old = bytes(len(CONTENT))
    server.behaviour.content, server.behaviour.etag = old, '"old"'
    server.behaviour.cut_after, server.behaviour.cuts = 100_000, 1

    def change(seconds: float) -> None:
        server.behaviour.content, server.behaviour.etag = CONTENT, '"one"'

    assert get(server.url(), tmp_path / "m", sleep=change).read_bytes() == CONTENT
    assert server.requests[-1] == ("/model.onnx", "bytes=100000-", '"old"')


def test_a_change_that_no_etag_tells_of_is_found_by_the_digest(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.content, server.behaviour.etag = bytes(len(CONTENT)), ""
    server.behaviour.cut_after, server.behaviour.cuts = 100_000, 1

    def change(seconds: float) -> None:
        server.behaviour.content = CONTENT

    assert get(server.url(), tmp_path / "m", sleep=change).read_bytes() == CONTENT
    assert [request[1] for request in server.requests] == [None, "bytes=100000-", None]


def test_a_file_that_became_shorter_than_what_is_here_is_fetched_anew(
    server: FileServer, tmp_path: Path
) -> None:
    server.behaviour.content, server.behaviour.etag = bytes(2 * len(CONTENT)), ""
    server.behaviour.cut_after, server.behaviour.cuts = len(CONTENT) + 5, 1

    def change(seconds: float) -> None:
        server.behaviour.content = CONTENT

    assert get(server.url(), tmp_path / "m", sleep=change).read_bytes() == CONTENT


def test_a_file_that_was_whole_but_not_yet_named_needs_no_request(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / f".m.{SHA[:16]}.part").write_bytes(CONTENT)
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT
    assert server.requests == []
    assert left(tmp_path) == ["m"]


def test_two_that_fetch_the_same_do_not_mix(server: FileServer, tmp_path: Path) -> None:
    from inference.fetch_partial import Partial

    with Partial(tmp_path / "m", SHA):
        told = refused(server.url(), tmp_path / "m")
    assert told == "another process is fetching m at this moment"


# what is refused


def test_a_wrong_digest_is_refused_and_what_came_is_removed(server: FileServer, tmp_path: Path) -> None:
    told = refused(server.url(), tmp_path / "m", DigestWrong, sha256="0" * 64)
    assert f"has the SHA-256 {SHA}, not {'0' * 64}" in told
    assert left(tmp_path) == []


def test_a_wrong_digest_leaves_an_older_file_as_it_is(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"older")
    with pytest.raises(DigestWrong):
        get(server.url(), tmp_path / "m", sha256="0" * 64)
    assert (tmp_path / "m").read_bytes() == b"older"


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, SHA + "0"])
def test_what_is_no_digest_is_refused_before_anything_is_asked(
    server: FileServer, tmp_path: Path, digest: str
) -> None:
    assert "64 hexadecimal digits" in refused(server.url(), tmp_path / "m", AddressRefused, sha256=digest)
    assert server.requests == []


def test_another_length_than_expected_is_refused_before_it_is_read(
    server: FileServer, tmp_path: Path
) -> None:
    told = refused(server.url(), tmp_path / "m", size=1000)
    assert "has 262,144 bytes; 1,000 were expected" in told
    assert left(tmp_path) == []


def test_a_length_that_promises_too_much_ends_as_cut_off(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.wrong_length, server.behaviour.ranges = 2 * len(CONTENT), False
    assert "was cut off after 262,144 of 524,288 bytes" in refused(server.url(), tmp_path / "m")


def test_a_file_larger_than_the_limit_is_refused_unread(server: FileServer, tmp_path: Path) -> None:
    told = refused(server.url(), tmp_path / "m", limits=QUICK._replace(bytes=1000))
    assert "has 262.1 kB; at most 1.0 kB are taken" in told


@pytest.mark.parametrize("chunked", [False, True])
def test_an_endless_answer_ends_at_the_limit_and_leaves_nothing(
    server: FileServer, tmp_path: Path, chunked: bool
) -> None:
    server.behaviour.endless, server.behaviour.length, server.behaviour.chunked = True, False, chunked
    told = refused(server.url(), tmp_path / "m", limits=QUICK._replace(bytes=1_000_000))
    assert "goes on after the 1.0 MB that it may have" in told
    assert left(tmp_path) == []


def test_a_file_for_which_there_is_no_room_is_refused_unread(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "inference.fetch.shutil.disk_usage", lambda folder: os.terminal_size((1, 1)) and _Full
    )
    assert "262.1 kB, but" in refused(server.url(), tmp_path / "m")


class _Full:
    free = 1000


def test_a_disk_that_fills_up_is_a_sentence(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import inference.fetch_partial as partial

    def full(self: object, block: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(partial.Partial, "_opened", lambda self: _Broken(self._file, full))
    assert f"{tmp_path} cannot be written: No space left on device" in refused(server.url(), tmp_path / "m")


class _Broken:
    """A file that cannot be written."""

    def __init__(self, file: Any, write: Any) -> None:
        self._file = file
        self.write = functools.partial(write, self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_silent_server_is_given_up(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.hang = True
    told = refused(server.url(), tmp_path / "m", limits=Limits(patience=0.1, tries=2))
    assert "is silent for too long" in told
    assert len(server.requests) == 2


def test_a_body_that_drips_is_given_up(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.block, server.behaviour.pause = 2, 0.02
    told = refused(server.url(), tmp_path / "m", limits=Limits(patience=1.0, tries=1))
    assert "comes too slowly" in told


def test_a_file_that_is_not_there_is_told_at_once(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.status = 404
    assert "answers 404" in refused(server.url("/gone?key=secret"), tmp_path / "m")
    assert len(server.requests) == 1


def test_a_server_that_stumbles_is_asked_again(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.status, server.behaviour.failures = 503, 2
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT


def test_a_packed_answer_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.headers["Content-Encoding"] = "gzip"
    assert "sends the file packed (gzip), unasked" in refused(server.url(), tmp_path / "m")


def test_a_port_where_nobody_listens_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    told = refused(f"http://127.0.0.1:{port}/m", tmp_path / "m")
    assert told == f"http://127.0.0.1:{port}/m cannot be reached: Connection refused"


@contextlib.contextmanager
def raw_server(*answers: bytes, pause: float = 0.0, end: bytes = b"") -> Iterator[str]:
    """Answers three connections with the same bytes, piece by piece, the last one over and over."""
    closing = threading.Event()

    def answer(listener: socket.socket) -> None:
        for _ in range(3):
            with contextlib.suppress(OSError), listener.accept()[0] as peer:
                peer.recv(1000)
                for piece in answers:
                    peer.sendall(piece)
                while end and not closing.wait(pause):
                    peer.sendall(end)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/m"
        closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_what_is_no_web_server_is_a_sentence(tmp_path: Path) -> None:
    with raw_server(b"220 mail here\r\n") as url:
        assert "does not answer as a web server does" in refused(url, tmp_path / "m")


def test_a_head_that_drips_is_given_up(tmp_path: Path) -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\n", pause=0.02, end=b"X: y\r\n") as url:
        told = refused(url, tmp_path / "m", limits=Limits(patience=0.1, tries=1))
    assert "is silent for too long" in told


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"206 Partial Content\r\nContent-Length: 5", "does not say which"),
        (b"206 Partial Content\r\nContent-Range: bytes 7-9/100", "another part than was asked for"),
        (b"302 Found", "redirects to nowhere"),
        (b"302 Found\r\nLocation: http://[", "redirects to what is no address"),
        (b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "was cut off"),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_sentence(head: bytes, said: str, tmp_path: Path) -> None:
    with raw_server(b"HTTP/1.1 " + head + b"\r\n\r\n") as url:
        assert said in refused(url, tmp_path / "m")


def test_a_missing_file_a_folder_and_a_pipe_are_sentences(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "does not exist" in refused((tmp_path / "none").as_uri(), tmp_path / "m", ModelNotFound)
    assert "is no file" in refused(tmp_path.as_uri(), tmp_path / "m", AddressRefused)
    assert "is no file" in refused((tmp_path / "pipe").as_uri(), tmp_path / "m", AddressRefused)
    assert left(tmp_path) == ["pipe"]


# redirects


def test_a_redirect_on_the_same_server_is_followed(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.location = "/there"
    assert get(server.url(), tmp_path / "m").read_bytes() == CONTENT


def test_a_redirect_to_another_scheme_is_refused(server: FileServer, tmp_path: Path) -> None:
    for target in (f"file://{tmp_path}/x", "https://example.invalid/m", "ftp://example.invalid/m"):
        server.behaviour.location = target
        assert "only another http address is followed" in refused(
            server.url(), tmp_path / "m", AddressRefused
        )


def test_a_redirect_to_another_server_of_this_machine_is_refused(server: FileServer, tmp_path: Path) -> None:
    with FileServer(CONTENT) as other:
        server.behaviour.location = other.url()
        told = refused(server.url(), tmp_path / "m", AddressRefused)
        assert "127.0.0.1, this machine" in told
        assert other.requests == []


def test_a_redirect_to_a_link_local_address_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.location = "http://169.254.169.254/latest/meta-data"
    assert "a link-local address" in refused(server.url(), tmp_path / "m", AddressRefused)


def test_redirects_without_end_are_given_up(server: FileServer, tmp_path: Path) -> None:
    server.behaviour.location = "/again"
    assert "redirects more than 5 times" in refused(server.url(), tmp_path / "m")


# certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    own = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(own + made.public_bytes(pem))
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[FileServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with FileServer(CONTENT, tls=context) as found:
        yield found


def test_https_is_gone_on_with_after_a_cut_too(
    secure: FileServer, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    secure.behaviour.cut_after, secure.behaviour.cuts = 100_000, 1
    path = get(secure.url(), tmp_path / "m", reach=Reach(loopback=True))
    assert path.read_bytes() == CONTENT
    assert secure.requests[-1][1] == "bytes=100000-"


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: FileServer, tmp_path: Path) -> None:
    told = refused(secure.url(), tmp_path / "m")
    assert "the server's certificate is not good: self-signed certificate" in told
    assert secure.requests == []


def test_https_through_a_proxy_asks_for_a_tunnel(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("no_proxy", "")
    told = refused("https://models.invalid/m", tmp_path / "m")
    assert "cannot be reached: Tunnel connection failed: 501" in told


# addresses


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://example.invalid/m", "not encrypted"),
        ("file:///etc/passwd", "a file of this machine"),
        ("ftp://example.invalid/m", "not an address of https, http, s3 or file"),
        ("model.onnx", "not an address of"),
        ("https:///m", "names no machine"),
        ("https://user:word@example.invalid/m", "has a user name in it"),
        ("https://example.invalid:99999/m", "is no address"),
        ("https://example.invalid/a b", "no blanks"),
        ("https://example.invalid/\r\nHost: x", "no blanks"),
        ("https://" + "a" * 5000, "at most 4096"),
    ],
)
def test_an_address_from_outside_that_may_not_be_asked_is_refused(uri: str, said: str) -> None:
    with pytest.raises(AddressRefused, match=said):
        checked(uri, Reach())


def test_an_address_is_told_without_its_secrets() -> None:
    assert shown("https://me:word@example.invalid:8443/a/m?signature=x") == "https://example.invalid:8443/a/m"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "169.254.169.254", "fe80::1%eth0", "::ffff:127.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "ff02::1", "255.255.255.255"],
)  # fmt: skip
def test_no_stranger_leads_to_this_machine_or_its_neighbours(address: str) -> None:
    assert forbidden(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "10.0.0.7", "192.168.1.5", "2606:2800:220:1::1"])
def test_other_machines_may_be_asked(address: str) -> None:
    assert forbidden(address) is None


def test_a_name_that_resolves_to_this_machine_is_refused_even_among_others() -> None:
    def resolve(host: str, port: int, **more: Any) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("127.0.0.1", port))]

    with pytest.raises(AddressRefused, match=r"example\.invalid is 127\.0\.0\.1, this machine"):
        places("example.invalid", 443, loopback=False, resolve=resolve)


def test_loopback_is_asked_only_where_it_is_allowed(server: FileServer, tmp_path: Path) -> None:
    told = refused(server.url(), tmp_path / "m", AddressRefused, reach=Reach(insecure=True))
    assert "this machine" in told
    assert server.requests == []


def test_a_proxy_of_the_environment_is_asked(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("no_proxy", "")
    get("http://models.invalid/a%20b/m.onnx?x=1", tmp_path / "m")
    assert server.requests[0][0] == "http://models.invalid/a%20b/m.onnx?x=1"


def test_a_proxy_is_not_asked_for_this_machine_by_its_number(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("no_proxy", "")
    assert "may not be asked" in refused("http://169.254.169.254/x", tmp_path / "m", AddressRefused)
