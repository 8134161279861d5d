"""Similar tickets: while one is filed, and next to one, where it can be marked as a duplicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.steps import filing, panel
from tests.support.tickets import URL

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def test_a_duplicate_is_found_marked_and_undone(console: OpenPage, service: Service) -> None:
    text = {"title": "Water in the server room", "description": "It drips from the ceiling next to rack 4."}
    first = service.call("POST", URL, text).json
    page = console("?view=file")
    filing(page).get_by_label("Title").fill("Ceiling of the server room")
    filing(page).get_by_label("Description").fill("Next to rack 4 it drips.")
    found = filing(page).get_by_role("region", name="Similar tickets")
    expect(found.get_by_role("link", name=text["title"])).to_have_attribute("href", f"?ticket={first['id']}")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("heading", name="Ceiling of the server room")).to_be_visible()
    panel(page).get_by_role("button", name=f"duplicate of “{text['title']}”").click()
    expect(panel(page)).to_contain_text(f"Duplicate of {text['title']}")
    expect(panel(page).get_by_role("list").filter(has_text="Duplicate of")).to_contain_text(first["id"])  # the history
    [second] = service.call("GET", f"{URL}?duplicate_of={first['id']}").json
    assert second["status"] == "closed"
    panel(page).get_by_role("button", name="Not a duplicate").click()
    expect(panel(page).get_by_role("button", name="Not a duplicate")).to_be_hidden()
    assert service.call("GET", f"{URL}{second['id']}").json["duplicate_of"] is None
    panel(page).get_by_role("link", name=text["title"]).click()
    expect(page.get_by_role("heading", name=text["title"])).to_be_visible()
