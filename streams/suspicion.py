"""Which message has the broker cut the connection, and which were merely on the wire beside it.

Every message on the wire is suspected when a connection ends. One that is acknowledged later is cleared; when all of
one cut are, it was the network's doing, and where the network cuts, more proof is asked for. Proof is that the
connection ended soon after the message was sent, while nothing else was on the wire: twice; or once, and twice more
while it was beside others.
"""

import collections
from collections.abc import Sequence

from streams.spool import Entry

ALONE, BESIDE = 2, 1  # what a cut weighs
ENOUGH = 4  # where the network itself has cut nothing lately; each time that it has asks for two more
MOST_ASKED = 20
REMEMBERED_S = 600.0  # for how long a cut by the network asks for more proof
SOON_S = 5.0  # a broker cuts soon after it has read; and this long for every
SLOWEST = 1024  # bytes, which may take a second to get there
MOST_CUTS = 64


class Suspicion:
    """What is known of the cuts. For one thread at a time."""

    def __init__(self) -> None:
        self._unexplained: collections.deque[set[int]] = collections.deque(maxlen=MOST_CUTS)
        self._networks: collections.deque[float] = collections.deque(maxlen=MOST_ASKED)

    def cut(self, entries: Sequence[Entry], sent_at: Sequence[float], now: float) -> None:
        """The connection ended at `now`, monotonic seconds, with these on the wire, sent at those."""
        if not entries:
            self._networks.append(now)
            return
        self._unexplained.append({entry.number for entry in entries})
        for entry in entries:
            entry.cuts += 1
        (first, *others), at = entries, sent_at[0]
        if not others and now - at <= SOON_S + len(first.payload) / SLOWEST:
            first.alone += 1

    def clear(self, entry: Entry, now: float) -> None:
        """It was acknowledged: no cut was its doing."""
        for cut in list(self._unexplained):
            cut.discard(entry.number)
            if not cut:
                self._unexplained.remove(cut)
                self._networks.append(now)

    def convict(self, entry: Entry) -> None:
        """It is set aside: that explains each cut that it was there at."""
        for cut in [cut for cut in self._unexplained if entry.number in cut]:
            self._unexplained.remove(cut)

    def is_proved(self, entry: Entry, now: float) -> bool:
        """Whether enough speaks against it."""
        recent = sum(now - at <= REMEMBERED_S for at in self._networks)
        weight = ALONE * entry.alone + BESIDE * (entry.cuts - entry.alone)
        return entry.alone > 0 and weight >= min(MOST_ASKED, ENOUGH + ALONE * recent)

    @property
    def open(self) -> bool:
        """Whether there are cuts that nothing explains yet."""
        return bool(self._unexplained)
