"""The panel of a ticket: changes, edit conflicts, deletion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.steps import ALL, announcement, change, choose, come_back, file, menu, panel, read, rows, titles
from tests.support.tickets import URL

if TYPE_CHECKING:
    from playwright.sync_api import Request, Route

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


def test_a_ticket_is_changed_in_place(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Export stops", category="technical")
    page = console(ALL)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PATCH" else None)
    titles(page).first.click()
    expect(page.get_by_role("heading", name="Export stops")).to_be_focused()
    assert page.url.endswith(f"&ticket={ticket['id']}")
    choose(page, "Status", "In progress")
    expect(announcement(page)).to_have_text("Saved")
    expect(rows(page).first).to_contain_text("In progress")
    expect(page.locator(".history li")).to_have_count(2)
    expect(page.locator(".history li").last).to_contain_text("Open → In progress")
    panel(page).get_by_role("button", name="Edit").click()
    panel(page).get_by_label("Description").fill("It stops after 1,000 rows.")
    panel(page).get_by_role("button", name="Save").click()
    expect(page.locator("#ticket .text")).to_have_text("It stops after 1,000 rows.")
    expect(page.locator(".history ins").last).to_have_text("It stops after 1,000 rows.")
    assert [request.headers["if-match"] for request in sent] == ['"1"', '"2"']
    assert [request.post_data_json for request in sent] == [
        {"status": "in_progress"},
        {"description": "It stops after 1,000 rows."},
    ]
    now = read(service, ticket)
    assert (now["status"], now["description"], now["version"]) == ("in_progress", "It stops after 1,000 rows.", 3)


def test_quick_changes_do_not_conflict_with_each_other(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    page.evaluate(
        """() => { for (const [field, value] of [['status', 'closed'], ['priority', 'low'], ['category', 'billing']]) {
            document.querySelector(`#ticket-${field}`).click();
            document.querySelector(`#ticket-${field}-${value}`).click(); } }"""
    )
    expect(page.locator(".history li")).to_have_count(4)
    now = read(service, ticket)
    assert (now["status"], now["priority"], now["category"]) == ("closed", "low", "billing")


def test_a_proxy_that_rewrites_etags_causes_no_conflict(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console("?view=file")

    def compress(route: Route) -> None:
        response = route.fetch()
        headers = {**response.headers, "etag": f'W/{response.headers["etag"][:-1]}-gzip"'}
        route.fulfill(response=response, headers=headers)

    page.route(f"**/{ticket['id']}", compress)
    page.goto(f"{page.url.partition('?')[0]}?ticket={ticket['id']}")
    for status in ("Closed", "Open"):
        choose(page, "Status", status)
        expect(announcement(page)).to_have_text("Saved")
        expect(menu(page, "Status")).to_have_text(status)
        page.evaluate("document.querySelector('#announcement-text').textContent = ''")
    assert read(service, ticket)["version"] == 3


def test_a_ticket_that_leaves_the_list_turns_grey(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Leaves")
    file(service, title="Stays", priority="low")
    page = console(f"?ticket={ticket['id']}")
    expect(page.locator("#total")).to_have_text("2 tickets")
    choose(page, "Status", "Resolved")
    expect(page.locator("#rows li.left")).to_have_text(re.compile("Leaves"))
    expect(page.locator("#total")).to_have_text("1 ticket")
    expect(page.locator("#views .count").first).to_have_text("1")
    page.get_by_role("button", name="Undo").click()
    expect(announcement(page)).to_have_text("Undone")
    expect(page.locator("#rows li.left")).to_have_count(0)
    expect(page.locator("#total")).to_have_text("2 tickets")
    history = service.call("GET", f"{URL}{ticket['id']}/history").json
    assert [entry["changes"].get("status", {}).get("to") for entry in history] == ["open", "resolved", "open"]
    choose(page, "Status", "Resolved")
    expect(page.locator("#rows li.left")).to_have_count(1)
    page.get_by_role("button", name="Refresh").click()
    expect(titles(page)).to_have_text(["Stays"])


def test_undo_does_not_overwrite_a_later_change(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    choose(page, "Status", "Closed")
    expect(announcement(page)).to_have_text("Saved")
    change(service, ticket, status="resolved")
    page.keyboard.press("z")
    expect(page.get_by_role("alertdialog")).to_contain_text("Resolved → Open")
    assert read(service, ticket)["status"] == "resolved"


def test_links_and_quotations(console: OpenPage, service: Service) -> None:
    text = (
        "See (https://example.com/a_(b)?q=1&r=2), or http://example.org/x. Not javascript:alert(1), ftp://x or https://.\n\n"
        "On Mon, 3 Nov 2026 at 10:12 Ann wrote:\n> Please try again,\n>\n> as on https://example.net\n\nIt fails.\n"
        "-----Original Message-----\nFrom: Ann"
    )
    ticket = file(service, description=text)
    page = console(f"?ticket={ticket['id']}")
    place = page.locator("#ticket .text")
    expect(place.get_by_text("See (")).to_be_visible()
    links = place.locator("a").evaluate_all("links => links.map((a) => [a.textContent, a.href, a.target, a.rel])")
    safe = ["_blank", "noopener noreferrer nofollow"]
    assert links == [
        [address, address.replace("example.net", "example.net/"), *safe]
        for address in ("https://example.com/a_(b)?q=1&r=2", "http://example.org/x", "https://example.net")
    ]
    expect(place.locator("summary")).to_have_text(["Quoted text, 4 lines", "Quoted text, 2 lines"])
    expect(place.get_by_text("Please try again")).to_be_hidden()
    place.locator("summary").first.click()
    expect(place.get_by_text("Please try again")).to_be_visible()
    place.evaluate("place => place.querySelectorAll('summary').forEach((summary) => summary.remove())")
    assert place.text_content() == text  # nothing is lost


def test_a_ticket_that_is_only_quoted_is_shown(console: OpenPage, service: Service) -> None:
    ticket = file(service, description="> One\n> Two")
    expect(panel(console(f"?ticket={ticket['id']}")).get_by_text("> One")).to_be_visible()


def test_the_id_and_the_link_can_be_copied(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?category=general&ticket={ticket['id']}", permissions=["clipboard-read", "clipboard-write"])
    for button, copied in (
        ("Copy id", ticket["id"]),
        ("Copy link", f"{page.url.partition('?')[0]}?ticket={ticket['id']}"),
    ):
        panel(page).get_by_role("button", name=button).click()
        expect(announcement(page)).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == copied
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as on http://
    panel(page).get_by_role("button", name="Copy id").click()
    expect(announcement(page)).to_have_text("Copied")


def test_suggested_labels_are_marked(console: OpenPage, service: Service, database: Connection) -> None:
    ticket = service.call("POST", URL, {"title": "Refund", "description": "I was charged twice"}).json
    database.execute("UPDATE tickets SET category_confidence = 0.29, priority_confidence = 0.8")
    page = console(f"?ticket={ticket['id']}")
    decisions = panel(page).locator(".decision")
    expect(decisions).to_have_text(["", "Suggested automatically (80 %)", "Suggested automatically (29 %)"])
    expect(panel(page).locator(".decision.unsure")).to_have_text(["Suggested automatically (29 %)"])
    created = page.locator(".history li").first
    expect(created).to_contain_text("Priority and category suggested automatically")
    expect(created).to_contain_text("(just now)")
    choose(page, "Category", "General")
    expect(decisions.last).to_have_text("Corrected. Suggested: billing")
    expect(created).to_contain_text("suggested automatically")


@pytest.mark.parametrize(("button", "status"), [("Apply my change", "closed"), ("Discard my change", "resolved")])
def test_a_lost_race_is_shown_and_resolved(console: OpenPage, service: Service, button: str, status: str) -> None:
    ticket = file(service, title="Before")
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, status="resolved", title="Theirs")
    choose(page, "Status", "Closed")
    race = page.get_by_role("alertdialog", name="Someone else changed this ticket")
    expect(race).to_be_focused()
    expect(race).to_contain_text("Open → Resolved")
    expect(race.locator("del")).to_have_text("Before")
    expect(race.locator("ins")).to_have_text("Theirs")
    expect(race).to_contain_text("Resolved → Closed")
    expect(race).to_contain_text("applying yours replaces theirs")
    assert read(service, ticket)["status"] == "resolved"
    race.get_by_role("button", name=button).click()
    expect(race).to_be_hidden()
    expect(menu(page, "Status")).to_have_text(status.capitalize())
    expect(page.get_by_role("heading", name="Theirs")).to_be_visible()
    now = read(service, ticket)
    assert (now["status"], now["title"]) == (status, "Theirs")


def test_a_second_edit_conflict_is_shown(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    panel(page).get_by_role("button", name="Edit").click()
    panel(page).get_by_label("Title").fill("Mine")
    change(service, ticket, priority="low")
    panel(page).get_by_role("button", name="Save").click()
    race = page.get_by_role("alertdialog")
    expect(race).to_contain_text("Medium → Low")
    expect(panel(page).get_by_label("Title")).to_have_value("Mine")
    change(service, ticket, priority="critical")
    race.get_by_role("button", name="Apply").click()
    expect(race).to_contain_text("Low → Critical")
    assert read(service, ticket)["title"] == ticket["title"]
    race.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    now = read(service, ticket)
    assert (now["title"], now["priority"]) == ("Mine", "critical")


def test_the_same_change_by_two_people_is_no_conflict(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, status="closed")
    choose(page, "Status", "Closed")
    expect(announcement(page)).to_contain_text("the same change")
    assert read(service, ticket)["version"] == 2


def test_a_conflict_is_reported_after_leaving_the_ticket(console: OpenPage, service: Service) -> None:
    ticket, other = file(service, title="Left"), file(service, title="Other")
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, status="resolved")
    held: list[Route] = []
    page.route(
        f"**/{ticket['id']}", lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_()
    )
    choose(page, "Status", "Closed")
    titles(page).first.click()
    expect(page.get_by_role("heading", name="Other")).to_be_focused()
    [patch] = held
    patch.continue_()
    expect(announcement(page)).to_contain_text("“Left” was not saved")
    assert read(service, ticket)["status"] == "resolved"
    assert read(service, other)["version"] == 1


def test_a_deleted_ticket_is_reported(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    service.call("DELETE", URL + ticket["id"])
    choose(page, "Status", "Closed")
    expect(page.get_by_role("alert")).to_contain_text("Ticket deleted")
    expect(menu(page, "Status")).to_have_text("Open")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("There is no ticket")


def test_only_an_id_in_the_url_is_requested(console: OpenPage) -> None:
    asked: list[str] = []
    page = console()
    page.on("request", lambda request: asked.append(request.url))
    for wrong in ("classify", "export", "..", "0190"):
        page.goto(f"{page.url.partition('?')[0]}?ticket={wrong}")
        expect(page.get_by_role("alert")).to_contain_text("There is no ticket")
        assert not [url for url in asked if f"{URL}{wrong}" in url or url.endswith("/api/")]


def test_coming_back_shows_changes_by_others(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(menu(page, "Status")).to_have_text("Open")
    change(service, ticket, status="closed")
    come_back(page)
    expect(menu(page, "Status")).to_have_text("Closed")
    expect(announcement(page)).to_have_text("Someone else changed this ticket")


def test_coming_back_loads_what_could_not_be_loaded(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Charged twice")
    page = console(ALL)
    page.route(f"**/{ticket['id']}", lambda route: route.abort())
    titles(page).first.click()
    expect(page.locator("#ticket").get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute(f"**/{ticket['id']}")
    come_back(page)
    expect(page.get_by_role("heading", name="Charged twice")).to_be_focused()


def test_deleting_requires_confirmation(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Doomed")
    page = console(f"?ticket={ticket['id']}")
    dialog = page.get_by_role("dialog", name="Delete this ticket?")
    panel(page).get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("Doomed")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert read(service, ticket)["title"] == "Doomed"
    panel(page).get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(announcement(page)).to_have_text("The ticket was deleted")
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    expect(page.locator("#total")).to_have_text("0 tickets")
    assert service.call("GET", URL + ticket["id"]).status == 404
