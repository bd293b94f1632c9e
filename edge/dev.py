"""`edge dev`: everything on this machine: a broker, a page to look at, and the run itself in this process.

The broker and the console are children. They are restarted when they fail, and the run goes on without them.
"""

import dataclasses
import importlib.util
import logging
import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from edge.build import sequence_of
from edge.config import Config, Source, Transport
from edge.console import CONSOLE_TOKEN, PICTURES_TOKEN
from edge.errors import RunFailed
from edge.options import Options
from edge.ports import address, pick
from edge.project import Project
from edge.run import run
from edge.supervise import Child, stop_all
from streams.redact import redact_uri
from streams.sources.devices import Device, cameras

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
BROKER_PORT = 1883
RESTARTS = 3
BROKER_PATIENCE = 10.0  # seconds
CONSOLE_PATIENCE = 30.0  # seconds; nobody waits for it
MAIN = "main"
EXTRA = "pip install 'lensracer[console]'"

Say = Callable[[str], None]
Runner = Callable[[Config, Project, Options], int]


def dev(
    config: Config, project: Project, options: Options, *, say: Say | None = None, runner: Runner = run
) -> int:
    """Run a project with everything round it on this machine; the exit code is the run's.

    say: takes each line for the user; the standard error output when None. runner: does the run.
    Raises what `edge.run.run` raises.
    """
    say = say or to_standard_error
    children: list[Child] = []
    check_state(config)
    try:
        config = with_pictures(with_source(config, project, webcam=options.webcam, say=say))
        broker = start_broker(children, say)
        config = with_broker(config, broker)
        if broker is not None:
            start_console(children, config, broker, say, browser=options.browser)
        tell(config, project, say)
        return runner(config, project, dataclasses.replace(options, watch=True))
    finally:
        stop_all(children)


def check_state(config: Config) -> None:
    """Raise what the run would raise for its state folder, before anything is started and told."""
    sequence_of(config).close()


def to_standard_error(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def with_source(config: Config, project: Project, *, webcam: bool, say: Say) -> Config:
    """The configuration with something to see: what it names, else a webcam, else the project's clip."""
    if config.sources:
        for name, named in config.sources.items():
            say(f"Source    {name}: {redact_uri(named.uri)}")
        return config
    camera, why_not = usable(cameras()) if webcam else (None, "no webcam is wanted")
    if camera is not None:
        say(f"Source    {camera.name} ({camera.path})")
        source = Source(uri=camera.path)
    elif project.clip is not None:
        say(f"Source    {project.clip.name} of {project.name}, over and over: {why_not}")
        source = Source(uri=str(project.clip), loop=True, pace="realtime")
    else:
        say(f"Source    a synthetic picture: {why_not}, and {project.name} has no clip")
        source = Source(uri="synthetic:")
    return config.model_copy(update={"sources": {MAIN: source}})


def usable(found: Sequence[Device]) -> tuple[Device | None, str]:
    """The first camera that may be opened; else None, and why."""
    for camera in found:
        if camera.formats and not camera.holders and camera.refusal is None:
            return camera, ""
    if not found:
        return None, "there is no webcam"
    first = found[0]
    if first.holders:
        return None, f"{first.path} is in use by {first.holders[0]}"
    return None, f"{first.path} cannot be used: {first.refusal or 'it has no format'}"


def with_pictures(config: Config) -> Config:
    """Pictures on loopback, on the port of the configuration or a free one."""
    port = pick(HOST, config.http.port, or_free=True)
    here = {"enabled": True, "host": HOST, "port": port, "cert": None, "key": None}
    http = config.http.model_copy(update=here)
    return config.model_copy(update={"http": http})


def start_broker(children: list[Child], say: Say) -> str | None:
    """Start the embedded broker; its address, or None where there can be none."""
    if not installed("amqtt"):
        say(f"Broker    none, messages stay inside this process. For broker and console: {EXTRA}")
        return None
    child = Child("edge.broker", ["--port", str(BROKER_PORT), "--or-free"], name="broker", restarts=RESTARTS)
    children.append(child)
    try:
        url = child.start(BROKER_PATIENCE)
    except RunFailed as error:
        log.error("%s. Messages stay inside this process.", error)
        return None
    child.arguments = ["--port", str(urlsplit(url).port)]  # started again, it must be where it was
    taken = "" if url.endswith(f":{BROKER_PORT}") else f" (port {BROKER_PORT} is taken)"
    say(f"Broker    {url}{taken}")
    return url


def with_broker(config: Config, broker: str | None) -> Config:
    """Messages to the embedded broker, wherever the configuration sends them: dev mode stays here."""
    if broker is None:
        transport = Transport(kind="local")
    else:
        parts = urlsplit(broker)
        transport = Transport(kind="iot_core", protocol="3.1.1", endpoint=parts.hostname, port=parts.port)
    if config.transport.endpoint:
        log.warning("transport is left aside: dev mode stays on this machine. `edge run` sends elsewhere.")
    return config.model_copy(update={"transport": transport})


def start_console(children: list[Child], config: Config, broker: str, say: Say, *, browser: bool) -> None:
    """Start the console, and open the browser when it is ready. Nobody waits for either."""
    if not installed("nicegui"):
        say(f"Console   none. To have one: {EXTRA}")
        return
    console, host = config.console, config.console.host
    port = pick(host, console.port, or_free=True)
    tokens = {PICTURES_TOKEN: config.http.token, CONSOLE_TOKEN: console.token}
    child = Child(
        "edge.console",
        [
            *("--broker", broker, "--pictures", pictures(config), "--thing", config.thing),
            *("--host", host, "--port", str(port)),
            *(("--cert", str(console.cert), "--key", str(console.key)) if console.cert else ()),
            *(("--insecure",) if console.insecure else ()),
        ],
        name="console",
        restarts=RESTARTS,
        environ={name: token for name, token in tokens.items() if token},
    )
    children.append(child)
    say(f"Console   {address('https' if console.cert else 'http', host, port)}")
    threading.Thread(target=open_console, args=(child, browser and has_display()), daemon=True).start()


def open_console(child: Child, browser: bool) -> None:
    """Wait until the console is ready and show it; what goes wrong is said and changes nothing else."""
    try:
        url = child.start(CONSOLE_PATIENCE)
    except RunFailed as error:
        if not child.stopping:
            log.warning("%s. The run goes on without it.", error)
        return
    log.info("the console is ready: %s", url)
    if browser and not webbrowser.open(url):
        log.info("no browser could be opened to show it")


def has_display(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a browser would have somewhere to appear."""
    return sys.platform == "darwin" or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def pictures(config: Config) -> str:
    return address("http", config.http.host, config.http.port)


def tell(config: Config, project: Project, say: Say) -> None:
    """The rest of what runs where, and how the same is sent from a device."""
    for name in config.sources:
        say(f"Pictures  {pictures(config)}/{name}/project.mjpeg, and device.mjpeg beside it")
    if config.transport.kind == "iot_core":
        say(f"Messages  dt/lensracer/{config.thing}/#")
    how = "--transport mqtts://HOST --set transport.cert=FILE --set transport.key=FILE"
    say(f"From a device, the same: edge run {project.name} --source camera:0 {how}")
    say("Ctrl-C ends everything.")
