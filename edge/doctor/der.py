"""As much of a certificate's DER encoding (X.690, RFC 5280) as it takes to find its dates."""

import datetime
from collections.abc import Iterator

SEQUENCE, UTC_TIME, GENERALIZED_TIME, VERSION = 0x30, 0x17, 0x18, 0xA0


def validity(certificate: bytes) -> tuple[int, int]:
    """(not before, not after) in milliseconds since 1970. Raises ValueError for what is no certificate."""
    whole = next(elements(certificate))
    inner = list(elements(next(elements(whole[1]))[1]))
    # serial number, algorithm, issuer, validity; before them the version, where it is written
    tag, dates = inner[4 if inner and inner[0][0] == VERSION else 3] if len(inner) > 4 else (0, b"")
    if tag != SEQUENCE:
        raise ValueError("not a certificate")
    begin, end = (moment(tag, text) for tag, text in elements(dates))
    return begin, end


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of each element in a row."""
    place = 0
    while place < len(data):
        if len(data) < place + 2:
            raise ValueError("cut short")
        tag, size = data[place], data[place + 1]
        place += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[place : place + count], "big")
            place += count
        if len(data) < place + size:
            raise ValueError("cut short")
        yield tag, data[place : place + size]
        place += size


def moment(tag: int, text: bytes) -> int:
    written = text.decode("ascii")
    if tag == UTC_TIME:  # two digits of the year: 50..99 are of the last century
        written = ("19" if written[:2] >= "50" else "20") + written
    elif tag != GENERALIZED_TIME:
        raise ValueError("not a time")
    found = datetime.datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.UTC)
    return int(found.timestamp() * 1000)
