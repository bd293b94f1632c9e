"""One schema for file, environment and command line: each value from the highest place, each mistake with its place."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from edge import config, redaction
from edge.config import Config, Given
from edge.config.keys import leaves
from edge.errors import ConfigInvalid

EVERYTHING = """
thing: cam-1
project: trash-sorter
sources:
  front: camera:0
  yard: {uri: "rtsp://yard/1", patience: forever, size: 1280x720, rate: 15}
  clips: {uri: clips/, loop: true, pace: realtime, size: [640, 480], patience: 2m}
inference:
  {backend: onnxruntime, device: [GPU, CPU], requests: 2, hint: throughput, threads: 2, profile: false,
   cache: {enabled: true, path: kept, max_bytes: 2000000}}
transport:
  kind: iot_core
  protocol: 3.1.1
  endpoint: broker.local
  port: 8883
  tls: true
  cert: certs/cam.crt
  key: certs/cam.key
  ca: /etc/ca.pem
  client_id: cam-1
  username: me
  password: secret:mqtt
  alpn: false
  budget: none
streams:
  {project: {enabled: true}, device: {enabled: false, rate: 0.5, quality: 60}, fifo: {device: a, project: b},
   dialects: [aws-ml],
   record: {device: true, project: true, path: video, rate: 5, segment: 1m, max_bytes: 2000000, max_seconds: 24h}}
privacy: [{source: front, box: [0, 0, 0.5, 1], mode: blur, from: device}]
spool: {path: state, max_bytes: 1000000, max_age: 24h, sync_ms: 250, replay: ordered}
swap: {frames: 10, latency: 50ms, agreement: 0.9, keys: release.pub}
commands: {enabled: true, allow: [report], rate: 5}
http: {enabled: true, host: 0.0.0.0, port: 0, token: secret:mqtt, cert: web.crt, key: web.key, insecure: false,
  rate: 10, viewers: 20}
console: {host: "::1", port: 8081, token: abc, cert: web.crt, key: web.key, insecure: true}
log: {level: warning, levels: {streams.feed: debug}, format: json}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def secret() -> str:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "lensracer" / "secrets"
    folder.mkdir(parents=True)
    (folder / "mqtt").write_text("hunter2222\n")
    (folder / "mqtt").chmod(0o600)
    return "hunter2222"


def environ(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")}
    return {**kept, **more}


def load(text: str = "", more: Mapping[str, str] | None = None, **overrides: Any) -> Config:
    path = Path("folder") / "edge.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return config.load(
        path, environ(**(more or {})), {key.replace("__", "."): value for key, value in overrides.items()}
    )


def refusal(text: str = "", more: Mapping[str, str] | None = None, **overrides: Any) -> str:
    with pytest.raises(ConfigInvalid) as caught:
        load(text, more, **overrides)
    return str(caught.value).replace(f"{Path.cwd()}/folder/", "")


def test_every_key_of_the_file_arrives(secret: str, tmp_path: Path) -> None:
    found = load(EVERYTHING)
    folder = tmp_path / "folder"
    assert found.thing == "cam-1"
    assert found.project == "trash-sorter"
    assert found.sources["front"].uri == "camera:0"
    assert found.sources["front"].patience == 30
    assert found.sources["yard"].patience is None
    assert found.sources["yard"].size == (1280, 720)
    assert found.sources["yard"].rate == 15
    assert found.sources["clips"].uri == f"{folder}/clips/"
    assert found.sources["clips"].patience == 120
    assert found.sources["clips"].loop is True
    assert found.sources["clips"].pace == "realtime"
    assert found.inference.backend == "onnxruntime"
    assert found.inference.requests == 2
    assert found.inference.device == "GPU,CPU"
    assert found.inference.cache.folder == folder / "kept"
    assert found.transport.protocol == "3.1.1"
    assert found.transport.cert == folder / "certs/cam.crt"
    assert found.transport.ca == Path("/etc/ca.pem")
    assert found.transport.password == secret
    assert found.transport.budget == "none"
    assert found.streams.device.rate == 0.5
    assert found.spool.path == folder / "state"
    assert found.http.token == secret
    assert found.console.host == "::1"
    assert found.log.level == "warning"
    assert found.log.levels == {"streams.feed": "debug"}


