"""Selecting several rows of the queue and changing them together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.steps import announcement, change, file, menu, panel, read, rows, titles
from tests.support.tickets import URL, insert_many

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


def bar(page: Page) -> Locator:
    return page.get_by_role("group", name="Selected tickets")


def boxes(page: Page) -> Locator:
    return rows(page).get_by_role("checkbox")


def pick(page: Page, field: str, value: str) -> None:
    """Choose a value in a menu of the bar."""
    bar(page).get_by_role("combobox", name=field).click()
    bar(page).get_by_role("option", name=value).click()


def enter(page: Page, button: str, value: str) -> None:
    """Enter a value in the form of the bar."""
    bar(page).get_by_role("button", name=button).click()
    bar(page).get_by_role("combobox").and_(page.locator("input")).fill(value)
    page.keyboard.press("Enter")


def test_selected_tickets_are_changed_together(console: OpenPage, service: Service) -> None:
    tickets = [file(service, title=f"Number {number}", tags=["old"] if number == 1 else []) for number in range(1, 7)]
    page = console(f"?sort=created_at&ticket={tickets[0]['id']}")
    expect(rows(page)).to_have_count(6)
    boxes(page).nth(0).check()
    boxes(page).nth(3).click(modifiers=["Shift"])
    expect(bar(page)).to_contain_text("4 selected")
    boxes(page).nth(2).uncheck()
    expect(bar(page)).to_contain_text("3 selected")
    expect(page.get_by_label("Select all shown tickets")).to_have_js_property("indeterminate", True)

    change(service, tickets[1], title="Changed meanwhile", priority="low")
    service.call("DELETE", URL + tickets[3]["id"])
    sent: list[str | None] = []
    page.on(
        "request", lambda request: sent.append(request.headers.get("if-match")) if request.method == "PATCH" else None
    )
    pick(page, "Priority", "Critical")
    expect(announcement(page)).to_have_text("1 ticket changed")
    expect(menu(page, "Priority")).to_have_text("Critical")  # the open ticket is one of them
    expect(bar(page)).to_contain_text("2 selected")
    expect(bar(page).get_by_role("alert")).to_contain_text(
        ["1 ticket changed by someone else meanwhile.", "1 ticket not changed. There is no ticket"]
    )
    expect(titles(page).nth(1)).to_have_text("Changed meanwhile")
    expect(bar(page).get_by_role("combobox", name="Priority")).to_be_focused()
    assert sent == ['"1"'] * 3
    assert read(service, tickets[1])["priority"] == "low"
    boxes(page).nth(3).uncheck()
    pick(page, "Priority", "Critical")
    expect(announcement(page)).to_have_text("1 ticket changed")
    expect(bar(page)).to_be_hidden()
    expect(page.locator("#rows a:focus")).to_have_count(1)  # not lost with the bar
    assert read(service, tickets[1])["priority"] == "critical"

    page.get_by_role("button", name="Refresh").click()
    expect(rows(page)).to_have_count(5)
    page.get_by_label("Select all shown tickets").check()
    enter(page, "Add tag", "VIP, old")
    expect(announcement(page)).to_have_text("5 tickets changed")
    assert [ticket["tags"] for ticket in service.call("GET", URL).json] == [["old", "vip"]] * 5
    page.keyboard.press("z")
    expect(announcement(page)).to_have_text("Undone for 5 tickets")
    assert [ticket["tags"] for ticket in service.call("GET", f"{URL}?sort=created_at").json] == [
        ["old"],
        [],
        [],
        [],
        [],
    ]
    page.get_by_label("Select all shown tickets").check()
    enter(page, "Remove tag", "old")
    expect(announcement(page)).to_have_text("1 ticket changed")  # the others do not have it
    boxes(page).nth(4).check()
    enter(page, "Assign", "Kim")
    expect(rows(page).last.locator(".row-assignee")).to_contain_text("Kim")
    expect(panel(page)).to_be_visible()


def test_all_tickets_that_match_are_changed_after_confirmation(
    console: OpenPage, service: Service, database: Connection
) -> None:
    def closed() -> int:
        """Return how many tickets of the list are closed."""
        return int(service.call("GET", f"{URL}stats?status=closed&category=billing,technical").json["total_tickets"])

    insert_many(database, 160)
    page = console("?category=billing", size=(1440, 600))
    expect(page.locator("#total")).to_have_text("40 tickets")
    page.get_by_label("Select all shown tickets").check()
    expect(bar(page)).to_contain_text("40 selected")  # all are loaded
    expect(bar(page).get_by_role("button", name=re.compile("Select all"))).to_be_hidden()
    page.goto(f"{page.url.partition('?')[0]}?category=billing,technical")
    expect(page.locator("#total")).to_have_text("80 tickets")
    expect(rows(page)).to_have_count(50)
    page.get_by_label("Select all shown tickets").check()
    expect(bar(page)).to_contain_text("50 selected")
    bar(page).get_by_role("button", name="Select all 80 that match").click()
    expect(bar(page)).to_contain_text("80 selected")
    before = closed()
    pick(page, "Status", "Closed")
    dialog = page.get_by_role("dialog", name="Change all these tickets?")
    expect(dialog).to_contain_text("Status: Closed")
    expect(dialog).to_contain_text(f"This changes {80 - before} tickets.")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert closed() == before
    pick(page, "Status", "Closed")
    dialog.get_by_role("button", name=f"Change {80 - before} tickets").click()
    expect(announcement(page)).to_have_text(f"{80 - before} tickets changed")
    expect(bar(page)).to_be_hidden()
    assert closed() == 80
    assert not page.evaluate("document.activeElement === document.body")
