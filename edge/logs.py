"""The program's log: text on a terminal, one JSON object a line elsewhere, nothing secret in either."""

import datetime
import json
import logging
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

from edge.progress import CLEAR
from edge.redaction import RedactionFilter, hide

OURS = ("edge", "inference", "streams", "control", "kernels")
THREADS = logging.getLogger("edge.threads")


class Handler(logging.StreamHandler[TextIO]):
    """Marks the handler that `setup` made, so that it can be replaced. On a terminal it wipes a line of progress."""

    clears = False

    def format(self, record: logging.LogRecord) -> str:
        return (CLEAR if self.clears else "") + super().format(record)


def setup(
    level: str = "info",
    levels: Mapping[str, str] | None = None,
    format: str = "auto",  # noqa: A002 - the setting's own name
    stream: TextIO | None = None,
) -> None:
    """Send the log to a stream (the standard error). May be called again; the last call holds.

    level: of our own modules; what others tell appears from `warning` on, unless `levels` names them.
    Tracebacks appear at `debug` alone. format: "text", "json", or "auto" (text on a terminal).
    Warnings of Python are logged too.
    """
    stream = sys.stderr if stream is None else stream
    is_text = format == "text" or (format == "auto" and stream.isatty())
    handler = Handler(stream)
    handler.setFormatter(formatter(is_text=is_text, tracebacks=level == "debug"))
    handler.clears = is_text and stream.isatty()
    handler.addFilter(RedactionFilter())
    root = logging.getLogger()
    for earlier in [found for found in root.handlers if isinstance(found, Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    set_levels(level, levels or {})
    logging.captureWarnings(capture=True)
    threading.excepthook = log_thread_end
    sys.unraisablehook = log_unraisable


def set_levels(level: str, levels: Mapping[str, str]) -> None:
    logging.getLogger().setLevel(max(logging.WARNING, number(level)))
    for name in OURS:
        logging.getLogger(name).setLevel(number(level))
    for name, own in levels.items():
        logging.getLogger(name).setLevel(number(own))


def number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def formatter(*, is_text: bool, tracebacks: bool) -> logging.Formatter:
    return TextFormatter(tracebacks) if is_text else JsonFormatter(tracebacks)


class TextFormatter(logging.Formatter):
    """`13:04:05.123 warning streams.feed: the camera is gone`"""

    def __init__(self, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        time = moment(record).astimezone().strftime("%H:%M:%S.%f")[:-3]
        line = f"{time} {record.levelname.lower():7} {record.name}: {record.getMessage()}"
        return line + "".join(f"\n{more}" for more in details(record, tracebacks=self._tracebacks).values())


class JsonFormatter(logging.Formatter):
    """One object a line: ts, level, logger, message, and what belongs to an exception."""

    def __init__(self, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "ts": moment(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(content | details(record, tracebacks=self._tracebacks), ensure_ascii=False)


def moment(record: logging.LogRecord) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(record.created, datetime.UTC)


def details(record: logging.LogRecord, *, tracebacks: bool) -> dict[str, str]:
    """What belongs to a record beside its message: the exception in one line, or whole with its traceback."""
    found: dict[str, str] = {}
    if tracebacks and record.exc_text:
        found["traceback"] = record.exc_text
    elif record.exc_info and record.exc_info[1] is not None:
        found["error"] = hide(f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}")
    if tracebacks and record.stack_info:
        found["stack"] = record.stack_info
    return found


def log_thread_end(ended: threading.ExceptHookArgs) -> None:
    """A thread of ours that ends by an exception is always told."""
    if ended.exc_type is SystemExit or ended.exc_value is None:
        return
    name = ended.thread.name if ended.thread else "a thread"
    THREADS.error(
        "%s ended by an error", name, exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback)
    )


def log_unraisable(ignored: "sys.UnraisableHookArgs") -> None:
    if ignored.exc_value is not None:
        message = ignored.err_msg or "an error where none can be raised"
        THREADS.warning(message, exc_info=(ignored.exc_type, ignored.exc_value, ignored.exc_traceback))