def test_the_example_holds_every_key_there_is() -> None:
    written = {".".join(key) for key, _ in flat(yaml.safe_load(EVERYTHING))}
    known = {".".join(key).replace(".*", "") for key, _ in leaves()}
    wild = {name.replace(".front", "").replace(".yard", "").replace(".clips", "") for name in written}
    assert known <= {name.removesuffix(".streams.feed") for name in wild} | {"sources.uri"}


def flat(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, (*above, name))
        else:
            yield (*above, name), value


def test_without_anything_there_are_defaults(tmp_path: Path) -> None:
    found = config.load(None, environ(), {})
    assert found.thing
    assert found.project is None
    assert found.sources == {}
    assert found.transport.kind == "local"
    assert found.http.host == "127.0.0.1"
    assert found.spool.path == Path(os.environ["XDG_STATE_HOME"]) / "lensracer" / found.thing
    assert found.file is None
    assert found.model_dump() == Config(thing=found.thing, spool=found.spool).model_dump()


def test_edge_yaml_of_the_working_directory_is_read_where_there_is_one() -> None:
    Path("edge.yaml").write_text("thing: here\n")
    found = config.load(None, environ(), {})
    assert found.thing == "here"
    assert found.file == Path("edge.yaml").absolute()


def test_a_file_that_was_named_and_is_missing_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match=r"absent\.yaml: does not exist"):
        config.load(Path("absent.yaml"), environ(), {})


def test_the_command_line_goes_before_the_environment_and_that_before_the_file() -> None:
    text, more = "thing: file\n", {"EDGE_THING": "environment"}
    assert load(text).thing == "file"
    assert load(text, more).thing == "environment"
    assert load(text, more, thing="line").thing == "line"


def test_sections_are_merged_key_by_key() -> None:
    found = load(
        "streams: {device: {rate: 5, quality: 50}}\n",
        {"EDGE_STREAMS__DEVICE__RATE": "6"},
        streams__project__enabled=False,
    )
    assert found.streams.device.rate == 6
    assert found.streams.device.quality == 50
    assert found.streams.project.enabled is False


def test_each_value_knows_where_it_came_from(tmp_path: Path) -> None:
    found = load("\nthing: a\n", {"EDGE_LOG__LEVEL": "debug"}, http__port=Given("0", "--set", raw=True))
    assert str(found.origin(("thing",))) == f"{tmp_path}/folder/edge.yaml:2"
    assert str(found.origin(("log", "level"))) == "environment variable EDGE_LOG__LEVEL"
    assert str(found.origin(("http", "port"))) == "--set"
    assert str(found.origin(("spool", "path"))) == "default"


# source and sources


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("source: camera:1", "camera:1"),
        ("source: {uri: camera:1, rate: 5}", "camera:1"),
        ("sources: {main: camera:1}", "camera:1"),
        ("source: rtsp://host/1", "rtsp://host/1"),
        ("source: /dev/video0", "/dev/video0"),
    ],
)
def test_source_is_short_for_one_named_main(text: str, uri: str) -> None:
    assert {name: source.uri for name, source in load(text).sources.items()} == {"main": uri}


def test_a_source_of_a_higher_place_replaces_all_sources_below() -> None:
    text = "sources: {front: {uri: camera:0, rate: 5}, main: {uri: camera:1, rate: 7}}\n"
    found = load(text, source="clip.mp4", sources__main__loop=True)
    assert list(found.sources) == ["main"]
    assert found.sources["main"].rate is None
    assert found.sources["main"].loop is True


@pytest.mark.parametrize(
    "text",
    [
        "source: a\nsources: {front: b}\n",
        "sources: {front: {uri: b}}\nsource: a\n",
        "source: a\nsources: {main: {uri: b}}\n",
        "sources: {main: b}\nsource: a\n",
    ],
)
def test_source_beside_sources_is_refused(text: str) -> None:
    assert "stands beside 'source'" in refusal(text)


def test_further_keys_of_main_may_stand_beside_source() -> None:
    assert load("source: a.mp4\nsources: {main: {loop: true}}\n").sources["main"].loop is True


def test_a_mistake_in_what_is_short_is_told_with_the_key_as_it_was_written() -> None:
    assert (
        refusal("source: 5\n")
        == "edge.yaml:1: source: expected text, got 5; write it in quotes if it is meant as text"
    )
    assert refusal("source: {uri: x.mp4, rtae: 5}\n").startswith("edge.yaml:1: source.rtae: is not a key")


