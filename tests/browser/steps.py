"""What people do in the console, and what others do meanwhile through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.tickets import LABELS, TICKET, URL

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.support.http import Service


def file(service: Service, **fields: object) -> dict[str, Any]:
    """Create a ticket through the API."""
    answer = service.call("POST", URL, {**TICKET, **LABELS, **fields})
    assert answer.status == 201, answer.body
    ticket: dict[str, Any] = answer.json
    return ticket


def change(service: Service, ticket: dict[str, Any], **fields: object) -> None:
    """Change a ticket through the API, as somebody else does."""
    answer = service.call("PATCH", URL + ticket["id"], fields)
    assert answer.status == 200, answer.body


def read(service: Service, ticket: dict[str, Any]) -> dict[str, Any]:
    """What the ticket is now."""
    now: dict[str, Any] = service.call("GET", URL + ticket["id"]).json
    return now


def rows(page: Page) -> Locator:
    """The rows of the queue."""
    return page.locator("#rows li")


def titles(page: Page) -> Locator:
    """The titles in the queue."""
    return page.locator("#rows .row-title")


def panel(page: Page) -> Locator:
    """The open ticket."""
    return page.locator("#ticket article")


def filing(page: Page) -> Locator:
    """The form that files a ticket."""
    return page.locator("#filing")


def lists(urls: list[str]) -> list[str]:
    """Those of the addresses that ask for tickets to show, not for their number."""
    return [url for url in urls if f"{URL}?" in url and "count=true" not in url]
