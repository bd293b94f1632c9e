"""What became of the messages that a sender was to send."""

from typing import NamedTuple

from streams.spool import Kind


class SenderStatus(NamedTuple):
    """What became of the messages.

    acked: messages acknowledged (QoS 1) or sent (QoS 0), and the bytes of their payloads; spooled: left in
    the store, those on the wire included; dropped: given up, by reason; resent: publishes that had to be
    repeated; acked_of: the acknowledged ones by kind, since health messages are among them.
    """

    acked: int
    bytes: int
    spooled: int
    dropped: dict[str, int]
    resent: int
    acked_of: dict[Kind, int]