# paths


def test_paths_of_the_file_start_at_its_folder_and_others_at_the_working_directory(tmp_path: Path) -> None:
    text = "transport: {cert: a.crt, key: ~/a.key}\nsources: {one: a.mp4, two: clips/}\nproject: ./mine\n"
    found = load(text, {"EDGE_SPOOL__PATH": "here"}, transport__ca="b/ca.pem")
    assert found.transport.cert == tmp_path / "folder" / "a.crt"
    assert found.transport.key == Path("~/a.key").expanduser()
    assert found.transport.ca == tmp_path / "b/ca.pem"
    assert found.spool.path == tmp_path / "here"
    assert found.sources["one"].uri == str(tmp_path / "folder" / "a.mp4")
    assert found.sources["two"].uri == str(tmp_path / "folder" / "clips") + "/"
    assert found.project == str(tmp_path / "folder" / "mine")


def test_a_relative_file_address_starts_at_the_files_folder_too(tmp_path: Path) -> None:
    found = load("sources: {a: 'file:clip.mp4', b: 'file:/clip.mp4', c: 'file:///clip.mp4'}\n").sources
    assert found["a"].uri == f"file:{tmp_path}/folder/clip.mp4"
    assert (found["b"].uri, found["c"].uri) == ("file:/clip.mp4", "file:///clip.mp4")


def test_a_projects_name_stays_a_name_unless_a_folder_of_that_name_lies_beside_the_file(
    tmp_path: Path,
) -> None:
    assert load("project: trash-sorter\n").project == "trash-sorter"
    (tmp_path / "folder" / "trash-sorter").mkdir()
    assert load("project: trash-sorter\n").project == str(tmp_path / "folder" / "trash-sorter")


@pytest.mark.parametrize(
    "uri", ["camera:0", "http://h/v", "synthetic:", "synthetic:?size=640x480", "sim:oval", "file:/x"]
)
def test_an_address_with_a_scheme_is_no_path(uri: str) -> None:
    assert load(f"source: '{uri}'\n").sources["main"].uri == uri


