"""Which addresses may be asked: schemes, and the places of a network that no stranger may send us to."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from inference.errors import AddressRefused, FetchFailed

SCHEMES = ("https", "http", "s3", "file")
PORTS = {"https": 443, "http": 80}
Resolve = Callable[..., list[Any]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the IPv4 address is in the last four bytes
_LONGEST = 4096


class Reach(NamedTuple):
    """What besides https and s3 may be asked.

    insecure: http. file: files of this machine. loopback: this machine's own servers, where the address itself
    names them; a redirect never leads there from elsewhere.
    """

    insecure: bool = False
    file: bool = False
    loopback: bool = False


def shown(uri: str) -> str:
    """The address without what may be a password in it: no user, no query."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "the address"
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}:{'//' + place if place else ''}{parts.path}"


def checked(uri: str, reach: Reach) -> SplitResult:
    """The parts of an address that may be asked. Raises AddressRefused."""
    if len(uri) > _LONGEST or any(ord(sign) < 33 or ord(sign) == 127 for sign in uri):
        raise AddressRefused("an address has no blanks or control signs, and at most 4096 signs")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise AddressRefused(f"{shown(uri)} is no address: {error}") from None
    if parts.scheme not in SCHEMES:
        raise AddressRefused(f"{shown(uri)} is not an address of {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}")
    _check_scheme(parts, reach)
    return parts


def _check_scheme(parts: SplitResult, reach: Reach) -> None:
    told = shown(parts.geturl())
    if parts.scheme == "http" and not reach.insecure:
        raise AddressRefused(f"{told} is not encrypted, so anybody on the way sees it; `insecure` allows it")
    if parts.scheme == "file" and not reach.file:
        raise AddressRefused(f"{told} is a file of this machine, which may not be asked for from outside")
    if parts.scheme == "file" and parts.hostname not in (None, "localhost"):
        raise AddressRefused(f"{told} names the machine {parts.hostname}; a file is of this one: file:///...")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(f"{told} has a user name in it, which is not supported")
    if parts.scheme != "file" and not parts.hostname:
        raise AddressRefused(f"{told} names no {'bucket' if parts.scheme == 's3' else 'machine'}")


def places(host: str, port: int, *, loopback: bool, resolve: Resolve = socket.getaddrinfo) -> list[Any]:
    """What a name resolves to, as `socket.getaddrinfo` gives it.

    Raises AddressRefused if any of it is this machine (unless `loopback`), link-local or no machine's address,
    FetchFailed if the name is not known.
    """
    try:
        found = resolve(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        again = error.errno == socket.EAI_AGAIN
        raise FetchFailed(f"the machine {host} is not found: {error.strerror}", passing=again) from None
    for *_, address in found:
        kind = forbidden(str(address[0]))
        if kind is not None and not (loopback and kind == "this machine"):
            raise AddressRefused(f"{host} is {address[0]}, {kind}: such an address may not be asked")
    return found


def forbidden(address: str) -> str | None:
    """Why an IP address may not be asked, None if it may. IPv4 addresses inside IPv6 ones count as they are."""
    ip = _inner(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_loopback or ip.is_unspecified:
        return "this machine"
    if ip.is_link_local:
        return "a link-local address"
    if ip.is_multicast or ip.is_reserved:
        return "no machine's address"
    return None


def _inner(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    within = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if within is None and ip in _NAT64:
        within = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return within or ip
