"""How long to wait before the next try: longer each time, and never in step with others."""

import random


class Backoff:
    """Waits of first, 2 * first, 4 * first, ... seconds up to `most`, each shortened by chance, at most by half."""

    def __init__(self, first: float = 0.5, most: float = 30.0, chance: random.Random | None = None) -> None:
        self._first = first
        self._most = most
        self._chance = chance or random.Random()
        self._wait = first

    def next(self) -> float:
        """Seconds to wait now."""
        wait, self._wait = self._wait, min(self._most, 2 * self._wait)
        return wait * self._chance.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It worked: the next wait is a short one again."""
        self._wait = self._first
