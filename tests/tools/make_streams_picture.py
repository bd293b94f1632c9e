"""Makes docs/video.png, the page of the picture server: `python tests/tools/make_streams_picture.py [--looks FOLDER]`.

Runs a sample on its clip and photographs the page with both streams; with --looks also dark, on a phone, and the form
that asks for the token.
"""

import argparse
import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import edge_process
from brokers import free_port
from browsers import ARGUMENTS, CHROMIUM, DESKTOP, PHONE
from make_pictures import LARGEST, SETTLED, come
from playwright.sync_api import Browser, sync_playwright

PICTURE = edge_process.REPOSITORY / "docs" / "video.png"
PROJECT = "trash-finder"
LOOKS = {
    "desktop-dark": (DESKTOP, "dark", "/"),
    "phone-light": (PHONE, "light", "/"),
    "phone-dark": (PHONE, "dark", "/"),
}


@contextlib.contextmanager
def running(folder: Path, *words: str) -> Iterator[str]:
    """`edge run` on the sample's clip, over and over; the address of its pictures."""
    port = free_port()
    clip = edge_process.REPOSITORY / "edge" / "samples" / PROJECT / "clip.mp4"
    source = f"{{uri: {clip}, loop: true, pace: realtime}}"
    process = subprocess.Popen(
        edge_process.command(
            *("run", PROJECT, "--set", f"sources={{main: {source}}}", "--set", "thing=cam-1"),
            *("--set", f"http.port={port}", *words),
        ),
        cwd=folder,
        env=edge_process.environment(XDG_STATE_HOME=str(folder)),
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def photograph(browser: Browser, address: str, path: Path, viewport: dict[str, int], scheme: str) -> None:
    page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
    come(page, address)
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=path, full_page=viewport is PHONE)
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--looks", type=Path, help="a folder for every theme and width")
    looks: Path | None = parser.parse_args().looks
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with running(Path(folder)) as address:
            photograph(browser, address, PICTURE, {"width": 1280, "height": 620}, "light")
            for name, (viewport, scheme, path) in LOOKS.items() if looks else ():
                assert looks is not None
                looks.mkdir(parents=True, exist_ok=True)
                photograph(browser, address + path, looks / f"{name}.png", viewport, scheme)
        if looks is not None:
            with running(Path(folder), "--set", "http.token=word") as address:
                photograph(browser, address, looks / "token.png", DESKTOP, "light")
        browser.close()
    if PICTURE.stat().st_size > LARGEST:
        raise SystemExit(f"{PICTURE} is larger than {LARGEST} bytes")


if __name__ == "__main__":
    main()
