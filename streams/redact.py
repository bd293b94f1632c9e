"""Addresses without user, password and token: what of them may stand in an error, a log or a page."""

import re
from urllib.parse import unquote

HIDDEN = "***"

# The slashes of these are sometimes miscounted; behind other schemes a path may begin, with an @ of its own.
_SCHEME = re.compile(r"^((?:rtsps?|https?):/*|[a-z][a-z0-9+.-]*://)", re.IGNORECASE)
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_TELLING_PART = re.compile(r"pass|pwd|token|secret|auth|credential|signature|apikey|accesskey")
_TELLING_WHOLE = frozenset({"key", "sig", "user", "username", "usr", "login", "account", "session", "sid"})
# Recorders of one large family take user=admin_password=x_channel=1 as a path.
_PAIR_IN_PATH = re.compile(r"(?P<before>[/;_&]|^)(?P<name>[\w.%-]+?)=(?P<value>.*?)(?=_[A-Za-z]+=|[;/&]|$)")


def redact_uri(uri: str) -> str:
    """The address with user and password, and every telling parameter, replaced by `***`.

    Works on what people type, not only on what is valid: a password with a slash, a question mark or an `@`
    in it is hidden whole, at the price of hiding a host now and then. A plain path comes back as it is.
    Raises nothing.
    """
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return uri
    authority, rest = _split(uri[scheme.end() :])
    path, mark, tail = _cut(rest, "?#")
    return f"{scheme.group(1)}{authority}{_hide_in_path(path)}{mark}{_hide_in_query(tail)}"


def redact_text(text: str) -> str:
    """A text of another library in which every address is redacted."""
    return _IN_TEXT.sub(lambda found: redact_uri(found.group(0)), text)


def _split(text: str) -> tuple[str, str]:
    """What stands behind `scheme://` as (authority without its secrets, the rest)."""
    authority, mark, rest = _cut(text, "/?#")
    if "@" in rest and _has_colon(authority):
        return _after_last_at(text)
    if "@" in authority:
        path, behind, tail = _cut(rest, "?#")
        host, path = _after_last_at(authority + mark + path)
        return host, path + behind + tail
    return authority, mark + rest


def _after_last_at(text: str) -> tuple[str, str]:
    host, mark, rest = _cut(text.rpartition("@")[2], "/?#")
    return f"{HIDDEN}@{host}", mark + rest


def _has_colon(authority: str) -> bool:
    """Whether what looks like a port may be the start of a password with a slash in it."""
    return ":" in re.sub(r"^\[[^\]]*\]", "", authority)


def _cut(text: str, marks: str) -> tuple[str, str, str]:
    """Partition at the first of several characters."""
    at = min((i for i in map(text.find, marks) if i >= 0), default=len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


def _hide_in_query(query: str) -> str:
    return "".join(map(_hide_pair, re.split(r"([&;])", query)))


def _hide_pair(part: str) -> str:
    name, equals, value = part.partition("=")
    if equals and value and _is_telling(name):
        return f"{name}={HIDDEN}"
    head, mark, fragment = part.partition("#")
    return f"{head}#{_hide_pair(fragment)}" if mark else part


def _hide_in_path(path: str) -> str:
    return _PAIR_IN_PATH.sub(_hide_found, path) if "=" in path else path


def _hide_found(found: re.Match[str]) -> str:
    if not (found["value"] and _is_telling(found["name"])):
        return found.group(0)
    return f"{found['before']}{found['name']}={HIDDEN}"


def _is_telling(name: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", unquote(name).lower())
    return plain in _TELLING_WHOLE or _TELLING_PART.search(plain) is not None
