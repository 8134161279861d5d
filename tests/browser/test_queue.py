"""The queue: filters in the URL, search while typing, pages loaded while scrolling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser.steps import change, file, lists, rows, titles
from tests.support.tickets import insert, insert_many

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


def test_it_shows_the_queue_newest_first(console: OpenPage, service: Service) -> None:
    file(service, title="One", priority="critical", category="billing")
    file(service, title="Two")
    page = console()
    expect(titles(page)).to_have_text(["Two", "One"])
    expect(page.locator("#total")).to_have_text("2 tickets")
    expect(rows(page).last).to_contain_text("billing", ignore_case=True)
    expect(rows(page).last.locator(".priority-critical")).to_be_visible()
    expect(page).to_have_title("Tickets")


def test_an_empty_queue_links_to_the_form(console: OpenPage) -> None:
    page = console()
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    page.locator("#queue-state").get_by_role("link", name="New ticket").click()
    expect(page.get_by_role("heading", name="New ticket")).to_be_visible()


def test_filters_are_in_the_url(console: OpenPage, service: Service) -> None:
    file(service, title="Money", category="billing")
    change(service, file(service, title="Done", category="billing"), status="closed")
    file(service, title="Other", category="technical")
    page = console()
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Billing").check()
    expect(titles(page)).to_have_text(["Done", "Money"])
    page.get_by_label("Open", exact=True).check()
    expect(titles(page)).to_have_text(["Money"])
    assert page.url.endswith("/?category=billing&status=open")
    page.get_by_label("In progress").check()
    expect(page.locator("#total")).to_have_text("1 ticket")
    assert page.url.endswith("status=open,in_progress")

    shared = console(page.url.partition("/?")[2] and "?" + page.url.partition("/?")[2])
    expect(titles(shared)).to_have_text(["Money"])
    expect(shared.get_by_label("In progress")).to_be_checked()

    page.go_back()
    page.go_back()
    expect(titles(page)).to_have_text(["Done", "Money"])
    expect(page.get_by_label("Open", exact=True)).not_to_be_checked()
    page.get_by_role("button", name="Clear all filters").click()
    expect(rows(page)).to_have_count(3)


def test_a_window_has_local_days(console: OpenPage, database: Connection, service: Service) -> None:
    for at in ("2026-03-01T22:59:59Z", "2026-03-01T23:00Z", "2026-03-03T22:59:59Z", "2026-03-03T23:00Z"):
        insert(database, at, at)
    page = console("?from=2026-03-02&to=2026-03-03")  # in Berlin, one hour ahead of UTC
    expect(titles(page)).to_have_text(["2026-03-03T22:59:59Z", "2026-03-01T23:00Z"])
    page.get_by_label("Sort by").select_option("Oldest first")
    expect(titles(page)).to_have_text(["2026-03-01T23:00Z", "2026-03-03T22:59:59Z"])
    file(service, title="Now")
    page.get_by_label("Created", exact=True).select_option("Today")
    expect(titles(page)).to_have_text(["Now"])


def test_search_while_typing_aborts_outdated_requests(console: OpenPage, service: Service) -> None:
    file(service, title="Charged twice")
    file(service, title="Change of address")
    page = console()
    expect(rows(page)).to_have_count(2)
    held: list[Route] = []
    given_up: list[str] = []
    page.on("requestfailed", lambda request: given_up.append(request.url))
    page.route("**/api/tickets/?search=cha&*", lambda route: held.append(route))
    page.get_by_label("Search in").press_sequentially("cha")
    page.wait_for_url("**/?search=cha")
    page.get_by_label("Search in").press_sequentially("rged", delay=20)
    expect(titles(page)).to_have_text(["Charged twice"])
    expect(page.locator("#rows mark")).to_have_text(["Charged"])
    assert len(held) == 2  # the page, and the number of all
    assert sorted(given_up) == sorted(route.request.url for route in held)
    page.go_back()  # typing was one step
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_label("Search in")).to_have_value("")


def test_every_sign_in_a_search_is_literal(console: OpenPage, service: Service) -> None:
    signs = "a-b/c.*+?^$(d)[e]{f}|g\\\\h"
    file(service, title=f"Signs {signs}, e-mail")
    page = console(f"?search={quote(signs)}+e-mail")
    expect(page.locator("#rows .row-title mark")).to_have_text([signs, "e-mail"])


def test_an_unknown_view_in_the_url_is_the_queue(console: OpenPage, service: Service) -> None:
    file(service, title="One")
    expect(titles(console("?view=toString"))).to_have_text(["One"])


def test_scrolling_loads_pages(console: OpenPage, database: Connection) -> None:
    insert_many(database, 230)
    asked: list[str] = []
    page = console()
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("#total")).to_have_text("230 tickets")
    for least in (51, 101, 151, 201):
        page.locator("#list").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        expect(rows(page).nth(least - 1)).to_be_attached()
    expect(rows(page)).to_have_count(230)
    shown = titles(page).all_text_contents()
    assert shown == [f"Ticket {number}" for number in range(230, 0, -1)]
    assert len(lists(asked)) <= 5
    assert all("cursor=" in url for url in lists(asked)[1:])
    expect(page.locator("#more")).to_be_hidden()


def test_a_bad_filter_in_the_url_is_reported(console: OpenPage) -> None:
    page = console("?status=opne")
    expect(page.get_by_role("alert")).to_contain_text("status must be one or more of open, in_progress")


def test_a_failed_request_can_be_retried(console: OpenPage, service: Service) -> None:
    file(service, title="Still there")
    page = console("?view=file")
    document = {"title": "Temporarily unavailable", "detail": "The database is away.", "status": 503}
    page.route(
        "**/api/tickets/?*",
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(document)),
    )
    page.get_by_role("link", name="Queue").click()
    expect(page.get_by_role("alert")).to_contain_text("The database is away.")
    page.unroute("**/api/tickets/?*")
    page.get_by_role("button", name="Try again").click()
    expect(titles(page)).to_have_text(["Still there"])
    page.route("**/api/tickets/?*", lambda route: route.abort())
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
