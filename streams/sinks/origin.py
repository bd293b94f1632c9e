"""Where a request comes from, as its headers tell: names of hosts, and pages that ask."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine and cannot be reached from others."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """The host of a Host header, without its port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def is_local_page(address: str) -> bool:
    """Whether a page's address or origin is of this machine."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
    except ValueError:
        return False


def is_same_host(address: str, host: str) -> bool:
    """Whether a page comes from the very host it asks, on whatever port. host: a Host header."""
    try:
        name = urlsplit(address).hostname
    except ValueError:
        return False
    return bool(name) and name == host_of(host)
