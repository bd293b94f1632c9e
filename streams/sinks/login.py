"""The page that asks a browser for the token: a form, since an <img> cannot send a header."""

from http import HTTPStatus
from urllib.parse import parse_qs

from streams.sinks.gate import Refusal
from streams.sinks.token import Headers

PATH = "/login"
LONGEST_BODY = 4096  # bytes of the form
FORM = "application/x-www-form-urlencoded"
HTML = "text/html; charset=utf-8"
# Nothing but this page's own style and form; no page may frame it, and nothing is told to where a link leads.
SAFETY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
}

STYLE = """
:root { color-scheme: light dark; --ink: #16202b; --ground: #f4f6f8; --card: #fff; --line: #cdd5dd;
  --quiet: #566270; --accent: #0b5cb8; --on-accent: #fff; --bad: #a4161a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --ground: #11161c; --card: #1a2129; --line: #36414d; --quiet: #a3b0bd;
    --accent: #79b8ff; --on-accent: #0b1622; --bad: #ff8a8a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
a { color: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Token · lensracer</title>
<style>{style}
main {{ max-width: 24rem; margin: 15vh auto 0; padding: 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem }}
h1 {{ margin: 0 0 1rem; font-size: 1.25rem }}
label {{ display: block; margin-bottom: .25rem; color: var(--quiet) }}
input, button {{ width: 100%; padding: .5rem .75rem; border-radius: .375rem; font: inherit }}
input {{ border: 1px solid var(--quiet); background: var(--ground); color: var(--ink) }}
button {{ margin-top: 1rem; border: 0; background: var(--accent); color: var(--on-accent); cursor: pointer }}
p {{ margin: .75rem 0 0; color: var(--bad) }}
</style>
</head>
<body>
<main>
<h1>A token is needed</h1>
<form method="post" action="{path}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Continue</button>
</form>
{trouble}</main>
</body>
</html>
"""


def page(trouble: str = "") -> bytes:
    """The form. trouble: a sentence of ours on the last try."""
    told = f'<p role="alert">{trouble[:1].upper()}{trouble[1:]}.</p>\n' if trouble else ""
    return _PAGE.format(style=STYLE, path=PATH, trouble=told).encode()


def answer(
    refusal: Refusal, headers: Headers, *, posted: bool = False
) -> tuple[bytes, str, tuple[tuple[str, str], ...]]:
    """What somebody is told who may not look: body, content type and further headers. A sentence; for a person at a
    browser who only lacks the token, our form. posted: whether this answers the form.
    """
    lacks_token = refusal.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
    if not (lacks_token and "text/html" in headers.get("Accept", "")):
        return f"{refusal.reason}\n".encode(), "text/plain; charset=utf-8", ()
    first = refusal.status is HTTPStatus.UNAUTHORIZED and not posted
    return page("" if first else refusal.reason), HTML, tuple(SAFETY.items())


def word_in(body: bytes, content_type: str) -> str | None:
    """What was typed, from the body of a posted form; None where it is no such form."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return None
    try:
        fields = parse_qs(body.decode(), max_num_fields=4, strict_parsing=True)
    except ValueError:
        return None
    words = fields.get("token", [])
    return words[0] if len(words) == 1 else None
