"""A real Chromium, headless, and visits of the page in it; what is measured there is elsewhere.

Playwright comes with the extra `test` and drives the system's Chromium. It is imported only where a
browser starts: whoever needs none needs neither.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWPORT: Final = {"width": 1280, "height": 720}
"""What a visitor's window shows unless somebody says otherwise (CSS pixels)."""

_HOOKED: Final = "() => {{ const t = globalThis.astradioTest; return {} }}"


class NoBrowser(Exception):
    """There is no browser to drive; the sentence says what is missing."""


def chromium_path() -> str:
    """Return the system's Chromium.

    Raises:
        NoBrowser: There is none.
    """
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    raise NoBrowser(f"none of {', '.join(CHROMIUM_NAMES)} is on the PATH")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a headless Chromium until the block ends.

    Raises:
        NoBrowser: There is none, or nothing that drives it.
    """
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise NoBrowser("playwright is not installed: pip install -e .[test]") from error
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One page open in the browser, and everything it complained about."""

    page: Page
    """As playwright has it."""
    complaints: list[str] = field(default_factory=list)
    """Console warnings, page errors and failed requests, in order."""

    def listen(self) -> None:
        """Note every console warning, page error and failed request."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Any) -> None:
        # A request that leaving the page cut short did not fail: nobody waits for its answer.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url} ({request.failure})")

    def _console(self, message: Any) -> None:
        if message.type in {"warning", "error", "assert"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def open(self, url: str) -> None:
        """Open a page and wait until it is prepared to play."""
        self.page.goto(url)
        self.page.wait_for_selector("body[data-prepared]", timeout=20_000)

    def ask(self, expression: str) -> Any:
        """Evaluate in the page, with the page's test hook as `t`."""
        return self.page.evaluate(_HOOKED.format(expression))

    def wait_until(self, expression: str, timeout_s: float = 20) -> None:
        """Wait until something holds in the page, with its test hook as `t`."""
        self.page.wait_for_function(_HOOKED.format(expression), timeout=1000 * timeout_s)


@contextmanager
def visit(browser: Browser, **context_options: Any) -> Iterator[Visit]:
    """Give a fresh page, as a new visitor has it."""
    context = browser.new_context(**{"viewport": VIEWPORT, **context_options})
    try:
        guest = Visit(context.new_page())
        guest.listen()
        yield guest
    finally:
        context.close()


def play(guest: Visit, seconds: float) -> None:
    """Press the button and listen."""
    guest.page.click("#begin")
    guest.wait_until("t.situation.sounds")
    guest.page.wait_for_timeout(1000 * seconds)


def stop(guest: Visit) -> None:
    """Press the other button and wait for silence."""
    guest.page.click("#play")
    guest.wait_until("!t.situation.sounds")
