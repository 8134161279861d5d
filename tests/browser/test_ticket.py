"""The panel of a ticket: changes, edit conflicts, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.steps import change, file, panel, read, rows, titles
from tests.support.tickets import URL

if TYPE_CHECKING:
    from playwright.sync_api import Request, Route

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def test_a_ticket_is_changed_in_place(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Export stops", category="technical")
    page = console()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PATCH" else None)
    titles(page).first.click()
    expect(page.get_by_role("heading", name="Export stops")).to_be_focused()
    assert page.url.endswith(f"?ticket={ticket['id']}")
    panel(page).get_by_label("Status").select_option("In progress")
    expect(page.locator("#announcement")).to_have_text("Saved")
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
            const select = document.querySelector(`#ticket-${field}`);
            select.value = value;
            select.dispatchEvent(new Event('change')); } }"""
    )
    expect(page.locator(".history li")).to_have_count(4)
    now = read(service, ticket)
    assert (now["status"], now["priority"], now["category"]) == ("closed", "low", "billing")


@pytest.mark.parametrize(("button", "status"), [("Apply my change", "closed"), ("Discard my change", "resolved")])
def test_a_lost_race_is_shown_and_resolved(console: OpenPage, service: Service, button: str, status: str) -> None:
    ticket = file(service, title="Before")
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    change(service, ticket, status="resolved", title="Theirs")
    panel(page).get_by_label("Status").select_option("Closed")
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
    expect(panel(page).get_by_label("Status")).to_have_value(status)
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
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.locator("#announcement")).to_contain_text("the same change")
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
    panel(page).get_by_label("Status").select_option("Closed")
    titles(page).first.click()
    expect(page.get_by_role("heading", name="Other")).to_be_focused()
    [patch] = held
    patch.continue_()
    expect(page.locator("#announcement")).to_contain_text("“Left” was not saved")
    assert read(service, ticket)["status"] == "resolved"
    assert read(service, other)["version"] == 1


def test_a_deleted_ticket_is_reported(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(panel(page)).to_be_visible()
    service.call("DELETE", URL + ticket["id"])
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.get_by_role("alert")).to_contain_text("Ticket deleted")
    expect(panel(page).get_by_label("Status")).to_have_value("open")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("There is no ticket")


def test_only_an_id_in_the_url_is_requested(console: OpenPage) -> None:
    asked: list[str] = []
    page = console()
    page.on("request", lambda request: asked.append(request.url))
    for wrong in ("stats", "export", "..", "0190"):
        page.goto(f"{page.url.partition('?')[0]}?ticket={wrong}")
        expect(page.get_by_role("alert")).to_contain_text("There is no ticket")
        assert not [url for url in asked if f"{URL}{wrong}" in url or url.endswith("/api/")]


def test_deleting_requires_confirmation(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Doomed")
    page = console(f"?ticket={ticket['id']}")
    dialog = page.get_by_role("dialog", name="Delete this ticket?")
    panel(page).get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("Doomed")
    dialog.get_by_role("button", name="Cancel").click()
    assert read(service, ticket)["title"] == "Doomed"
    panel(page).get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("#announcement")).to_have_text("The ticket was deleted")
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    expect(page.locator("#total")).to_have_text("0 tickets")
    assert service.call("GET", URL + ticket["id"]).status == 404
