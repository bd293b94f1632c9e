"""What a command does to its own process is undone after each test: the log, the hooks, what is hidden."""

import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from edge import logs, redaction


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    names = ("", *logs.OURS, "streams.feed", "streams.spool")
    levels = {name: logging.getLogger(name).level for name in names}
    hooks = threading.excepthook, sys.unraisablehook
    yield
    root = logging.getLogger()
    for handler in [found for found in root.handlers if isinstance(found, logs.Handler)]:
        root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)
    threading.excepthook, sys.unraisablehook = hooks
    redaction.forget()
