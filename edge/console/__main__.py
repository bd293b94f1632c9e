"""The console as a process.

    python -m edge.console --broker mqtt://HOST:PORT --pictures http://HOST:PORT --thing T --port N

Tokens come in the environment, for the pictures as LENSRACER_PICTURES_TOKEN and for the console itself as
LENSRACER_CONSOLE_TOKEN: everybody may read arguments.
"""

import argparse
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from edge.console import CONSOLE_TOKEN, PICTURES_TOKEN
from edge.ports import pick
from streams.redact import redact_uri
from streams.sinks.gate import Gate
from streams.topics import check_thing
from streams.transports import IotCore, Transport

DEFAULT_BROKER = "mqtt://127.0.0.1:1883"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m edge.console", description="A page that shows a thing live."
    )
    made.add_argument("--broker", default=DEFAULT_BROKER, help="mqtt://HOST:PORT (default: %(default)s)")
    made.add_argument("--protocol", choices=("5", "3.1.1"), default="3.1.1", help="version of MQTT")
    made.add_argument("--pictures", help="http://HOST:PORT of the runtime's pictures")
    made.add_argument("--thing", required=True, help="whose messages to show")
    made.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    made.add_argument("--cert", type=Path, help="certificate for TLS, a PEM file")
    made.add_argument("--key", type=Path, help="its private key")
    made.add_argument("--insecure", action="store_true", help="listen beyond loopback without TLS")
    made.add_argument("--port", type=int, default=8080, help="0 for any free one (default: %(default)s)")
    made.add_argument("--or-free", action="store_true", help="take a free port where that one is taken")
    return made


def transport_to(broker: str, protocol: Literal["5", "3.1.1"], thing: str) -> Transport:
    """A plain MQTT client of a broker. Raises ValueError for an address that is none."""
    parts = urlsplit(broker)
    if parts.scheme != "mqtt" or not parts.hostname:
        raise ValueError(f"--broker must be mqtt://HOST:PORT, not {redact_uri(broker)}")
    return IotCore(
        parts.hostname,
        parts.port or 1883,
        client_id=f"{thing[:100]}-console-{secrets.token_hex(4)}",
        protocol=protocol,
        username=parts.username,
        password=parts.password,
    )


def main(arguments: Sequence[str]) -> int:
    made = parser()
    chosen = made.parse_args(arguments)
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # where it is set, NiceGUI opens a port of its own choice
    logging.getLogger("nicegui").setLevel(logging.WARNING)
    try:
        gate = Gate(
            chosen.host,
            os.environ.get(CONSOLE_TOKEN),
            setting="console",
            cert=chosen.cert,
            key=chosen.key,
            insecure=chosen.insecure,
        )
        transport = transport_to(chosen.broker, chosen.protocol, check_thing(chosen.thing))
        port = pick(chosen.host, chosen.port, or_free=chosen.or_free)
    except (OSError, ValueError) as error:
        made.exit(2, f"No console at {chosen.host}:{chosen.port}: {error}\n")
    from edge.console.app import Door, serve  # a second's worth of imports, which a mistake need not wait for
    from edge.console.pictures import Pictures
    from edge.console.record import Record

    pictures = Pictures(chosen.pictures, os.environ.get(PICTURES_TOKEN))
    broker = redact_uri(chosen.broker)
    door = Door(gate, chosen.host, port, chosen.cert, chosen.key)
    serve(Record(chosen.thing), transport, pictures, broker=broker, door=door)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
