"""A model that is loaded while the rest of the program is imported: what compiles it needs no interpreter."""

import threading
from collections.abc import Callable

from inference.model import Model

PATIENCE = 5.0  # seconds that a model which nobody wants any more is waited for, so that it can be closed


class Ahead:
    """Begins to load at once, on a thread of its own. `load` raises what it likes: `take` raises it again."""

    def __init__(self, load: Callable[[], Model]) -> None:
        self._load = load
        self._model: Model | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def take(self) -> Model:
        """The model, when it is there; it belongs to whoever takes it."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        model, self._model = self._model, None
        assert model is not None, "it was taken before"
        return model

    def close(self) -> None:
        """Let go of a model that nobody took. Safe to call twice."""
        self._thread.join(PATIENCE)
        if self._model is not None:
            self._model.close()
            self._model = None

    def _run(self) -> None:
        try:
            self._model = self._load()
        except BaseException as error:
            self._error = error
