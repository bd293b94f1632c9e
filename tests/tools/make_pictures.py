"""Makes the picture of the console in the README: `python tests/tools/make_pictures.py [PROJECT] [--looks FOLDER]`.

Runs `edge dev PROJECT` (trash-finder) on its clip and saves docs/live.png; with --looks also the other themes and
widths, to be looked at.
"""

import argparse
import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import edge_process
from browsers import ARGUMENTS, CHROMIUM, DESKTOP, PHONE
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

README_PICTURE = edge_process.REPOSITORY / "docs" / "live.png"
LARGEST = 400_000  # bytes
PATIENCE = 30_000  # milliseconds
SETTLED = 4_000  # milliseconds of running, until rates and medians mean something
LOOKS = {
    "desktop-light": (DESKTOP, "light"),
    "desktop-dark": (DESKTOP, "dark"),
    "phone-light": (PHONE, "light"),
    "phone-dark": (PHONE, "dark"),
}


@contextlib.contextmanager
def running(project: str, folder: Path) -> Iterator[str]:
    """`edge dev` on the project's clip; gives the console's address. All it says is passed on."""
    words = ("dev", project, "--no-browser", "--no-webcam", "--set", "thing=cam-1", "--set", "console.port=0")
    process = subprocess.Popen(
        edge_process.command(*words, "--set", "http.port=0"),
        cwd=folder,
        env=edge_process.environment(XDG_STATE_HOME=str(folder)),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield console_of(process.stderr)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def console_of(lines: IO[str]) -> str:
    """The address in the line that tells it; later lines are passed on by a thread."""
    for line in lines:
        sys.stderr.write(line)
        if found := re.match(r"Console\s+(http\S+)", line):
            threading.Thread(target=lambda: sys.stderr.writelines(lines), daemon=True).start()
            return found[1]
    raise SystemExit("edge dev ended before it named its console")


def come(page: Page, address: str) -> None:
    """Open the page, as soon as there is somebody to open it."""
    for _ in range(100):
        with contextlib.suppress(Error):
            page.goto(address)
            return
        page.wait_for_timeout(200)
    raise SystemExit(f"nobody answers at {address}")


def photograph(browser: Browser, address: str, look: str, path: Path) -> None:
    """Save the live page once both pictures show and something was found."""
    viewport, scheme = LOOKS[look]
    page = browser.new_page(viewport=viewport, color_scheme=scheme)
    come(page, address)
    expect(page.locator(".stage img")).to_have_count(2, timeout=PATIENCE)
    page.wait_for_timeout(SETTLED)
    expect(page.locator(".messages tbody tr").first.locator(".result").first).to_be_visible(timeout=PATIENCE)
    page.screenshot(path=path, full_page=look.startswith("phone"))
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", nargs="?", default="trash-finder")
    parser.add_argument("--looks", type=Path, help="a folder for every theme and width")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(chosen.project, Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        photograph(browser, address, "desktop-light", README_PICTURE)
        for look in LOOKS if chosen.looks else ():
            chosen.looks.mkdir(parents=True, exist_ok=True)
            photograph(browser, address, look, chosen.looks / f"{look}.png")
        browser.close()
    if README_PICTURE.stat().st_size > LARGEST:
        raise SystemExit(f"{README_PICTURE} is larger than {LARGEST} bytes; the README wants a smaller one")


if __name__ == "__main__":
    main()
