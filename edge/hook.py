"""A project's own code: a class with `on_result(frame, result)`, perhaps with `on_start(project)`, `on_stop()`.

    class Hook:
        def on_result(self, frame, result):
            return {"bins": 3}     # added to the message;  None: as it is;  False: no message for this frame

What a hook raises never stops the loop.
"""

import inspect
import json
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from edge.errors import ConfigInvalid, Fault, RunFailed
from edge.hook_code import Code
from edge.project import HOOK_BUDGET
from streams import envelope

log = logging.getLogger(__name__)

PREFERRED = "Hook"  # the class to take where a file has several
REPEAT_AFTER = 60.0  # seconds
# Where a message is from, when, and which model made it: nobody who reads it could trust a hook's word for that.
PROTECTED = frozenset(
    {
        *("schema", "thing", "source", "project", "task", "model", "frame", "latency_ms", "truncated"),
        *("seq", "boot_id", "mono_ms", "clock", "ts", "ts_ms"),
    }
)
Answer = Mapping[str, Any] | bool | None


class Hook:
    """The user's object, and what went wrong in it. Not for several threads at once.

    budget: seconds that on_result may take. clock: monotonic seconds. errors: how often it failed, slow: how often it
    took longer than its budget, worst: the longest that it took, seconds.
    """

    def __init__(
        self,
        subject: Any,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        budget: float = HOOK_BUDGET,
        code: Code | None = None,
    ) -> None:
        self._subject = subject
        self._path = path
        self._clock = clock
        self._code = code
        self._told: dict[str, float] = {}
        self.budget = budget
        self.errors = self.slow = 0
        self.worst = 0.0

    def on_start(self, project: object = None) -> None:
        """Before the first frame. Raises RunFailed: a hook that cannot start is of no use to a whole run."""
        try:
            self._call("on_start", project)
        except (Exception, SystemExit) as error:
            raise RunFailed(f"{self._path}: on_start failed: {told(error, self._path)}") from error

    def on_result(self, frame: object, result: object) -> Answer:
        """What the user's code says of a result: a mapping to add, False for silence, None. Raises nothing but
        the KeyboardInterrupt of an impatient user.
        """
        began = self._clock()
        try:
            return checked(self._subject.on_result(frame, result))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # asyncio.CancelledError is not an Exception
            self._complain(error)
            return None
        finally:
            self._measure(self._clock() - began)

    def on_stop(self) -> None:
        """After the last frame. Never raises."""
        try:
            self._call("on_stop")
        except (Exception, SystemExit) as error:
            self.errors += 1
            log.error("%s: on_stop failed: %s", self._path, told(error, self._path), exc_info=wanted())

    def _call(self, name: str, *given: object) -> None:
        method = getattr(self._subject, name, None)
        if method is not None:
            method(*(given if takes(method, len(given)) else ()))

    def close(self) -> None:
        """Let go of the user's object and its code, after on_stop. May be called twice."""
        self._subject = None
        if self._code is not None:
            self._code.close()

    def _measure(self, took: float) -> None:
        self.worst = max(self.worst, took)
        if took > self.budget:
            self.slow += 1
            if self._may_tell("slow"):
                log.warning(
                    "%s: on_result took %.1f ms; %.1f ms are its budget (%d times so far)",
                    *(self._path, took * 1000, self.budget * 1000, self.slow),
                )

    def _complain(self, error: BaseException) -> None:
        self.errors += 1
        if self._may_tell("failed"):
            log.error(
                "%s: on_result failed (%d so far): %s",
                *(self._path, self.errors, told(error, self._path)),
                exc_info=wanted(),
            )

    def _may_tell(self, kind: str) -> bool:
        """Whether a complaint of this kind was not made within the last minute."""
        now = self._clock()
        due = now - self._told.get(kind, float("-inf")) >= REPEAT_AFTER
        if due:
            self._told[kind] = now
        return due


def wanted() -> bool:
    """Whether the whole traceback is to be logged."""
    return log.isEnabledFor(logging.DEBUG)


def checked(answer: object) -> Answer:
    """What a hook may answer; a mapping as a copy, since its owner may change it before the message is sent.

    Raises TypeError or ValueError for anything that no message could carry.
    """
    if answer is None or isinstance(answer, bool):
        return False if answer is False else None
    if not isinstance(answer, Mapping):
        raise TypeError(f"on_result returns a mapping, None or False, not {type(answer).__name__}")
    if foreign := PROTECTED & answer.keys():
        raise ValueError(
            f"on_result cannot set {', '.join(sorted(foreign))}: they say where a message is from"
        )
    if any(not isinstance(key, str) for key in answer):
        raise TypeError("on_result returns a mapping whose keys are text")
    rows = answer.get("results", [])
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError("on_result may replace `results` by a list of mappings only")
    copied: dict[str, Any] = json.loads(envelope.dumps(dict(answer)))
    return copied


def told(error: BaseException, path: Path) -> str:
    """An exception in a line, with the line of the user's file that it came from."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
    ]
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines, error = [error.lineno], SyntaxError(error.msg)
    place = f" (line {lines[-1]})" if lines and lines[-1] else ""
    return f"{type(error).__name__}: {error}{place}" if str(error) else f"{type(error).__name__}{place}"


def load(path: Path, clock: Callable[[], float] = time.monotonic, *, budget: float = HOOK_BUDGET) -> Hook:
    """Run the file and make an object of its class; it may import what lies beside. Raises ConfigInvalid."""
    code = code_of(path)
    try:
        found = chosen(code.module, path)
        try:
            subject = found()
        except (Exception, SystemExit) as error:
            raise refused(path, f"{found.__name__}() failed: {told(error, path)}") from error
        check_signature(subject, path)
    except BaseException:
        code.close()
        raise
    return Hook(subject, path, clock, budget, code)


def code_of(path: Path) -> Code:
    if not path.is_file():
        raise refused(path, "does not exist")
    if path.suffix != ".py":
        raise refused(path, "is no Python file; its name should end with .py")
    try:
        return Code(path)
    except (Exception, SystemExit) as error:
        raise refused(path, f"cannot be imported: {told(error, path)}") from error


def chosen(module: ModuleType, path: Path) -> type:
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    fit = {found.__name__: found for found in own if callable(getattr(found, "on_result", None))}
    if not fit:
        raise refused(path, "has no class with a method on_result(self, frame, result)")
    if len(fit) > 1 and PREFERRED not in fit:
        names = ", ".join(sorted(fit))
        raise refused(path, f"has several classes with on_result ({names}); name the one to use {PREFERRED}")
    return fit.get(PREFERRED) or next(iter(fit.values()))


def check_signature(subject: Any, path: Path) -> None:
    name = f"{type(subject).__name__}.on_result"
    if inspect.iscoroutinefunction(subject.on_result):
        raise refused(path, f"{name} must be a plain method, not an async one")
    if not takes(subject.on_result, 2):
        raise refused(path, f"{name} must take two arguments beside self: frame and result")


def takes(method: Callable[..., object], count: int) -> bool:
    """Whether a bound method can be called with so many arguments."""
    try:
        inspect.signature(method).bind(*[None] * count)
    except TypeError:
        return False
    return True


def refused(path: Path, message: str) -> ConfigInvalid:
    return ConfigInvalid(Fault(message, "", path))
