"""The queue: filters in the URL, search while typing, pages loaded while scrolling."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.steps import ALL, change, choose, come_back, comment, file, lists, menu, panel, rows, titles
from tests.support.tickets import URL, insert, insert_many

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Route

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


OPEN = re.compile("^Open")


def test_it_opens_on_what_is_to_do_most_urgent_first(console: OpenPage, service: Service) -> None:
    file(service, title="Low", priority="low")
    file(service, title="Critical", priority="critical", category="billing")
    change(service, file(service, title="Done", priority="critical"), status="resolved")
    change(service, file(service, title="Begun", priority="high"), status="in_progress")
    page = console()
    expect(titles(page)).to_have_text(["Critical", "Begun", "Low"])
    expect(page.locator("#total")).to_have_text("3 tickets")
    expect(rows(page).first).to_contain_text("billing", ignore_case=True)
    expect(rows(page).first.locator(".priority-critical")).to_be_visible()
    expect(page).to_have_title("Tickets")
    assert page.url.endswith("/")


def test_views_and_filters_have_counts(console: OpenPage, service: Service) -> None:
    for priority in ("low", "high", "critical"):
        file(service, priority=priority, category="billing")
    for status in ("in_progress", "resolved", "closed", "closed"):
        change(service, file(service, priority="low", category="account"), status=status)
    asked: list[str] = []
    page = console()
    page.on("request", lambda request: asked.append(request.url))

    def counts(field: str) -> Locator:
        return page.locator(f"#filter-{field} .count")

    expect(page.locator("#views .count")).to_have_text(["4", "", "4", "2", "", "7"])
    expect(counts("status")).to_have_text(["3", "1", "1", "2"])
    expect(counts("priority")).to_have_text(["1", "1", "0", "2"])
    expect(counts("category")).to_have_text(["3", "0", "1", "0"])
    page.get_by_label("Account").check()  # of each facet with the other filters applied
    expect(page.locator("#total")).to_have_text("1 ticket")
    expect(counts("status")).to_have_text(["0", "1", "1", "2"])
    expect(counts("priority")).to_have_text(["0", "0", "0", "1"])
    expect(counts("category")).to_have_text(["3", "0", "1", "0"])
    assert len([url for url in asked if "/stats" in url]) <= 4  # what is known is not requested again


def test_a_search_is_counted_once(console: OpenPage, service: Service) -> None:
    file(service, title="Charged twice", category="billing")
    file(service, title="Charged once", category="account")
    page = console(ALL)
    expect(page.locator("#total")).to_have_text("2 tickets")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Search in").fill("twice")
    expect(page.locator("#total")).to_have_text("1 ticket")
    expect(page.locator("#filter-category .count")).to_have_text(["1", "0", "0", "0"])
    assert len([url for url in asked if "/stats" in url and "search" in url]) == 1


def test_a_search_can_cover_comments(console: OpenPage, service: Service) -> None:
    file(service, title="Charged twice")
    comment(service, file(service, title="Other"), body="They charged me, too.")
    page = console(ALL)
    expect(page.get_by_label("Where to search")).to_be_hidden()
    page.get_by_label("Search in").fill("charged")
    expect(titles(page)).to_have_text(["Charged twice"])
    for choice, found in (("In comments", ["Other"]), ("In both", ["Other", "Charged twice"])):
        page.get_by_label("Where to search").select_option(choice)
        expect(titles(page)).to_have_text(found)
    assert "search_in=all" in page.url
    page.get_by_label("Search in").fill("")
    expect(page).to_have_url(re.compile(f"{re.escape(ALL)}$"))
    page.get_by_label("Search in").fill("me, too")
    page.get_by_role("button", name="Search comments, too").click()
    expect(titles(page)).to_have_text(["Other"])
    page.get_by_label("Closed").check()
    page.get_by_role("button", name="Search all tickets").click()  # leaves out the filters, not the comments
    expect(titles(page)).to_have_text(["Other"])


def test_a_view_can_be_saved_and_removed(console: OpenPage, service: Service) -> None:
    file(service, title="Money", category="billing")
    file(service, title="Other", category="technical")
    page = console()
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_role("button", name="Save this view")).to_be_hidden()
    page.get_by_label("Billing").check()
    expect(titles(page)).to_have_text(["Money"])
    url = page.url
    page.get_by_role("button", name="Save this view").click()
    page.get_by_role("dialog", name="Save this view").get_by_label("Name").fill("Money matters")
    page.keyboard.press("Enter")
    view = page.locator("#views").get_by_role("link", name="Money matters")
    expect(view).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="All tickets").click()
    expect(rows(page)).to_have_count(2)
    page.reload()
    expect(view).to_contain_text("1")
    view.click()
    expect(titles(page)).to_have_text(["Money"])
    assert page.url == url
    page.get_by_role("button", name="Remove the view Money matters").click()
    expect(view).to_have_count(0)
    page.reload()
    expect(page.locator("#views li")).to_have_count(6)


@pytest.mark.parametrize("stored", ["{", "null", "3", '[null, {"filters": {}}]', '{"name": "a", "filters": {}}'])
def test_saved_views_that_cannot_be_read_are_left_out(console: OpenPage, service: Service, stored: str) -> None:
    file(service)
    page = console()
    page.evaluate("stored => localStorage.setItem('ticket-console-views', stored)", stored)
    page.reload()
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#views li")).to_have_count(6)


def test_a_view_with_an_unknown_filter_does_not_take_the_counts_away(console: OpenPage, service: Service) -> None:
    file(service)
    page = console()
    view = '[{"name": "Typo", "filters": {"status": "opne"}}]'
    page.evaluate("stored => localStorage.setItem('ticket-console-views', stored)", view)
    page.reload()
    expect(page.locator("#total")).to_have_text("1 ticket")
    expect(page.locator("#views li")).to_have_count(7)
    expect(page.locator("#views .count")).to_have_text(["1", "", "1", "0", "", "1", ""])


def test_the_console_works_where_the_browser_stores_nothing(console: OpenPage, service: Service) -> None:
    file(service)
    page = console()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError'); } })"
    )
    page.reload()
    expect(rows(page)).to_have_count(1)


@pytest.mark.parametrize("query", ["?category=billing", "?category=billing&ticket=", "?within=7", "?sort=created_at"])
def test_urls_of_earlier_releases_keep_their_meaning(console: OpenPage, service: Service, query: str) -> None:
    change(service, file(service, title="First", category="billing"), status="closed")
    file(service, title="Second", category="billing", priority="low")
    page = console(query)
    expected = ["Second", "First"]
    expect(titles(page)).to_have_text(expected if "created_at" not in query else expected[::-1])


def test_without_tickets_it_shows_how_to_create_some(console: OpenPage) -> None:
    page = console()
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    expect(page.locator("#queue-state")).to_contain_text("script/flask tickets demo 200")
    expect(page.locator("#queue-state")).to_contain_text(f"curl {page.url}api/tickets/")
    page.locator("#queue-state").get_by_role("link", name="New ticket").click()
    expect(page.get_by_role("heading", name="New ticket")).to_be_visible()


def test_an_empty_view_leads_to_other_tickets(console: OpenPage, service: Service) -> None:
    change(service, file(service, title="Charged twice"), status="closed")
    page = console()
    expect(page.get_by_text("All 1 tickets are resolved or closed.")).to_be_visible()
    page.get_by_label("Search in").fill("charged")
    page.get_by_role("button", name="Search all tickets").click()
    expect(titles(page)).to_have_text(["Charged twice"])


def test_rows_are_one_line_or_three(console: OpenPage, service: Service) -> None:
    file(service)
    page = console()
    row, compact = rows(page).first, page.get_by_role("button", name="Compact")
    expect(row).to_be_visible()
    height = "row => row.getBoundingClientRect().height"
    assert row.evaluate(height) == 36
    compact.click()
    assert row.evaluate(height) > 60
    page.reload()
    expect(row).to_be_visible()
    assert row.evaluate(height) > 60
    expect(compact).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900)])
def test_list_and_ticket_are_side_by_side(console: OpenPage, service: Service, size: tuple[int, int]) -> None:
    file(service)
    page = console(size=size)
    rows(page).first.click()
    expect(panel(page)).to_be_visible()
    list_box, ticket_box = page.locator("#list").bounding_box(), page.locator("#ticket").bounding_box()
    assert list_box
    assert ticket_box
    assert list_box["x"] + list_box["width"] <= ticket_box["x"]
    assert list_box["width"] >= 320
    assert ticket_box["width"] >= 600


def test_a_phone_shows_tickets_soon(console: OpenPage, service: Service) -> None:
    file(service)
    page = console(size=(390, 844))
    expect(rows(page).first).to_be_visible()
    first = rows(page).first.bounding_box()
    assert first
    assert first["y"] < 170
    rows(page).first.click()
    expect(page.locator("#ticket .text")).to_be_visible()
    menus = [menu(page, field).bounding_box() for field in ("Status", "Priority", "Category")]
    assert len({box["y"] for box in menus if box}) == 1  # one line
    choose(page, "Status", "In progress")
    expect(menu(page, "Status")).to_have_text("In progress")
    overflows = "menus => menus.map((each) => each.scrollWidth > each.clientWidth)"
    assert page.locator("#ticket .menu-button").evaluate_all(overflows) == [False, False, False]


def test_new_tickets_are_announced(console: OpenPage, service: Service) -> None:
    file(service, title="Old")
    page = console("?view=file")
    page.clock.install()
    with page.expect_response(lambda response: "created_since" in response.url):
        page.get_by_role("link", name="Queue").click()
    expect(titles(page)).to_have_text(["Old"])
    change(service, file(service, title="Done"), status="closed")  # not in this view
    file(service, title="New")
    file(service, title="Newer")
    page.clock.run_for(15_000)
    fresh = page.get_by_role("button", name="2 new tickets: show")
    expect(fresh).to_be_visible()
    expect(page).to_have_title("(2) Tickets")
    expect(titles(page)).to_have_text(["Old"])
    fresh.click()
    expect(titles(page)).to_have_text(["Newer", "New", "Old"])
    expect(fresh).to_be_hidden()
    expect(page).to_have_title("Tickets")


def test_looking_for_new_tickets_backs_off(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    page.clock.install()
    with page.expect_response(lambda response: "created_since" in response.url):
        page.get_by_role("link", name="Queue").click()
    looks: list[int] = []

    def refuse(route: Route) -> None:
        looks.append(statuses[0])
        route.fulfill(status=statuses[0], headers=headers, json={"detail": "Not now."})

    page.route("**/api/tickets/?*created_since=*", refuse)

    def pass_time(seconds: int) -> int:
        """Return how often it looked meanwhile."""
        before = len(looks)
        page.clock.run_for(seconds * 1000)
        page.evaluate("fetch('/livez')")  # what was sent before has its response
        return len(looks) - before

    statuses, headers = [503], {"Retry-After": "60"}
    assert pass_time(15) == 1
    assert pass_time(55) == 0
    headers = {}
    assert pass_time(5) == 1
    assert pass_time(115) == 0  # the interval doubles
    statuses[0] = 401  # the key was revoked
    assert pass_time(5) == 1
    assert pass_time(600) == 0
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_coming_back_to_the_tab_refreshes_the_list(console: OpenPage, service: Service) -> None:
    ticket = file(service, title="Before")
    page = console()
    expect(titles(page)).to_have_text(["Before"])
    change(service, ticket, title="After")
    come_back(page)
    expect(titles(page)).to_have_text(["After"])


def test_a_failed_refresh_keeps_the_list(console: OpenPage, service: Service) -> None:
    file(service, title="Still there")
    page = console("?view=file")
    page.clock.install()
    page.get_by_role("link", name="Queue").click()
    expect(titles(page)).to_have_text(["Still there"])
    document = {"title": "Temporarily unavailable", "detail": "The database is away.", "status": 503}
    page.route(
        "**/api/tickets/**", lambda route: route.fulfill(status=503, headers={"Retry-After": "7"}, json=document)
    )
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("alert")).to_contain_text("The database is away.")
    expect(page.get_by_role("alert")).to_contain_text("The list below is as it was before.")
    expect(titles(page)).to_have_text(["Still there"])
    page.unroute("**/api/tickets/**")
    file(service, title="Meanwhile")
    page.clock.run_for(7000)
    expect(titles(page)).to_have_text(["Meanwhile", "Still there"])
    expect(page.get_by_role("alert")).to_be_hidden()


def test_the_list_can_be_exported(console: OpenPage, service: Service) -> None:
    file(service, title="Money", category="billing")
    file(service, title="Other", category="technical")
    page = console("?category=billing")
    expect(titles(page)).to_have_text(["Money"])
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    text = download.value.path().read_text()
    assert download.value.suggested_filename == "tickets.csv"
    assert "Money" in text
    assert "Other" not in text


def test_filters_are_in_the_url(console: OpenPage, service: Service) -> None:
    file(service, title="Money", category="billing")
    change(service, file(service, title="Done", category="billing"), status="closed")
    file(service, title="Other", category="technical")
    page = console(ALL)
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Billing").check()
    expect(titles(page)).to_have_text(["Done", "Money"])
    page.get_by_label(OPEN).check()
    expect(titles(page)).to_have_text(["Money"])
    assert page.url.endswith("/?status=open&category=billing")
    page.get_by_label("In progress").check()
    expect(page.locator("#total")).to_have_text("1 ticket")
    assert page.url.endswith("/?status=open,in_progress&category=billing")

    shared = console(page.url.partition("/?")[2] and "?" + page.url.partition("/?")[2])
    expect(titles(shared)).to_have_text(["Money"])
    expect(shared.get_by_label("In progress")).to_be_checked()

    page.go_back()
    page.go_back()
    expect(titles(page)).to_have_text(["Done", "Money"])
    expect(page.get_by_label(OPEN)).not_to_be_checked()
    page.get_by_role("button", name="Clear all filters").click()
    expect(rows(page)).to_have_count(3)
    assert page.url.endswith(ALL)


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
    page.route("**/*search=cha&*", lambda route: held.append(route))
    page.route("**/*search=cha", lambda route: held.append(route))
    page.get_by_label("Search in").press_sequentially("cha")
    page.wait_for_url("**/?*search=cha*")
    page.get_by_label("Search in").press_sequentially("rged", delay=20)
    expect(titles(page)).to_have_text(["Charged twice"])
    expect(page.locator("#rows mark")).to_have_text(["Charged"])
    assert len(held) == 2  # the page and the statistics
    assert sorted(given_up) == sorted(route.request.url for route in held)
    page.go_back()  # typing was one step
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_label("Search in")).to_have_value("")


def test_every_sign_in_a_search_is_literal(console: OpenPage, service: Service) -> None:
    signs = "a-b/c.*+?^$(d)[e]{f}|g\\\\h"
    file(service, title=f"Signs {signs}, e-mail")
    page = console(f"?search={quote(signs)}+e-mail")
    expect(page.locator("#rows .row-title mark")).to_have_text([signs, "e-mail"])


@pytest.mark.parametrize(
    ("text", "search", "marked"),
    [
        ("STRASSE 5", "straße", ["STRASSE"]),
        ("Mu\u0308ller", "MÜLLER", ["Mu\u0308ller"]),
        ("ΛΟΓΑΡΙΑΣΜΟΣ", "λογαριασμος", ["ΛΟΓΑΡΙΑΣΜΟΣ"]),
        ("charged\u3000 twice", '"charged twice"', ["charged\u3000 twice"]),
    ],
)
def test_marks_follow_the_rules_of_the_search(
    console: OpenPage, service: Service, text: str, search: str, marked: list[str]
) -> None:
    file(service, title=text)
    page = console("?view=file")
    everything = service.call("GET", URL).body.decode()
    page.route(
        "**/api/tickets/?*search=*", lambda route: route.fulfill(body=everything)
    )  # what is found is not the console's
    page.goto(f"{page.url.partition('?')[0]}?search={quote(search)}")
    expect(page.locator("#rows .row-title mark")).to_have_text(marked, use_inner_text=False)


def test_an_unknown_view_in_the_url_is_the_queue(console: OpenPage, service: Service) -> None:
    file(service, title="One")
    expect(titles(console("?view=toString"))).to_have_text(["One"])


def test_scrolling_loads_pages(console: OpenPage, database: Connection) -> None:
    insert_many(database, 230)
    asked: list[str] = []
    page = console(ALL)
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
