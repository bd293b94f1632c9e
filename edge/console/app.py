"""The console's server: its pages, the pictures it hands on, and its connection to the broker."""

import asyncio
import logging
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import Response
from fastapi.responses import JSONResponse
from nicegui import app, ui
from nicegui.server import Server

from edge.console.guard import Guard
from edge.console.live import ADDRESS, Live
from edge.console.pictures import Pictures, PicturesAway
from edge.console.record import Record
from edge.console.shell import FAVICON, styles
from edge.ports import address
from edge.supervise import ready
from streams.sinks.gate import Gate
from streams.transports import Transport

log = logging.getLogger(__name__)

FAREWELL = 0.2  # seconds for the last word to the broker
FRESH = {"Cache-Control": "no-store"}


class Door(NamedTuple):
    """Where the console listens, and what it demands there; see Gate."""

    gate: Gate
    host: str
    port: int
    cert: Path | None = None
    key: Path | None = None


def serve(record: Record, transport: Transport, pictures: Pictures, *, broker: str, door: Door) -> None:
    """Serve until the process is told to end; says `ready` with the address of the page. Blocks."""
    app.add_middleware(Guard, gate=door.gate)
    styles()
    hand_on(pictures)

    @ui.page(ADDRESS)
    def live(source: str | None = None) -> None:
        Live(record, pictures, broker, source)

    app.on_startup(lambda: connect(record, transport))
    app.on_startup(lambda: announce(address("https" if door.cert else "http", door.host, door.port)))
    app.on_shutdown(lambda: transport.stop(FAREWELL))
    files: dict[str, Any] = (
        {"ssl_certfile": str(door.cert), "ssl_keyfile": str(door.key)} if door.cert else {}
    )
    ui.run(
        host=door.host,
        port=door.port,
        **files,
        title="lensracer",
        favicon=FAVICON,
        dark=None,  # as the viewer's system has it
        show=False,
        reload=False,
        tailwind=False,
        gzip_middleware_factory=None,  # JPEG does not shrink
        binding_refresh_interval=None,
        message_history_length=100,  # for a page that lost its connection; more would only be memory
        show_welcome_message=False,
        timeout_graceful_shutdown=1,  # an open page must not hold up the end
    )


def connect(record: Record, transport: Transport) -> None:
    """From now on the record hears what the broker has."""
    transport.listen(record.link)
    for topic_filter in record.filters:
        transport.subscribe(topic_filter, record.message)
    transport.start()


async def announce(url: str) -> None:
    """Tell the parent as soon as the server listens, which is after the start-up handlers."""

    async def when_started() -> None:
        while not Server.instance.started:
            await asyncio.sleep(0.01)
        ready(url)

    app.state.announcement = asyncio.create_task(when_started())


def hand_on(pictures: Pictures) -> None:
    """The addresses under which a page finds the pictures."""

    @app.get("/pictures/{source}/latest.json")
    async def latest(source: str) -> Response:
        try:
            return JSONResponse({"id": await pictures.latest(source)}, headers=FRESH)
        except (PicturesAway, ValueError) as error:
            return JSONResponse({"id": None, "error": str(error)}, headers=FRESH)

    @app.get("/pictures/{source}/{kind}/{frame}.jpg")
    async def picture(source: str, kind: str, frame: int) -> Response:
        try:
            reply = await pictures.picture(source, kind, frame)
        except PicturesAway as error:
            return Response(str(error), 502, FRESH)
        except ValueError as error:
            return Response(str(error), 404, FRESH)
        return Response(reply.body, reply.status, FRESH, media_type=reply.kind)
