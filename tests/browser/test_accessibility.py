"""axe-core checks every state of the console, wide and light, and narrow and dark.

Colours do not depend on the size of the window, nor widths on the colours: the other two pairs would find nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE
from tests.browser.steps import change, comment, file, filing, menu, panel, rows

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def check(page: Page, state: str) -> None:
    """Check that axe-core finds no violation and that nothing is wider than the window."""
    found = Axe().run(page).response["violations"]
    violations = [f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0]['failureSummary']}" for each in found]
    assert violations == [], f"{state}: {violations}"
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], state


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_axe_finds_no_violation(
    console: OpenPage, service: Service, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    page = console(size=size, color_scheme=scheme, reduced_motion="reduce")
    home = page.url
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    check(page, "empty")

    for priority in ("critical", "high", "medium", "low"):
        people = {"requester": "ann@example.com", "tags": ["refund", "vip"], "metadata": {"plan": "pro"}}
        ticket = file(service, title=f"Charged twice, {priority}", priority=priority, category=None, **people)
        comment(service, ticket, author="ann@example.com", body="Any news?")
        comment(service, ticket, author="Maria", body="Ask billing first.", internal=True)
        text = "See https://example.com.\n\nOn Monday Ann wrote:\n> Other words than before."
        change(service, ticket, status="resolved", category="general", description=text)
    page.goto(f"{home}?search=charged&status=resolved&from=2020-01-01")
    expect(rows(page)).to_have_count(4)
    if size == NARROW:
        page.locator("#filter-summary").click()
    page.get_by_role("button", name="Save this view").click()
    check(page, "saving a view")
    page.get_by_role("dialog").get_by_label("Name").fill("Charged")
    page.keyboard.press("Enter")
    page.evaluate("document.querySelector('#fresh').hidden = false")  # its text is an ordinary one
    page.evaluate("document.querySelector('#fresh').append('3 new tickets: show')")
    check(page, "queue")
    page.get_by_label("Select all shown tickets").check()
    page.get_by_role("button", name="Add tag").click()
    check(page, "selection")
    page.goto(f"{home}?tags_all=refund&requester=ann@example.com")
    page.get_by_role("button", name="Next ticket").click()
    expect(page.get_by_role("dialog", name="Your name")).to_be_visible()
    check(page, "name")
    page.keyboard.press("Escape")

    page.goto(f"{home}?ticket={ticket['id']}")
    expect(page.locator(".history li")).to_have_count(4)
    expect(page.locator(".comment")).to_have_count(2)
    page.locator(".quoted summary").click()
    check(page, "ticket")
    page.get_by_role("button", name="Change tags").click()
    page.get_by_role("button", name="Change metadata").click()
    page.get_by_role("button", name="Send", exact=True).click()
    check(page, "fields")
    page.reload()
    expect(menu(page, "Status")).to_have_text("Resolved")  # loaded, with the version that is outdated next
    change(service, ticket, title="Theirs", status="open")
    menu(page, "Status").click()
    check(page, "menu")
    panel(page).get_by_role("option", name="Closed").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    check(page, "lost race")
    page.get_by_role("button", name="Apply my change").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    check(page, "undo")
    page.get_by_role("button", name="Edit").click()
    check(page, "edit")
    panel(page).get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page, "delete")

    page.goto(f"{home}?view=file")
    page.get_by_role("button", name="Create ticket").click()
    filing(page).get_by_label("Description").fill("My card was charged twice for the May invoice.")
    expect(page.locator(".suggested")).to_have_count(2)
    check(page, "filing")

    page.goto(f"{home}?view=statistics")
    expect(page.locator(".confusion")).not_to_have_count(0)
    expect(page.locator(".chart svg")).to_be_visible()
    page.get_by_text("As a table").click()
    check(page, "statistics")

    page.route(
        "**/api/tickets/*", lambda route: route.fulfill(status=401, json={"detail": "The API key is not known."})
    )
    page.goto(f"{home}?search=key")
    page.get_by_label("Key", exact=True).fill("wrong")
    page.get_by_role("button", name="Use key").click()
    expect(page.get_by_text("The API key is not known.")).to_be_visible()
    check(page, "key")
    page.unroute("**/api/tickets/*")

    page.goto(f"{home}?status=opne")
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "failure")
    if size == WIDE:
        page.get_by_role("button", name="Keyboard shortcuts").click()
        check(page, "shortcuts")


@pytest.mark.parametrize("address", ["", "?view=file", "?view=statistics"])
def test_nothing_is_wider_than_320_pixels(console: OpenPage, service: Service, address: str) -> None:
    file(service)
    page = console(address, size=(320, 640))
    expect(page.locator("h1:visible, #list li:visible").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
