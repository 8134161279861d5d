"""Requesters, assignees, tags and metadata: changed in place, and as filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.steps import announcement, change, choose, file, give_name, panel, read, rows, titles
from tests.support.tickets import URL

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def group(page: Page, name: str) -> Locator:
    """Return a field of the open ticket."""
    return panel(page).get_by_role("group", name=name)


def edit(page: Page, name: str, value: str) -> None:
    """Enter a value in place of a field of the open ticket."""
    group(page, name).get_by_role("button", name=name.lower()).click()
    group(page, name).get_by_role("textbox").fill(value)
    page.keyboard.press("Enter")


def test_people_tags_and_metadata_are_changed_in_place(console: OpenPage, service: Service) -> None:
    ticket = file(service, metadata={"plan": "pro", "order": "17"})
    page = console(f"?ticket={ticket['id']}")
    edit(page, "Requester", " ann@example.com ")
    expect(group(page, "Requester").get_by_role("button", name="Change requester")).to_be_focused()
    edit(page, "Tags", "VIP, refund,, vip")
    expect(group(page, "Tags").locator(".tag")).to_have_text(["refund", "vip"])
    expect(rows(page).locator(".tag")).to_have_text(["refund", "vip"])
    give_name(page, panel(page).get_by_role("button", name="Assign to me"), "Maria")
    expect(group(page, "Assignee")).to_contain_text("Maria")
    expect(panel(page).get_by_role("button", name="Assign to me")).to_be_hidden()
    expect(group(page, "Assignee").get_by_role("button", name="Change assignee")).to_be_focused()
    expect(rows(page).locator(".row-assignee")).to_contain_text("Maria")

    group(page, "Metadata").get_by_role("button", name="Change metadata").click()
    keys, values = group(page, "Metadata").get_by_label("Key"), group(page, "Metadata").get_by_label("Value")
    expect(keys.last).to_be_focused()
    page.keyboard.type("region")
    page.keyboard.press("Tab")
    page.keyboard.type("eu")
    values.first.fill("team")
    group(page, "Metadata").get_by_role("button", name="Remove this row").nth(1).click()
    page.keyboard.press("Enter")
    expect(group(page, "Metadata").locator(".member")).to_have_text(["plan team", "region eu"])
    now = read(service, ticket)
    assert (now["requester"], now["tags"], now["assignee"]) == ("ann@example.com", ["refund", "vip"], "Maria")
    assert now["metadata"] == {"plan": "team", "region": "eu"}
    page.get_by_role("button", name="Undo").click()
    expect(group(page, "Metadata").locator(".member")).to_have_text(["plan pro", "order 17"])
    assert read(service, ticket)["metadata"] == ticket["metadata"]
    expect(panel(page).locator(".history li").nth(4)).to_contain_text("region")
    expect(panel(page).locator(".history ins").nth(2)).to_have_text("ann@example.com")

    edit(page, "Requester", "")
    expect(group(page, "Requester").get_by_role("button", name="Add requester")).to_be_focused()
    page.keyboard.press("l")
    page.keyboard.type("old")  # one more, not instead of the others
    page.keyboard.press("Enter")
    expect(group(page, "Tags").locator(".tag")).to_have_text(["old", "refund", "vip"])
    edit(page, "Tags", "")
    expect(group(page, "Tags").locator(".tag")).to_have_count(0)
    now = read(service, ticket)
    assert (now["requester"], now["tags"]) == (None, [])


def test_a_conflict_about_people_is_shown(console: OpenPage, service: Service) -> None:
    ticket = file(service, tags=["old"], metadata={"plan": "pro"})
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, tags=["old", "theirs"], assignee="bob", metadata={"order": "17"})
    edit(page, "Tags", "mine")
    race = page.get_by_role("alertdialog", name="Someone else changed this ticket")
    expect(race).to_be_focused()
    expect(race.locator(".change")).to_have_text(["Assigneebob", "Tagstheirs", "order17", "Tagsold, theirs → mine"])
    expect(race).to_contain_text("Both change the tags: applying yours replaces theirs.")
    race.get_by_role("button", name="Apply my change").click()
    expect(group(page, "Tags").locator(".tag")).to_have_text(["mine"])
    expect(group(page, "Assignee")).to_contain_text("bob")
    now = read(service, ticket)
    assert (now["tags"], now["assignee"], now["metadata"]) == (["mine"], "bob", {"plan": "pro", "order": "17"})


def test_views_and_filters_of_people(console: OpenPage, service: Service) -> None:
    file(service, title="Nobody's")
    file(service, title="Bob's", requester="ann, inc.", assignee="Bob", tags=["refund"])
    file(service, title="Maria's", requester="ann, inc.", assignee="Maria", tags=["refund", "vip"])
    page = console()
    expect(rows(page)).to_have_count(3)
    views = page.locator("#views li")
    expect(views.locator(".count")).to_have_text(["3", "", "1", "0", "", "3"])
    give_name(page, page.get_by_role("link", name="Mine"), "maria")
    expect(titles(page)).to_have_text(["Maria's"])
    expect(views.nth(1).locator(".count")).to_have_text("1")
    chips = page.locator("#filter-chips li")
    expect(chips).to_contain_text(["Assignee maria"])
    page.get_by_role("link", name="Unassigned").click()
    expect(titles(page)).to_have_text(["Nobody's"])
    expect(chips).to_contain_text(["Unassigned"])

    page.get_by_role("link", name="All tickets").click()
    titles(page).filter(has_text="Maria's").click()
    panel(page).get_by_role("button", name="ann, inc.").click()
    expect(titles(page)).to_have_text(["Maria's", "Bob's"])
    panel(page).get_by_role("button", name="refund").click()
    panel(page).get_by_role("button", name="vip").click()
    expect(titles(page)).to_have_text(["Maria's"])
    expect(chips).to_contain_text(["Requester ann, inc.", "Tag refund", "Tag vip"])
    page.reload()
    expect(titles(page)).to_have_text(["Maria's"])
    expect(chips).to_have_count(3)
    page.get_by_role("button", name="Remove the filter Tag vip").click()
    expect(titles(page)).to_have_text(["Maria's", "Bob's"])
    expect(chips.first.get_by_role("button")).to_be_focused()
    page.get_by_label("Kind").select_option("Assignee")
    page.get_by_label("Person or tag").fill("BOB")
    page.keyboard.press("Enter")
    expect(titles(page)).to_have_text(["Bob's"])
    assert "requester=ann,+inc.&assignee=BOB&tags_all=refund" in page.url
    titles(page).first.click()
    choose(page, "Status", "Closed")
    expect(page.locator("#rows li.left")).to_have_count(0)  # this list has every status

    page.get_by_role("button", name="Change your name, maria").click()
    page.get_by_role("dialog", name="Your name").get_by_role("textbox").fill("Bob")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Mine").click()
    expect(page.get_by_text("No matching tickets")).to_be_visible()


def test_the_next_ticket_is_claimed(console: OpenPage, service: Service) -> None:
    file(service, title="Low", priority="low", tags=["refund"])
    file(service, title="Urgent, another team's", priority="critical")
    first = file(service, title="Urgent", priority="critical", tags=["refund"])
    page = console("?tags_all=refund&status=open&sort=created_at")
    give_name(page, page.get_by_role("button", name="Next ticket"), "Maria")
    expect(page.get_by_role("heading", name="Urgent")).to_be_focused()
    expect(announcement(page)).to_have_text("The ticket is assigned to you")
    now = read(service, first)
    assert (now["assignee"], now["status"]) == ("Maria", "in_progress")
    page.keyboard.press("g")
    expect(page.get_by_role("heading", name="Low")).to_be_focused()
    page.keyboard.press("g")
    expect(announcement(page)).to_have_text("No open, unassigned ticket matches the filters")
    assert [ticket["title"] for ticket in service.call("GET", f"{URL}?assigned=false").json] == [
        "Urgent, another team's"
    ]
    page.route("**/claim/*", lambda route: route.abort())
    page.keyboard.press("g")
    expect(announcement(page)).to_contain_text("No ticket was assigned.")