# refusals


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("thing: cam\nport: 5\n",
         "edge.yaml:2: port: is not a key; did you mean transport.port or http.port or console.port?"),
        ("transport:\n  endpiont: x\n",
         "edge.yaml:2: transport.endpiont: is not a key; did you mean transport.endpoint?"),
        ("endpoint: x\n", "edge.yaml:1: endpoint: is not a key; did you mean transport.endpoint?"),
        ("trasnport: {kind: local}\n", "edge.yaml:1: trasnport: is not a key; did you mean transport?"),
        ("streams:\n  device: {fps: 5}\n",
         "edge.yaml:2: streams.device.fps: is not a key; did you mean streams.device.rate?"),
        ("sources: {a: {uri: x, patient: 3}}\n",
         "edge.yaml:1: sources.a.patient: is not a key; did you mean sources.a.patience?"),
        ("privacy: {}\n", "edge.yaml:1: privacy: expected a list of zones"),
        ("secrecy:\n", "edge.yaml:1: secrecy: is not a key"),
        ("thing: 5\n", "edge.yaml:1: thing: expected text, got 5; write it in quotes"),
        ("thing: yes\n", "edge.yaml:1: thing: expected text, got True; write it in quotes"),
        ("thing: 2026-11-22\n", "edge.yaml:1: thing: expected text, got 2026-11-22; write it in quotes"),
        ("thing: [a]\n", "edge.yaml:1: thing: expected text, got ['a']"),
        ("thing: {a: b}\n", "edge.yaml:1: thing: expected text"),
        ("thing:\n", "edge.yaml:1: thing: expected text, got nothing"),
        ("thing: cam 1\n", "edge.yaml:1: thing: expected 1 to 128 letters, digits"),
        (f"thing: {'x' * 129}\n", "edge.yaml:1: thing: expected 1 to 128 letters"),
        ("sources: {Front: x}\n", "a source's name has lower-case letters"),
        ("sources: {a/b: x}\n", "a source's name has lower-case letters"),
        ("sources: [a]\n", "edge.yaml:1: sources: expected names with values below them"),
        ("sources:\n  a: {rate: 5}\n", "edge.yaml:2: sources.a.uri: is missing"),
        ("sources:\n  a:\n", "edge.yaml:2: sources.a.uri: is missing"),
        ("source: {}\n", "edge.yaml:1: sources.main.uri: is missing"),
        ("source: {uri: x, rate: 0}\n", "edge.yaml:1: source.rate: expected more than 0"),
        ("source: {uri: x, rate: fast}\n", "source.rate: expected a number, got 'fast'"),
        ("source: {uri: x, rate: .nan}\n", "source.rate: expected"),
        ("source: {uri: x, size: 640}\n", "source.size: expected [width, height] in pixels"),
        ("source: {uri: x, size: [0, 5]}\n", "source.size: expected [width, height] in pixels"),
        ("source: {uri: x, patience: soon}\n", "source.patience: expected a length of time such as 500ms"),
        ("source: {uri: x, pace: slow}\n", "source.pace: expected 'fast' or 'realtime', got 'slow'"),
        ("source: {uri: ''}\n", "source.uri: expected at least 1 character"),
        ("transport: 5\n", "edge.yaml:1: transport: expected keys with values below them, got 5"),
        ("transport: {port: '1883'}\n", "transport.port: expected a whole number, got '1883'"),
        ("transport: {port: 1.5}\n", "transport.port: expected a whole number, got 1.5"),
        ("transport: {port: 70000}\n", "transport.port: expected at most 65535, got 70000"),
        ("transport: {port: true}\n", "transport.port: expected a whole number, got True"),
        ("transport: {protocol: 4}\n", "transport.protocol: expected '5' or '3.1.1', got '4'"),
        ("transport: {kind: mqtt}\n", "transport.kind: expected 'local', 'iot_core' or 'greengrass', got 'mqtt'"),
        ("transport:\n  kind: iot_core\n",
         "edge.yaml:1: transport.endpoint: is missing: transport.kind iot_core needs"),
        ("transport: {endpoint: 'mqtt://x'}\n", "transport.endpoint: expected a host name without scheme"),
        ("transport: {endpoint: 'x:1883'}\n", "transport.endpoint: expected a host name without scheme"),
        ("transport: {endpoint: x, cert: a}\n", "transport.key: is missing: transport.cert needs its private key"),
        ("transport: {endpoint: x, key: a}\n", "transport.cert: is missing"),
        ("transport: {endpoint: x, password: hunter2222}\n", "transport.username: is missing"),
        ("transport: {endpoint: x, tls: false, port: 8883}\n", "transport.tls: is false, yet"),
        ("transport: {alpn: maybe}\n", "transport.alpn: expected true or false, got 'maybe'"),
        ("transport: {client_id: ''}\n", "transport.client_id: expected at least 1 character"),
        ("streams: {device: {quality: 0}}\n", "streams.device.quality: expected at least 1, got 0"),
        ("spool: {max_bytes: 10}\n", "spool.max_bytes: expected at least 65536, got 10"),
        ("http: {host: 0.0.0.0}\n", "http.token: is missing: whoever reaches 0.0.0.0 could watch"),
        ("console: {host: example.org}\n", "console.token: is missing"),
        ("log: {level: loud}\n", "log.level: expected 'debug', 'info', 'warning' or 'error', got 'loud'"),
        ("log: {levels: {streams.feed: loud}}\n", "edge.yaml:1: log.levels.streams.feed: expected 'debug', 'info'"),
        ("inference: {requests: 0}\n", "inference.requests: expected at least 1, got 0"),
        ("transport: {cert: 5}\n", "transport.cert: expected a path, got 5"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_key_and_what_was_expected(text: str, sentence: str) -> None:
    assert sentence in refusal(text)


def test_all_mistakes_are_told_at_once() -> None:
    told = refusal(
        "thing: 5\nlog: {level: loud}\n", {"EDGE_HTTP__PORT": "x"}, spool__max_bytes=0
    ).splitlines()
    assert len(told) == 4


@pytest.mark.parametrize(
    "text", ["transport:\nlog:\n  # level: info\n", "sources:\n", "streams: {device: }\n"]
)
def test_a_section_whose_keys_are_all_commented_out_is_no_mistake(text: str) -> None:
    assert load(text)


def test_a_value_where_others_have_a_section_is_refused() -> None:
    assert "transport: expected keys and values below it" in refusal(
        "transport: 5\n", {"EDGE_TRANSPORT__ALPN": "true"}
    )


def test_what_is_secret_is_not_shown_by_the_mistake_about_it() -> None:
    told = refusal(
        "transport: {endpoint: x, username: a, password: [hunter2222]}\nsource: [rtsp://a:hunter3333@b]\n"
    )
    assert "hunter" not in told


# environment


def test_a_variable_is_understood_as_its_key_wants_it() -> None:
    more = {
        "EDGE_THING": "007",
        "EDGE_TRANSPORT__ENDPOINT": "localhost",
        "EDGE_TRANSPORT__PROTOCOL": "5",
        "EDGE_TRANSPORT__PASSWORD": "on",
        "EDGE_TRANSPORT__USERNAME": "@{",
        "EDGE_TRANSPORT__PORT": "1883",
        "EDGE_SOURCES__FRONT": "camera:0",
        "EDGE_SOURCES__BACK__SIZE": "[640, 480]",
        "EDGE_SOURCES__BACK__URI": "camera:1",
        "EDGE_STREAMS__DEVICE__ENABLED": "false",
        "EDGE_LOG__LEVELS__STREAMS__FEED": "debug",
        "EDGE_TRANSPORT__BUDGET": "null",
    }
    found = load("transport: {budget: lite}\n", more)
    assert found.thing == "007"
    assert found.transport.kind == "iot_core"
    assert found.transport.password == "on"
    assert found.transport.username == "@{"
    assert found.transport.port == 1883
    assert found.transport.budget is None
    assert found.sources["front"].uri == "camera:0"
    assert found.sources["back"].size == (640, 480)
    assert found.streams.device.enabled is False
    assert found.log.levels == {"streams.feed": "debug"}


def test_a_whole_section_can_be_given_in_flow_style() -> None:
    found = load(
        "", {"EDGE_SOURCES": "{front: camera:0, back: {uri: camera:1}}", "EDGE_SPOOL": "{max_bytes: 100000}"}
    )
    assert set(found.sources) == {"front", "back"}
    assert found.spool.max_bytes == 100000


def test_reserved_words_and_empty_variables_are_no_configuration() -> None:
    reserved = [
        "EDGE_CPU",
        "EDGE_KERNELS",
        "EDGE_DEBUG_KERNELS",
        "EDGE_SANITIZE",
        "EDGE_CI",
        "EDGE_SHARED_DATA",
    ]
    assert (
        load("thing: a\n", {**dict.fromkeys(reserved, "1"), "EDGE_THING": "", "EDGE_NONSENSE": ""}).thing
        == "a"
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("EDGE_TRANSPORT__KNID", "transport.knid: is not a key; did you mean transport.kind?"),
        ("EDGE_TRANSPORT_KIND", "transport_kind: is not a key; did you mean transport.kind?"),
        ("EDGE_KERNEL", "is not known; did you mean EDGE_KERNELS?"),
        ("EDGE_TRANSPRT__KIND", "transprt: is not a key; did you mean transport?"),
        ("EDGE_HTTP__PORT", "http.port: expected a whole number, got 'x'"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(name: str, sentence: str) -> None:
    assert refusal("", {name: "x"}) == f"environment variable {name}: {sentence}"


def test_a_variable_that_is_no_yaml_is_refused() -> None:
    assert refusal("", {"EDGE_HTTP__PORT": "[1"}).startswith(
        "environment variable EDGE_HTTP__PORT: http.port: the value is not readable as YAML"
    )


# secrets


def test_any_value_may_be_a_secret(secret: str) -> None:
    found = load(
        "transport: {endpoint: x, username: 'secret:mqtt', password: 'secret:mqtt'}\nsource: secret:mqtt\n"
    )
    assert found.transport.username == secret
    assert found.sources["main"].uri.endswith(secret)
    assert redaction.hide(repr(found.transport)).count(secret) == 0


def test_a_secret_may_hold_a_number_or_a_whole_address(secret: str) -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "lensracer" / "secrets"
    for name, content in (("port", "1884"), ("uri", "rtsp://me:swordfish@cam/1")):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
    found = load(
        "transport: {endpoint: x, port: secret:port}\nsource: secret:uri\n",
        {"EDGE_HTTP__TOKEN": "secret:mqtt"},
    )
    assert found.transport.port == 1884
    assert found.sources["main"].uri == "rtsp://me:swordfish@cam/1"
    assert found.http.token == secret
    assert redaction.hide("of swordfish") == "of ***"


def test_where_a_path_belongs_a_secret_is_the_path_of_its_file(secret: str) -> None:
    found = load("transport: {endpoint: x, cert: a.crt, key: secret:mqtt}\n")
    assert found.transport.key == Path(os.environ["XDG_CONFIG_HOME"]) / "lensracer" / "secrets" / "mqtt"


def test_a_missing_or_open_secret_is_told_with_the_place_of_its_name(secret: str) -> None:
    assert refusal("\nsource: secret:absent\n").startswith("edge.yaml:2: source: there is no secret 'absent'")
    (Path(os.environ["XDG_CONFIG_HOME"]) / "lensracer" / "secrets" / "mqtt").chmod(0o644)
    told = refusal("", {"EDGE_TRANSPORT__PASSWORD": "secret:mqtt"})
    assert told.startswith(
        "environment variable EDGE_TRANSPORT__PASSWORD: transport.password: others may read"
    )


def test_passwords_and_tokens_are_hidden_from_then_on_wherever_they_came_from() -> None:
    load(
        "source: rtsp://u:swordfish1@cam\nhttp: {token: swordfish2}\n", {"EDGE_CONSOLE__TOKEN": "swordfish3"}
    )
    assert redaction.hide("swordfish1 swordfish2 swordfish3") == "*** *** ***"


# the command line


def test_set_takes_any_key_and_understands_the_value_as_the_environment_does() -> None:
    given = config.overrides(
        ["streams.device.rate=5", "thing=007", "sources.a.uri=x=y.mp4", "http.token='a b'"]
    )
    found = config.load(None, environ(), given)
    assert found.streams.device.rate == 5
    assert found.thing == "007"
    assert found.sources["a"].uri.endswith("x=y.mp4")
    assert found.http.token == "a b"


@pytest.mark.parametrize("pair", ["thing", "=5", ""])
def test_a_set_without_key_and_value_is_refused(pair: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"--set: expected key=value"):
        config.overrides([pair])


def test_a_mistake_of_an_option_names_the_option() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        config.load(None, environ(), config.overrides(["thingy=5"], source=""))
    assert "--set: thingy: is not a key; did you mean thing?" in str(caught.value)
    assert "--source: source: expected at least 1 character" in str(caught.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("local", {"kind": "local"}),
        ("mqtt://localhost", {"kind": "iot_core", "endpoint": "localhost", "port": 1883, "tls": False}),
        ("mqtt://10.0.0.1:1884", {"endpoint": "10.0.0.1", "port": 1884}),
        ("mqtt://[::1]:1884", {"endpoint": "::1", "port": 1884}),
        ("mqtts://broker", {"endpoint": "broker", "port": 8883, "tls": True}),
        ("mqtt://me:p%40ss@broker/", {"username": "me", "password": "p@ss"}),
    ],
)
def test_a_transports_address_stands_for_its_keys(address: str, expected: dict[str, Any]) -> None:
    found = config.load(None, environ(), config.overrides(transport=address))
    assert {key: getattr(found.transport, key) for key in expected} == expected


@pytest.mark.parametrize(
    "address",
    ["broker", "http://broker", "mqtt://", "mqtt://x/topic", "mqtt://x?y", "mqtt://x:0x5", "mqtt://x:70000"],
)
def test_an_address_that_no_transport_has_is_refused(address: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"--transport: transport: expected"):
        config.overrides(transport=address)


def test_another_broker_never_gets_the_password_of_the_files_broker() -> None:
    text = "transport: {endpoint: a, username: me, password: hunter2222, cert: a.crt, key: a.key}\n"
    path = Path("edge.yaml")
    path.write_text(text)
    plain = config.load(path, environ(), config.overrides(transport="mqtt://b")).transport
    assert (plain.username, plain.password, plain.cert, plain.key) == (None, None, None, None)
    secure = config.load(path, environ(), config.overrides(transport="mqtts://b")).transport
    assert secure.password is None
    assert secure.cert is not None


def test_tls_on_an_unusual_port_trusts_the_systems_authorities() -> None:
    found = config.load(None, environ(), config.overrides(transport="mqtts://b:9999")).transport
    assert found.asks_for_tls
    assert found.ca is not None
    assert found.ca.is_file()


# what is shown


def test_shown_are_all_effective_values_with_their_origins_and_nothing_secret(secret: str) -> None:
    path = Path("edge.yaml")
    path.write_text(EVERYTHING + "\n")
    given = {"http.token": "hunter9999", "sources.door.uri": "rtsp://me:hunter8888@door"}
    rows = {row["key"]: row for row in config.shown(config.load(path, environ(), given))}
    assert rows["transport.password"]["value"] == "secret:mqtt"
    assert rows["http.token"]["value"] == "***"
    assert rows["sources.door.uri"]["value"] == "rtsp://***@door"
    assert rows["sources.door.uri"]["origin"] == "--set"
    assert rows["sources.yard.size"]["value"] == [1280, 720]
    assert rows["sources.yard.size"]["origin"].endswith("edge.yaml:6")
    assert rows["sources.front.rate"]["origin"] == "default"
    assert "hunter" not in str(rows)


def test_a_repr_shows_no_password(secret: str) -> None:
    found = load(
        "transport: {endpoint: x, username: a, password: hunter7777}\nsource: rtsp://u:hunter8888@c\n"
    )
    assert "hunter" not in repr(found) + str(found) + repr(found.sources) + f"{found.transport}"


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().thing = "x"  # type: ignore[misc]


# the schema


@pytest.mark.parametrize(
    "text",
    [
        EVERYTHING,
        "",
        "source: camera:0",
        "source: {uri: x, rate: 5}",
        "transport:\nlog:\n",
        "sources: {a: b}",
    ],
)
def test_what_is_accepted_is_valid_by_the_json_schema(secret: str, text: str) -> None:
    jsonschema.Draft202012Validator(config.schema()).validate(yaml.safe_load(text) or {})
    assert load(text)


@pytest.mark.parametrize(
    "text",
    ["thingy: a", "transport: {port: '1'}", "log: {level: 5}", "sources: {a: {rate: 5}}", "source: {uri: x, size: [1]}",
     "source: {uri: x, patience: soon}", "http: {port: -1}"],
)  # fmt: skip
def test_what_is_refused_is_invalid_by_the_json_schema(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(config.schema()).validate(yaml.safe_load(text))
    with pytest.raises(ConfigInvalid):
        load(text)


def test_every_key_has_a_description_in_the_schema() -> None:
    found = config.schema()
    jsonschema.Draft202012Validator.check_schema(found)
    for part in (found, *found["$defs"].values()):
        for name, content in part.get("properties", {}).items():
            assert content.get("description", "").endswith("."), name


def test_the_budgets_are_those_that_there_are() -> None:
    from streams.budget import BUDGETS

    choices = config.schema()["$defs"]["Transport"]["properties"]["budget"]["anyOf"][0]["enum"]
    assert set(choices) == set(BUDGETS)


def test_the_backends_are_those_that_there_are() -> None:
    from inference.backends.choice import BACKENDS

    assert set(config.schema()["$defs"]["Inference"]["properties"]["backend"]["enum"]) == set(BACKENDS)


def test_the_documentation_names_every_key_and_nothing_else(repository: Path) -> None:
    text = (repository / "docs" / "configure.md").read_text()
    rows = [
        line.split("|")[1]
        for line in text.partition("## Keys")[2].partition("## Secrets")[0].splitlines()
        if "|" in line
    ]
    named = {name for row in rows for name in re.findall(r"`([a-z_.<>]+)`", row)}
    known = {".".join(key) for key, _ in leaves()}
    assert {name.replace("<name>", "*").replace("<module>", "*") for name in named} == known


def test_more_sources_than_a_device_can_hold_are_refused(tmp_path: Path) -> None:
    sources = ", ".join(f"s{number}: 'synthetic:'" for number in range(65))
    (tmp_path / "edge.yaml").write_text(f"sources: {{{sources}}}\n")
    with pytest.raises(ConfigInvalid, match="sources: expected at most 64 sources, got 65"):
        config.load(tmp_path / "edge.yaml", {}, {})
