"""Changes that appear by themselves: the console reads the events of the service."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.steps import ALL, announcement, change, comment, file, filing, menu, panel, rows, titles
from tests.support.tickets import URL, insert_many

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Route

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


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


def test_the_list_follows_what_others_do(console: OpenPage, service: Service, database: Connection) -> None:
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

    page.locator("#search").focus()
    page.mouse.move(0, 0)
    insert_many(database, 100)  # more than a page is to be done: nothing between them is left out
    expect(page.locator("#total")).to_have_text("65 tickets")
    rows(page).nth(49).scroll_into_view_if_needed()
    queue = service.call("GET", f"{URL}?status=open,in_progress&sort=-priority").json
    expect(titles(page)).to_have_text([ticket["title"] for ticket in queue])

    page.get_by_role("link", name="Statistics").click()
    backlog = page.locator(".figure").first
    expect(backlog).to_contain_text("Open33")
    file(service)
    expect(backlog).to_contain_text("Open34")


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


def look(page: Page, state: str) -> None:
    """Do what a browser does when its user leaves the tab ("hidden") or comes back to it ("visible")."""
    page.evaluate(f"Object.defineProperty(document, 'visibilityState', {{value: '{state}', configurable: true}})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_visible_tabs_share_a_stream_that_survives_everything(
    console: OpenPage, service: Service, make_empty: Callable[[], None]
) -> None:
    streams: list[tuple[Page, str | None]] = []
    first = console(ALL, live=True)
    second = first.context.new_page()
    first.context.on(
        "request",
        lambda request: (
            streams.append((request.frame.page, request.headers.get("last-event-id")))
            if "/api/events/" in request.url
            else None
        ),
    )
    until_live(first)
    second.goto(first.url)
    until_live(second)
    file(service, title="One")
    for page in (first, second):
        expect(titles(page)).to_have_text(["One"])
    assert second not in dict(streams)  # it reads none of its own

    with first.context.expect_event("request", lambda request: "/api/events/" in request.url):
        look(first, "hidden")
    until_live(second)
    file(service, title="Two")
    expect(titles(second)).to_have_text(["Two", "One"])
    expect(titles(first)).to_have_text(["One"])
    look(first, "visible")
    expect(titles(first)).to_have_text(["Two", "One"])

    service.process.send_signal(signal.SIGHUP)  # gunicorn replaces its workers, and the stream ends
    expect(second.locator("#live")).to_have_text("Not live")
    file(service, title="Meanwhile")
    for page in (first, second):
        until_live(page)
        expect(titles(page)).to_have_text(["Meanwhile", "Two", "One"])
    assert None not in dict(streams).values()  # it continued after the last event

    make_empty()  # as a restored backup: the last event is gone
    second.evaluate("dispatchEvent(new Event('online'))")
    for page in (first, second):
        expect(page.get_by_text("No tickets yet")).to_be_visible()
        until_live(page)
    file(service, title="Again")
    for page in (first, second):
        expect(titles(page)).to_have_text(["Again"])


def test_messages_are_read_in_whatever_pieces_they_come(console: OpenPage) -> None:
    page = console("?view=file")
    position = 'retry: 3000\nid: g-1\nevent: position\ndata: {"id": "g-1"}\n\n'
    text = f'{position}:\n:\nid: g-2\ndata: "Grüße"\ndata: \n\nid: g-3\ndata: cut'
    read = """async (bytes) => {
        const address = document.querySelector("script").src.replace("start.js", "event_stream.js");
        const { readEvents } = await import(address);
        const found = [];
        const body = new ReadableStream({
            start(controller) {
                for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
                controller.close();
            },
        });
        for await (const messages of readEvents(body)) found.push(...messages);
        return found;
    }"""
    assert page.evaluate(read, list(text.encode())) == [
        {"retry": "3000", "id": "g-1", "event": "position", "data": json.dumps({"id": "g-1"})},
        {"id": "g-2", "data": '"Grüße"\n'},
    ]


def test_reads_include_what_the_tab_wrote_and_what_the_feed_said(console: OpenPage, service: Service) -> None:
    """Both say which position in the log of the database they need, where reads may use a replica."""
    written, said = f"{1:024X}", f"{2:024X}"
    page = console("docs/guide", live=True)
    home = page.url.removesuffix("docs/guide")

    def says(stream: str) -> None:
        page.route("**/api/events/*", lambda route: route.fulfill(body=stream, content_type="text/event-stream"))

    says("retry: 300000\n\n")
    page.goto(f"{home}?view=file")

    def with_position(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "x-tickets-lsn": written})

    page.route("**/api/tickets/", with_position)
    filing(page).get_by_label("Title").fill("Here")
    filing(page).get_by_label("Description").fill("As soon as it is stored.")
    with page.expect_request(lambda request: request.headers.get("x-tickets-lsn") == written):
        page.get_by_role("button", name="Create ticket").click()
    says(f':lsn {said}\nretry: 300000\nid: 00000000-1\nevent: position\ndata: {{"id": "00000000-1"}}\n\n')
    with page.expect_request(
        lambda request: "/api/tickets/" in request.url and request.headers.get("x-tickets-lsn") == said
    ):
        page.goto(home)
    expect(titles(page)).to_have_text(["Here"])
