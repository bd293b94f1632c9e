"""Event-stream frames, byte for byte, as the Greengrass IPC speaks them: what a server of our own needs.

A frame: total length, length of the headers, CRC of these eight bytes, headers, payload, CRC of all before; numbers are
big-endian, the CRC is zlib's. Of the header types only int32 (4) and string (7) occur.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_PRELUDE = struct.Struct(">II")
_CRC = struct.Struct(">I")
_LEAST = 16  # bytes: the prelude and both CRCs
_INT, _STRING = 4, 7

# The headers of every frame, and what stands in them.
TYPE, FLAGS, STREAM = ":message-type", ":message-flags", ":stream-id"
MESSAGE, ERROR, PING, PING_RESPONSE, CONNECT, CONNECT_ACK, PROTOCOL_ERROR = 0, 1, 2, 3, 4, 5, 6
ACCEPTED, TERMINATE = 1, 2


class Frame(NamedTuple):
    """One frame; size: its bytes on the wire."""

    headers: Mapping[str, int | str]
    payload: bytes
    size: int = 0


def encoded(headers: Mapping[str, int | str], payload: bytes = b"") -> bytes:
    """A frame as it goes over the wire."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = _PRELUDE.pack(_LEAST + len(head) + len(payload), len(head))
    frame = prelude + _CRC.pack(zlib.crc32(prelude)) + head + payload
    return frame + _CRC.pack(zlib.crc32(frame))


def _header(name: str, value: int | str) -> bytes:
    said = name.encode()
    if isinstance(value, int):
        told = struct.pack(">Bi", _INT, value)
    else:
        text = value.encode()
        told = struct.pack(">BH", _STRING, len(text)) + text
    return bytes([len(said)]) + said + told


class Decoder:
    """Makes frames of what comes in, however it is cut. Raises ValueError for what is no frame."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, more: bytes) -> Iterator[Frame]:
        self._bytes += more
        while len(self._bytes) >= _LEAST:
            total, heads = _PRELUDE.unpack_from(self._bytes)
            if total < _LEAST or heads > total - _LEAST:
                raise ValueError(f"a frame of {total} bytes with {heads} of headers")
            if len(self._bytes) < total:
                return
            frame, self._bytes = bytes(self._bytes[:total]), self._bytes[total:]
            if _CRC.unpack_from(frame, 8)[0] != zlib.crc32(frame[:8]):
                raise ValueError("the prelude's CRC is wrong")
            if _CRC.unpack_from(frame, total - 4)[0] != zlib.crc32(frame[:-4]):
                raise ValueError("the frame's CRC is wrong")
            yield Frame(dict(_headers(frame[12 : 12 + heads])), frame[12 + heads : -4], total)


def _headers(block: bytes) -> Iterator[tuple[str, int | str]]:
    at = 0
    while at < len(block):
        length = block[at]
        name, kind = block[at + 1 : at + 1 + length].decode(), block[at + 1 + length]
        at += 2 + length
        if kind == _INT:
            yield name, struct.unpack_from(">i", block, at)[0]
            at += 4
        elif kind == _STRING:
            size = struct.unpack_from(">H", block, at)[0]
            yield name, block[at + 2 : at + 2 + size].decode()
            at += 2 + size
        else:
            raise ValueError(f"a header of type {kind}")
