"""What other threads ask of the loop between two frames: to do something, to pause, to show what it sees."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from inference.results import Result
from streams.frame import Frame

Action = Callable[[], Any]


class Sight(NamedTuple):
    """A frame, and what the model said of it; None if it was not asked."""

    frame: Frame
    result: Result | None
    labels: tuple[str, ...]


class Interlude:
    """Where the loop looks between two frames; two attributes tell it whether there is anything to look for.

    due: something is to be done, or the loop is paused. curious: somebody wants to see a frame.
    """

    def __init__(self) -> None:
        self.due = self.curious = self.paused = False
        self._lock = threading.Lock()
        self._going = threading.Event()
        self._going.set()
        self._actions: queue.SimpleQueue[tuple[Action, Future[Any]]] = queue.SimpleQueue()
        self._wishes: dict[str, list[Future[Sight]]] = {}

    def ask(self, action: Action) -> "Future[Any]":
        """Have something done on the loop's thread, where the model and the lanes may be touched. From any thread."""
        done: Future[Any] = Future()
        self._actions.put((action, done))
        self.due = True
        return done

    def pause(self) -> bool:
        """Have the loop look at no further frame; whether it did until now. From any thread."""
        with self._lock:
            was, self.paused = self.paused, True
            self._going.clear()
            self.due = True
            return not was

    def resume(self) -> bool:
        """Have the loop go on; whether it was paused. From any thread."""
        with self._lock:
            was, self.paused = self.paused, False
            self._going.set()
            return was

    def look(self, source: str) -> "Future[Sight]":
        """The next frame of a source, also while the loop is paused. From any thread; who gives up cancels it."""
        wish: Future[Sight] = Future()
        with self._lock:
            self._wishes.setdefault(source, []).append(wish)
            self.curious = True
        return wish

    # What follows is the loop's own.

    def attend(self) -> bool:
        """Do what was asked; whether the loop is to go on with its frames."""
        with self._lock:
            self.due = self.paused
        while not self._actions.empty():
            action, done = self._actions.get()
            if done.set_running_or_notify_cancel():
                try:
                    done.set_result(action())
                except Exception as error:
                    done.set_exception(error)
        return not self.paused

    def rest(self, seconds: float) -> None:
        """Wait so many seconds, or until the pause is over."""
        self._going.wait(seconds)

    def see(self, frame: Frame, result: Result | None, labels: tuple[str, ...]) -> None:
        """Show a frame to whoever waits for one of its source."""
        with self._lock:
            wishes = self._wishes.pop(frame.source, [])
            self.curious = bool(self._wishes)
        for wish in wishes:
            if wish.set_running_or_notify_cancel():
                wish.set_result(Sight(frame, result, labels))
