"""Parts of the console's pages, and requests of other people through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.tickets import LABELS, TICKET, URL

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.support.http import Service


def file(service: Service, **fields: object) -> dict[str, Any]:
    """Create a ticket through the API and return it."""
    response = service.call("POST", URL, {**TICKET, **LABELS, **fields})
    assert response.status == 201, response.body
    ticket: dict[str, Any] = response.json
    return ticket


def change(service: Service, ticket: dict[str, Any], **fields: object) -> None:
    """Change a ticket through the API, as another person does."""
    response = service.call("PATCH", URL + ticket["id"], fields)
    assert response.status == 200, response.body


def comment(service: Service, ticket: dict[str, Any], **fields: object) -> None:
    """Add a comment to a ticket through the API, as another person does."""
    response = service.call("POST", f"{URL}{ticket['id']}/comments/", fields)
    assert response.status == 201, response.body


def read(service: Service, ticket: dict[str, Any]) -> dict[str, Any]:
    """Return the current state of a ticket."""
    now: dict[str, Any] = service.call("GET", URL + ticket["id"]).json
    return now


ALL = "?sort=-created_at"
"""The query of the view of all tickets, newest first."""


def choose(page: Page, field: str, value: str) -> None:
    """Choose a value in a menu of the open ticket."""
    menu(page, field).click()
    panel(page).get_by_role("option", name=value).click()


def menu(page: Page, field: str) -> Locator:
    """Return the menu of a field in the open ticket."""
    return panel(page).get_by_role("combobox", name=field)


def give_name(page: Page, opener: Locator, name: str) -> None:
    """Click what asks for the user's name, and enter one."""
    opener.click()
    page.get_by_role("dialog", name="Your name").get_by_role("textbox").fill(name)
    page.keyboard.press("Enter")


def announcement(page: Page) -> Locator:
    """Return the short message at the bottom of the page."""
    return page.locator("#announcement-text")


def come_back(page: Page) -> None:
    """Do what a browser does when the user returns to the page from another tab."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def rows(page: Page) -> Locator:
    """Return the rows of the queue."""
    return page.locator("#rows li")


def titles(page: Page) -> Locator:
    """Return the titles in the queue."""
    return page.locator("#rows .row-title")


def panel(page: Page) -> Locator:
    """Return the panel of the open ticket."""
    return page.locator("#ticket article")


def filing(page: Page) -> Locator:
    """Return the form that creates a ticket."""
    return page.locator("#filing")


def lists(urls: list[str]) -> list[str]:
    """Return the URLs that request a page of tickets, without those that request only the total."""
    return [url for url in urls if f"{URL}?" in url and "count=true" not in url]
