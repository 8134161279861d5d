"""The browser client of the backend being replaced (old_client/), on a page of another origin."""

from __future__ import annotations

import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TIMEOUT_MS, origin_of
from tests.browser.steps import file
from tests.conftest import serve
from tests.support.tickets import URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.http import Service

CLIENT = Path(__file__).parent / "old_client"


class Quiet(SimpleHTTPRequestHandler):
    """Serve files without a log."""

    def log_message(self, format: str, *args: Any) -> None:
        """Discard the line."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The origin that has the client's page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(CLIENT))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def open_service(shop: str, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with CORS_ORIGINS set to the client's."""
    with serve(database_url, tmp_path_factory.mktemp("cors") / "log", CORS_ORIGINS=shop) as service:
        yield service


@pytest.fixture
def client(browser: Browser, shop: str, open_service: Service, clean: None) -> Iterator[Page]:
    """The client's page, showing no ticket yet."""
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{shop}/?api={origin_of(open_service)}")
    expect(page.locator("#stats")).to_contain_text("0 total, 0 open, 0.0 a day")
    yield page
    context.close()
    assert errors == []


def preflights(service: Service) -> list[dict[str, Any]]:
    """Return the log lines of CORS preflight requests."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    return [line for line in lines if line.get("method") == "OPTIONS"]


def test_it_classifies_creates_lists_and_changes_tickets(client: Page, open_service: Service) -> None:
    client.get_by_label("Title").fill("Charged twice")
    client.get_by_label("Description").fill("My card was charged twice for one invoice, please refund.")
    client.get_by_label("Description").blur()
    expect(client.get_by_label("Category", exact=True)).to_have_value("billing")
    client.get_by_label("Priority", exact=True).select_option("high")
    client.get_by_role("button", name="Submit").click()
    expect(client.locator("#tickets li")).to_contain_text(["Charged twice / billing / high / 20"])
    expect(client.locator("#stats")).to_have_text(
        "1 total, 1 open, 1.0 a day; low 0, medium 0, high 1, critical 0, billing 1, technical 0, account 0, general 0"
    )
    client.get_by_label("Status of Charged twice").select_option("resolved")
    expect(client.locator("#stats")).to_contain_text("1 total, 0 open")
    [ticket] = open_service.call("GET", URL).json
    assert (ticket["category"], ticket["priority"], ticket["status"]) == ("billing", "high", "resolved")
    expect(client.locator("#error")).to_be_empty()
    requested = {(line["route"], line["status"]) for line in preflights(open_service)}
    paths = ("", "/stats", "/classify", "/<uuid:ticket_id>")
    assert requested == {(f"/api/tickets{path}", 200) for path in paths}


def test_its_four_filters_work(client: Page, open_service: Service) -> None:
    file(open_service, title="100% lost", category="billing", priority="high")
    file(open_service, title="100 percent lost", category="billing", priority="high")
    file(open_service, title="Later", category="billing", priority="low")
    file(open_service, title="Other", category="account", priority="low")
    # Every change is another count: the client shows whichever response comes last, not the last request's.
    client.get_by_label("Search").fill("0%")
    expect(client.locator("#tickets li")).to_have_count(1)
    client.get_by_label("Search").fill("")
    expect(client.locator("#tickets li")).to_have_count(4)
    client.get_by_label("Only category").select_option("billing")
    expect(client.locator("#tickets li")).to_have_count(3)
    client.get_by_label("Only priority").select_option("high")
    expect(client.locator("#tickets li")).to_have_count(2)
    client.get_by_label("Only status").select_option("closed")
    expect(client.locator("#tickets li")).to_have_count(0)
    client.get_by_label("Only status").select_option("open")
    expect(client.locator("#tickets li")).to_have_count(2)
    expect(client.locator("#stats")).to_contain_text("4 total")


def test_it_shows_errors(client: Page, open_service: Service) -> None:
    client.get_by_label("Description").fill("No title.")
    client.get_by_role("button", name="Submit").click()
    expect(client.locator("#error")).to_have_text("title must not be empty.")
    file(open_service, title="Old")
    client.get_by_label("Search").fill("Old")
    client.get_by_label("Status of Old").select_option("archived")
    expect(client.locator("#error")).to_have_text("status must be one of open, in_progress, resolved, closed.")


def test_a_service_without_cors_is_unreachable(browser: Browser, shop: str, service: Service) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{shop}/?api={origin_of(service)}")
    expect(page.locator("#error")).to_have_text("Failed to fetch")
    context.close()
