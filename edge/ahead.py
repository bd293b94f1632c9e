"""A model that is loaded while the rest of the program is imported: what compiles it needs no interpreter."""

import threading
from collections.abc import Callable

from edge import exits, signals
from inference.model import Model

PATIENCE = 0.3  # seconds that the loading of a model which nobody wants any more is waited for
LOOK_ROUND = 0.1  # seconds


class Ahead:
    """Begins to load at once, on a thread of its own. `load` raises what it likes: `take` raises it again."""

    def __init__(self, load: Callable[[], Model]) -> None:
        self._load = load
        self._model: Model | None = None
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._unwanted = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def take(self) -> Model:
        """The model, when it is there; it belongs to whoever takes it. Raises KeyboardInterrupt also for a Ctrl-C
        that was swallowed meanwhile, by a library that was being loaded."""
        while self._thread.is_alive():
            signals.check()
            self._thread.join(LOOK_ROUND)
        if self._error is not None:
            raise self._error
        with self._lock:
            model, self._model = self._model, None
        assert model is not None, "it was taken before"
        return model

    def close(self) -> None:
        """Let go of a model that nobody took. Safe to call twice.

        Nothing interrupts a library that compiles: a start that has failed, or was interrupted, leaves it behind
        after PATIENCE, and has the process end without it (edge.exits.leave).
        """
        with self._lock:
            self._unwanted = True
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            exits.leave_behind(self._thread)
        self._let_go()

    def _run(self) -> None:
        try:
            model = self._load()
        except BaseException as error:
            self._error = error
            return
        with self._lock:
            self._model = model
        if self._unwanted:
            self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            model, self._model = self._model, None
        if model is not None:
            model.close()
