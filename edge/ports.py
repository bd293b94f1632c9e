"""Ports to listen on: the wanted one, or one that is free."""

import errno
import socket

TAKEN = (errno.EADDRINUSE, errno.EACCES)


def listen(host: str, port: int, *, or_free: bool = False) -> socket.socket:
    """A listening socket. Port 0 means any that is free; `or_free` any when `port` cannot be had.

    Raises OSError when the port or the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if or_free and error.errno in TAKEN:
            return socket.create_server((host, 0), family=family)
        raise


def pick(host: str, port: int, *, or_free: bool = False) -> int:
    """The number of the port that `listen` would take; it is free again, for a server that opens it itself.

    Raises OSError as `listen` does.
    """
    with listen(host, port, or_free=or_free) as held:
        number: int = held.getsockname()[1]
        return number


def address(scheme: str, host: str, port: int) -> str:
    """`scheme://host:port`, an IPv6 address in brackets."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
