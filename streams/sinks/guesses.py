"""How often somebody may present a wrong token before nobody listens to them any more, for a while."""

import collections
import ipaddress
import threading
from collections.abc import Callable

BURST = 20
REFILL_S = 3.0  # one more guess after so many seconds
MOST_PEERS = 1024  # remembered; of more the one that was quiet longest is forgotten


class Guesses:
    """Counts wrong tokens by peer, IPv6 by its network of 64 bits. Safe to share among threads.

    clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._peers: collections.OrderedDict[str, tuple[float, float]] = collections.OrderedDict()

    def wait(self, peer: str) -> float:
        """Seconds until this peer may guess again; 0.0 if it may now."""
        with self._lock:
            return max(0.0, (1.0 - self._left(_network(peer))) * REFILL_S)

    def wrong(self, peer: str) -> None:
        """A token of this peer was wrong."""
        name = _network(peer)
        with self._lock:
            self._peers[name] = (self._left(name) - 1.0, self._clock())
            self._peers.move_to_end(name)
            while len(self._peers) > MOST_PEERS:
                self._peers.popitem(last=False)

    def _left(self, name: str) -> float:
        left, since = self._peers.get(name, (float(BURST), self._clock()))
        return min(float(BURST), left + (self._clock() - since) / REFILL_S)


def _network(peer: str) -> str:
    """Whoever has one IPv6 address has the 2^64 beside it, too."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
