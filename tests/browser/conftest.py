"""A headless Chromium, and pages in it that fail their test for what no page of ours may do."""

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

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # there is no network but the service
]
PATIENCE = 20_000
"""Milliseconds that a page may take for a step on a busy machine; nobody waits that long where all is well."""
WIDE, NARROW = (1440, 900), (360, 740)


def chromium() -> str | None:
    """The path of the browser; CHROMIUM names another."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser; it ends with the package, because Playwright's event loop runs as long."""
    path = chromium()
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium, or CHROMIUM=/path/to/it")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Witness:
    """Notes what a page must not do: run into an error, break its content security policy, ask strangers."""

    origin: str
    faults: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("console", self._read)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))
        context.on("dialog", self._dismiss)
        context.on("request", lambda request: self._check(request.url))

    def _read(self, message: ConsoleMessage) -> None:
        # That a call was answered with an error is the business of the test that made it so.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _check(self, url: str) -> None:
        if not url.startswith(self.origin + "/"):
            self.faults.append(f"request: {url}")


@pytest.fixture
def open_at(browser: Browser) -> Iterator[OpenPage]:
    """Call it with an origin, a query and settings of a browser context for a page of the console there."""
    opened: list[tuple[BrowserContext, Witness]] = []

    def open_page(origin: str, query: str = "", size: tuple[int, int] = WIDE, **settings: Any) -> Page:
        viewport: Any = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, timezone_id="Europe/Berlin", locale="en-GB", **settings)
        context.set_default_timeout(PATIENCE)
        witness = Witness(origin)
        witness.watch(context)
        opened.append((context, witness))
        page = context.new_page()
        page.goto(f"{origin}/{query}")
        return page

    yield open_page
    for context, _ in opened:
        context.close()
    assert [fault for _, witness in opened for fault in witness.faults] == []


@pytest.fixture
def console(open_at: OpenPage, service: Service) -> OpenPage:
    """Like `open_at`, of the service on an empty table."""

    def open_console(query: str = "", **settings: Any) -> Page:
        return open_at(origin_of(service), query, **settings)

    return open_console


def origin_of(service: Service) -> str:
    """The origin of a service's pages."""
    return f"http://127.0.0.1:{service.port}"
