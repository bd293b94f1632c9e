"""Nothing secret leaves in a text: values that were secret are remembered, and hidden wherever they turn up.

Remembered are the values of `secret:NAME`, passwords and tokens, and the passwords of addresses. Hidden
are also their forms in URLs, in JSON and in Python's repr. Log handlers carry the filter; everything else
calls `hide`.
"""

import json
import logging
import re
import threading
import traceback
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

HIDDEN = "***"
SHORT = 4  # a shorter value is hidden only where it stands alone, or it would eat into every other word
# The second form is for a password with a slash in it, which ought to be quoted and often is not.
USERINFO = re.compile(r"(?<=://)(?:[^/?#\s'\"]*|[^/?#\s@:'\"]*:[^\s'\"]*)@")
SLOPPY = re.compile(r"://[^/?#\s@:]*:(\S+)@")
TELLING = r"password|passwd|pass|pwd|token|secret|auth|api_?key|key|user|usr|username|login"
IN_QUERY = re.compile(rf"(?<=[?&])({TELLING})=[^&#\s'\"]+", re.IGNORECASE)
PASSWORDS = re.compile(r"password|passwd|pass|pwd|token|secret|auth|api_?key|key", re.IGNORECASE)


class Redactor:
    """Remembers what is secret. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def remember(self, value: str) -> None:
        """Hide this value from now on, in every form that it takes in our texts."""
        with self._lock:
            self._forms.update(forms(value))
            # The longest first: a secret that holds another one is hidden whole.
            ordered = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(matching, ordered))) if ordered else None

    def remember_address(self, address: str) -> None:
        """Hide the password of an address, and whatever in its query is named like one."""
        for value in passwords(address):
            self.remember(value)

    def hide(self, text: str) -> str:
        """The text without anything secret, and without the user's part of any address, remembered or not."""
        pattern = self._pattern
        if pattern is not None:
            text = pattern.sub(HIDDEN, text)
        text = USERINFO.sub(f"{HIDDEN}@", text)
        return IN_QUERY.sub(rf"\1={HIDDEN}", text)

    def forget(self) -> None:
        with self._lock:
            self._forms.clear()
            self._pattern = None


def forms(value: str) -> set[str]:
    """How one value looks in a URL, in JSON, in a repr, and in each line of several."""
    if not value:
        return set()
    lines = [line for line in value.splitlines() if len(line) > SHORT]
    written = {value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}
    written |= {json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1], *lines}
    return {form for form in written if form}


def matching(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) > SHORT else rf"(?<!\w){escaped}(?!\w)"


def passwords(address: str) -> set[str]:
    """The password of an address, and values in its query named like one; as written and unquoted."""
    try:
        parts = urlsplit(address)
        pairs = [
            *parse_qsl(parts.query),
            *(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair),
        ]
        found = {value for name, value in pairs if PASSWORDS.fullmatch(name)}
        password = parts.password
    except ValueError:
        return set()
    if not password and (sloppy := SLOPPY.search(address)):
        password = sloppy[1]
    if password:
        found |= {password, unquote(password)}
    return found


THE = Redactor()  # of this process
remember = THE.remember
remember_address = THE.remember_address
hide = THE.hide
forget = THE.forget


class RedactionFilter(logging.Filter):
    """Hides what is secret in a record's text, exception and stack. On handlers, which see every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = hide(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if record.exc_text:
            record.exc_text = hide(record.exc_text)
        if record.stack_info:
            record.stack_info = hide(record.stack_info)
        return True
