"""The messages of one kind that are ready to be sent, in the order of their numbers."""

import bisect
import collections
from collections.abc import Iterator

from streams.spool import Entry


class Shelf:
    """What comes back is the older, and few; what is fresh comes at the end. Not for several threads at once.

    last: the highest number that ever stood here. more: the ledger holds later ones that do not stand here yet.
    """

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self.more = False
        self._returned: list[Entry] = []
        self._fresh: collections.deque[Entry] = collections.deque()

    def __len__(self) -> int:
        return len(self._returned) + len(self._fresh)

    def __iter__(self) -> Iterator[Entry]:
        yield from self._returned
        yield from self._fresh

    def append(self, entry: Entry) -> None:
        """A message whose number is above all others."""
        self._fresh.append(entry)
        self.last = entry.number

    def give_back(self, entry: Entry) -> None:
        """A message that was taken goes to its old place."""
        bisect.insort(self._returned, entry, key=lambda waiting: waiting.number)

    def pop(self) -> Entry:
        """The oldest. Raises IndexError where there is none."""
        returned, fresh = self._returned, self._fresh
        if returned and (not fresh or returned[0].number < fresh[0].number):
            return returned.pop(0)
        return fresh.popleft()

    def join(self, later: "Shelf") -> None:
        """Takes over a shelf of later messages; they are left to the ledger where this one has more there already."""
        if not self.more:
            self._fresh.extend(sorted(later, key=lambda entry: entry.number))
            self.last, self.more = max(self.last, later.last), later.more

    def forget(self, numbers: set[int]) -> None:
        """Leaves those out."""
        if any(entry.number in numbers for entry in self):
            self._returned = [entry for entry in self._returned if entry.number not in numbers]
            self._fresh = collections.deque(entry for entry in self._fresh if entry.number not in numbers)
