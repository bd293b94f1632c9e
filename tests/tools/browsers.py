"""A real browser for tests: Debian's chromium, driven by Playwright. A module that needs it takes the fixtures:

browser, visit = browsers.browser, browsers.visit
"""

import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

NO_FAULTS = ("Failed to load resource", "net::ERR_CONNECTION")  # the network's, not the page's

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module; asyncio.run cannot be used beside it."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens an address as a viewer of its own; options are those of a Playwright context.

    At the end nothing may have been asked of another machine, and no script may have failed.
    """
    faults: list[str] = []
    contexts = []

    def on_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", "localhost", None):
            faults.append(f"asked of another machine: {request.url}")

    def on_error(error: Error) -> None:
        faults.append(f"a script failed: {error}")

    def on_message(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in NO_FAULTS):
            faults.append(f"an error on the page's console: {message.text}")

    def opened(address: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("request", on_request)
        page.on("pageerror", on_error)
        page.on("console", on_message)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults, faults
