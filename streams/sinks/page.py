"""The page with both streams of a source. No script: the browser shows MJPEG by itself."""

import html
from collections.abc import Sequence
from urllib.parse import quote

from streams.sinks.login import STYLE

LIVE_AT_ONCE = 2  # sources; a browser opens six connections to one host, and each picture keeps one

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · lensracer</title>
<style>{style}
header {{ display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; padding: .75rem 1rem;
  border-bottom: 1px solid var(--line); background: var(--card) }}
header strong {{ font-size: 1.125rem }}
nav {{ display: flex; flex-wrap: wrap; gap: .25rem 1rem }}
nav a[aria-current] {{ color: inherit; text-decoration: none; font-weight: 600 }}
main {{ max-width: 90rem; margin: 0 auto; padding: 0 1rem 2rem }}
h1 {{ margin: 1.25rem 0 .5rem; font-size: 1.25rem }}
.pair {{ display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)) }}
figure {{ margin: 0; border: 1px solid var(--line); border-radius: .5rem; overflow: hidden;
  background: var(--card) }}
figure img {{ display: block; width: 100%; min-height: 9rem; background: #000; color: #fff }}
figcaption {{ padding: .5rem .75rem; color: var(--quiet) }}
figcaption b {{ color: var(--ink) }}
</style>
</head>
<body>
<header><strong>lensracer</strong>{links}</header>
<main>
{sections}</main>
</body>
</html>
"""
_SECTION = """<h1>{name}</h1>
<div class="pair">
{figures}</div>
"""
_FIGURE = """<figure><img src="{path}" alt="{alt}">
<figcaption><b>{title}</b>: {told}. <a href="{path}">{file}</a></figcaption></figure>
"""
_STREAMS = (
    ("device.mjpeg", "Device stream", "what the camera sees"),
    ("project.mjpeg", "Project stream", "what the model saw"),
)


def page(sources: Sequence[str], chosen: str | None = None) -> bytes:
    """The page of one source, or of all where they are few; else of the first, with links to the others."""
    few = len(sources) <= LIVE_AT_ONCE
    shown = [chosen] if chosen is not None else list(sources if few else sources[:1])
    sections = "".join(_section(name) for name in shown) or "<h1>There is no source</h1>\n"
    links = "" if few else _links(sources, shown[0])
    title = html.escape(", ".join(shown) or "no source")
    return _PAGE.format(title=title, style=STYLE, links=links, sections=sections).encode()


def _section(name: str) -> str:
    figures = "".join(
        _FIGURE.format(
            path=html.escape(f"/{quote(name)}/{file}"),
            alt=html.escape(f"{title} of {name}"),
            title=title,
            told=told,
            file=file,
        )
        for file, title, told in _STREAMS
    )
    return _SECTION.format(name=html.escape(name), figures=figures)


def _links(sources: Sequence[str], shown: str) -> str:
    links = "".join(
        f'<a href="/{html.escape(quote(name))}/"{" aria-current=page" if name == shown else ""}>'
        f"{html.escape(name)}</a>"
        for name in sources
    )
    return f'<nav aria-label="Sources">{links}</nav>'
