"""A headless Chromium, and pages that fail their test on a script error, a policy violation or a foreign request."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page

    from tests.support.http import Service

    OpenPage = Callable[..., Page]

# The first is Chromium without the window around the page, which takes most of the CPU time of a test.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # only the service is reachable
]
TIMEOUT_MS = 60_000
"""Milliseconds that a page may take for one step. On an idle machine it takes less than a second."""
NOT_LIVE = r"""
const send = window.fetch;
const headers = { "Content-Type": "text/event-stream" };
window.fetch = async (address, options) =>
  `${address}`.includes("/api/events/") ? new Response("retry: 3600000\n\n", { headers }) : send(address, options);
"""
"""Gives a page a stream of events that ends at once, as of a service with too many listeners: it asks again in an hour.

Not a route of Playwright: that turns the cache off, and every page would load each of its many modules again.
"""
WIDE, NARROW = (1440, 900), (360, 740)


def chromium() -> str | None:
    """Return the path of the browser; the variable CHROMIUM overrides it."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser. It is closed with the package, because Playwright's event loop runs until then."""
    path = chromium()
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium-headless-shell, or CHROMIUM=/path/to/it")
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class PageMonitor:
    """Record script errors, policy violations, dialogs and requests to other origins, which no page may cause."""

    origin: str
    violations: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Monitor all pages of a context."""
        context.on("console", self._read)
        context.on("weberror", lambda error: self.violations.append(f"error: {error.error}"))
        context.on("dialog", self._dismiss)
        context.on("request", lambda request: self._check(request.url))

    def _read(self, message: ConsoleMessage) -> None:
        # The test that causes an error response checks it.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.violations.append(f"console: {message.text}")

    def _dismiss(self, dialog: Dialog) -> None:
        self.violations.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _check(self, url: str) -> None:
        if not url.startswith(self.origin + "/"):
            self.violations.append(f"request: {url}")


@pytest.fixture
def open_at(browser: Browser) -> Iterator[OpenPage]:
    """A function that opens the console at an origin, with a query and settings of the browser context.

    Only with `live` the page reads the events of the service.
    """
    opened: list[tuple[BrowserContext, PageMonitor]] = []

    def open_page(
        origin: str, query: str = "", size: tuple[int, int] = WIDE, *, live: bool = False, **settings: Any
    ) -> Page:
        viewport: Any = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, timezone_id="Europe/Berlin", locale="en-GB", **settings)
        context.set_default_timeout(TIMEOUT_MS)
        monitor = PageMonitor(origin)
        monitor.watch(context)
        if not live:  # most tests decide themselves when the page learns what others do
            context.add_init_script(NOT_LIVE)
        opened.append((context, monitor))
        page = context.new_page()
        page.goto(f"{origin}/{query}")
        return page

    yield open_page
    for context, _ in opened:
        context.close()
    assert [violation for _, monitor in opened for violation in monitor.violations] == []


@pytest.fixture
def console(open_at: OpenPage, service: Service) -> OpenPage:
    """Like `open_at`, for the service on an empty table."""

    def open_console(query: str = "", **settings: Any) -> Page:
        return open_at(origin_of(service), query, **settings)

    return open_console


def origin_of(service: Service) -> str:
    """Return the origin of a service's pages."""
    return f"http://127.0.0.1:{service.port}"
