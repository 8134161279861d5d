"""Changes that appear by themselves: the console reads the events of the service."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import origin_of
from tests.browser.steps import ALL, announcement, change, choose, comment, file, menu, panel, rows, titles
from tests.conftest import serve
from tests.support.tickets import URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def delete(service: Service, ticket: dict[str, Any]) -> None:
    assert service.call("DELETE", URL + ticket["id"]).status == 204


def until_live(page: Page) -> None:
    """Wait until changes appear by themselves."""
    expect(page.locator("#live")).to_have_text("Live")


def top(control: Locator) -> float:
    bounds = control.bounding_box()
    assert bounds
    return bounds["y"]


def box(page: Page) -> Locator:
    return panel(page).get_by_label(re.compile("^Reply$"))


def test_the_list_follows_what_others_do(console: OpenPage, service: Service) -> None:
    old = file(service, title="Old", priority="low")
    page = console(live=True)
    expect(titles(page)).to_have_text(["Old"])
    until_live(page)
    file(service, title="Urgent", priority="critical")
    closed = file(service, title="Closed at once")
    change(service, closed, status="closed")
    expect(titles(page)).to_have_text(["Urgent", "Old"])  # by itself, where it belongs
    expect(page.locator("#total")).to_have_text("2 tickets")
    expect(page.locator("#views .count").nth(5)).to_have_text("3")
    expect(page.locator("#live-report")).to_have_text("1 new ticket")

    rows(page).first.locator("input").check()  # selected and under the pointer: nothing may move
    change(service, old, title="Older", priority="critical")
    expect(titles(page)).to_have_text(["Urgent", "Older"])
    file(service, title="Newest", priority="critical")
    change(service, closed, status="open", priority="low")  # comes into the list
    fresh = page.get_by_role("button", name="2 new tickets: show")
    expect(fresh).to_be_visible()
    expect(page).to_have_title("(2) Tickets")
    expect(titles(page)).to_have_text(["Urgent", "Older"])
    expect(rows(page).first.locator("input")).to_be_checked()
    change(service, old, status="resolved")
    expect(page.locator("#rows li.left")).to_contain_text("Older")
    fresh.focus()
    page.keyboard.press("Enter")
    expect(titles(page)).to_have_text(["Newest", "Urgent", "Closed at once"])
    expect(fresh).to_be_hidden()

    page.locator("#rows a").nth(2).focus()
    delete(service, closed)
    expect(titles(page)).to_have_text(["Newest", "Urgent"])
    expect(page.locator("#rows a").nth(1)).to_be_focused()


def test_an_open_ticket_follows_what_others_do(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Broken", description="It is *broken*.")
    for number in range(15):  # the conversation is higher than the window
        comment(service, ticket, body=f"Number {number}.")
    page = console(f"?ticket={ticket['id']}", live=True)
    until_live(page)
    box(page).fill("Half a repl")
    place = top(box(page))
    comment(service, ticket, author="Ann", body="It is back!")
    expect(announcement(page)).to_have_text("New comment by Ann")
    expect(panel(page).locator(".comment").last).to_contain_text("It is back!")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("Half a repl")
    assert top(box(page)) == pytest.approx(place, abs=1)  # what is written stays where it is
    panel(page).get_by_role("button", name="Send and resolve").click()  # begun before that comment
    expect(panel(page).get_by_role("alert")).to_contain_text("Someone else changed this ticket meanwhile.")
    panel(page).get_by_role("button", name="Try again").click()
    expect(announcement(page)).to_have_text("The reply was sent, the ticket is resolved.")  # not: someone else …
    expect(menu(page, "Status")).to_have_text("Resolved")

    panel(page).get_by_role("button", name="Edit").click()
    title = panel(page).get_by_label("Title")
    title.fill("Mine")
    change(service, ticket, title="Theirs", priority="low")
    comment(service, ticket, author="Ann", body="See the title.")
    expect(panel(page).locator(".comment").last).to_contain_text("See the title.")  # comments do not wait
    expect(title).to_have_value("Mine")
    expect(menu(page, "Priority")).not_to_have_text("Low")
    title.press("Enter")
    expect(page.get_by_role("alertdialog")).to_contain_text("Both change the title")
    page.get_by_role("button", name="Discard my change").click()
    expect(panel(page).get_by_role("heading", name="Theirs")).to_be_visible()
    expect(menu(page, "Priority")).to_have_text("Low")
    menu(page, "Priority").click()
    change(service, ticket, priority="high")
    page.keyboard.press("Escape")  # what is being chosen waits, too
    expect(menu(page, "Priority")).to_have_text("High")

    box(page).fill("Where is it?")
    delete(service, ticket)
    expect(panel(page).get_by_role("alert")).to_contain_text("Someone else deleted this ticket.")
    expect(box(page)).to_have_value("Where is it?")
