"""A real browser, for what people will look at."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def headless_chromium(needs_system: Callable[[str], None]) -> Iterator[Browser]:
    """A headless Chromium for the length of the `with` block, or a reason to skip.

    Not for a whole session: Playwright keeps an event loop running, which other tests would meet.
    """
    chromium = shutil.which("chromium")
    if not chromium:
        needs_system("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        browser.close()
