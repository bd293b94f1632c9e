"""Exit codes: 0 good, 1 failed while running, 2 usage or configuration, 130 Ctrl-C; and what is said then."""

import contextlib
import logging
import os
import re
import sys
import threading
import traceback

from edge.redaction import hide

GOOD, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
# By name, so that telling an error imports nothing; the first of an error's classes that stands here decides.
CODES = {
    "edge.errors.ConfigInvalid": USAGE,
    "edge.errors.ProjectMissing": USAGE,
    "edge.errors.AlreadyThere": USAGE,
    "edge.errors.RecordingRefused": USAGE,
    "edge.shipment.errors.ShipmentInvalid": USAGE,
    "edge.errors.EdgeError": FAILED,
    "edge.secrets.SecretUnreadable": USAGE,
    "inference.errors.ManifestInvalid": USAGE,
    "inference.errors.ModelNotFound": USAGE,
    "inference.errors.ModelInvalid": USAGE,
    "inference.errors.ModelMismatch": USAGE,
    "inference.errors.BackendUnavailable": USAGE,
    "inference.errors.NotAccepted": USAGE,
    "inference.errors.ExtraMissing": USAGE,
    "inference.errors.AddressRefused": USAGE,
    "inference.errors.PicturesUnfit": USAGE,
    "inference.errors.InferenceError": FAILED,
    "streams.errors.SourceNotFound": USAGE,
    "streams.errors.SourceInvalid": USAGE,
    "streams.errors.TopicInvalid": USAGE,
    "streams.errors.StreamError": FAILED,
    "streams.transports.TransportInvalid": USAGE,
    "streams.sinks.gate.SinkInvalid": USAGE,
    "control.errors.ControlError": FAILED,
    "builtins.OSError": FAILED,
    "builtins.KeyboardInterrupt": INTERRUPTED,
}
NUMBER = re.compile(r"^\[Errno \d+\] ")  # what the system says begins with its own number for it
SURPRISE = (
    "This should not have happened. Run it again with `--log debug` to see where, and please report it."
)

_left_behind: list[threading.Thread] = []


def leave_behind(thread: threading.Thread) -> None:
    """A thread that is inside a library, and that nobody waits for any more: see `leave`."""
    _left_behind.append(thread)


def leave(code: int) -> None:
    """End the process. Raises SystemExit, as `sys.exit` does.

    But not where a thread that was left behind still works inside a library: what an interpreter and libraries take
    down at their ordinary end would be taken from under it. Then all that was told is written out, and no more.
    """
    if any(thread.is_alive() for thread in _left_behind):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
                stream.flush()
        os._exit(code)
    sys.exit(code)


def code_of(error: BaseException) -> int | None:
    """The exit code of an error that is expected to happen; None for a surprise."""
    for kind in type(error).__mro__:
        code = CODES.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code
    return None


def told(error: BaseException) -> tuple[str, int]:
    """What to say of an error, nothing secret in it, and the exit code. At log level debug with traceback."""
    code = code_of(error)
    surprise = f"{type(error).__name__}: {error}\n{SURPRISE}"
    text = surprise if code is None else NUMBER.sub("", str(error)) or type(error).__name__
    if logging.getLogger("edge").isEnabledFor(logging.DEBUG):
        text = "".join(traceback.format_exception(error)) + text
    return hide(text), FAILED if code is None else code
