"""What all pages have in common: the bar at the top, the styles, the frame round the content."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nicegui import app, ui
from nicegui.elements.mixins.text_element import TextElement

STATIC = Path(__file__).parent / "static"
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#0b5cb8"/>'
    '<circle cx="16" cy="16" r="8" fill="none" stroke="#fff" stroke-width="3"/>'
    '<circle cx="16" cy="16" r="2.5" fill="#fff"/></svg>'
)
PAGES = {"/": "Live"}  # address: name in the bar


def styles() -> None:
    """Serve the sheet of styles and put it on every page."""
    app.add_static_file(local_file=STATIC / "console.css", url_path="/console.css")
    ui.add_head_html('<link rel="stylesheet" href="/console.css">', shared=True)


@contextlib.contextmanager
def page(address: str, thing: str) -> Iterator[None]:
    """The frame of the page at `address`; its content is built inside the `with`."""
    ui.page_title(f"{PAGES[address]} · {thing} · lensracer")
    with ui.element("header").classes("bar"):
        words("span", "lensracer", "brand")
        with ui.element("nav").props('aria-label="Pages"'):
            for target, name in PAGES.items():
                link = words("a", name).props(f"href={target}")
                if target == address:
                    link.props("aria-current=page")
        words("span", thing, "thing")
    with ui.element("main").classes("page"):
        words("h1", f"{PAGES[address]}: {thing}")
        yield


def words(tag: str, text: str = "", classes: str = "") -> TextElement:
    """An element with a text, which stays text whatever is in it."""
    return TextElement(tag=tag, text=text).classes(classes)
