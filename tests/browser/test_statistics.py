"""The charts of the statistics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser.steps import change, file, titles
from tests.support.tickets import URL, insert

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


def figure(page: Page, title: str) -> Locator:
    """Return a section of the statistics."""
    return page.locator(".figure", has=page.get_by_role("heading", name=title))


def fact(page: Page, name: str) -> Locator:
    """Return a number with its name and note."""
    return page.locator(".totals > div", has=page.locator("dt", has_text=name))


def choice(page: Page, name: str) -> Locator:
    """Return the field for the period or the category."""
    return page.locator("#period").get_by_label(name, exact=True)


def test_the_statistics_equal_those_of_the_api(console: OpenPage, service: Service) -> None:
    for priority in ("critical", "critical", "low"):
        change(service, file(service, priority=priority, category="billing"), status="resolved")
    suggested = service.call("POST", URL, {"title": "Refund", "description": "I was charged twice"}).json
    change(service, suggested, category="general", status="closed")
    page = console("?view=statistics")
    expect(fact(page, "Created")).to_contain_text("4")
    expect(fact(page, "Resolved")).to_contain_text("4")
    expect(figure(page, "by priority")).to_contain_text("2 · 50 %")
    expect(figure(page, "by category")).to_contain_text("3 · 75 %")
    daily = figure(page, "each day")
    expect(daily.locator(".readout")).to_contain_text("Created 4")
    expect(daily.locator(".readout")).to_contain_text("Resolved 4")
    expect(daily.locator("svg rect.created")).to_have_count(30)
    daily.get_by_text("As a table").click()
    expect(daily.locator("tbody tr").first).to_contain_text("(so far)44")
    triage = figure(page, "Triage")
    expect(triage).to_contain_text("1 suggested: 0 kept, 1 corrected, 0 not judged yet.")
    expect(triage).to_contain_text("0 of 1 right")  # no share of one ticket
    expect(triage.locator(".confusion").first.locator("td.wrong", has_text="1")).to_have_count(1)
    choice(page, "Period").select_option("Last 7 days")
    expect(daily.locator("svg rect.created")).to_have_count(7)
    assert page.url.endswith("?view=statistics&days=7")


def test_the_backlog_comes_first_with_its_age(console: OpenPage, service: Service, database: Connection) -> None:
    insert(database, "Old", "2026-01-01")
    change(service, file(service, title="Begun", category="billing"), status="in_progress")
    file(service, title="New", category="billing")
    page = console("?view=statistics")
    expect(page.locator(".figure h2").first).to_have_text("Backlog now")
    expect(fact(page, "Open")).to_contain_text("2")
    expect(fact(page, "In progress")).to_contain_text("1")
    expect(fact(page, "Oldest")).to_contain_text("1 Jan 2026")
    expect(fact(page, "Trend")).to_contain_text("+2")
    expect(fact(page, "Trend")).to_contain_text("growing")
    choice(page, "Category").select_option("Billing")
    expect(fact(page, "Oldest")).not_to_contain_text("1 Jan 2026")
    expect(fact(page, "Open")).to_contain_text("1")
    expect(figure(page, "by category").locator(".bar")).to_have_count(1)
    fact(page, "Open").get_by_role("link").click()
    expect(titles(page)).to_have_text(["New"])


def test_bars_lead_to_their_tickets(console: OpenPage, service: Service) -> None:
    file(service, title="Money", category="billing")
    change(service, file(service, title="Done", category="billing"), status="closed")
    file(service, title="Other", category="technical")
    page = console("?view=statistics")
    figure(page, "by category").get_by_role("link", name="Billing").click()
    expect(titles(page)).to_have_text(["Done", "Money"])
    page.go_back()
    expect(figure(page, "by category")).to_be_visible()


def test_periods_are_compared(console: OpenPage, database: Connection) -> None:
    days = {"2026-03-01": 40, "2026-03-02": 50, "2026-03-03": 2}
    for day, count in days.items():
        for number in range(count):
            insert(database, str(number), f"{day}T12:00Z")

    def created_in(query: str) -> str:
        page = console(f"?view=statistics&{query}")
        expect(fact(page, "Created")).to_be_visible()
        return fact(page, "Created").inner_text()

    assert created_in("from=2026-03-02&to=2026-03-02").split("\n") == ["Created", "50", "+25 %"]
    assert created_in("from=2026-03-03&to=2026-03-02").split("\n") == ["Created", "52", "+30 %"]  # in any order
    page = console("?view=statistics")
    choice(page, "Period").select_option("Between two days")
    choice(page, "To").fill("2026-03-02")
    choice(page, "From").fill("2026-03-02")
    expect(fact(page, "Created")).to_contain_text("50")
    assert page.url.endswith("&from=2026-03-02&to=2026-03-02")
    assert created_in("from=2026-03-01&to=2026-03-01").split("\n") == ["Created", "40", "before: 0"]


def test_long_periods_are_grouped_by_week(console: OpenPage, database: Connection) -> None:
    insert(database, "One", "2026-03-04T12:00Z")
    page = console("?view=statistics&from=2026-01-01&to=2026-03-31")  # from Thursday to Tuesday
    weekly = figure(page, "each week")
    expect(weekly.locator("svg rect.created")).to_have_count(14)
    expect(weekly.locator("svg rect.unfinished")).to_have_count(2)
    weekly.get_by_text("As a table").click()
    rows = weekly.locator("tbody tr")
    expect(rows.first).to_contain_text("30 Mar to 31 Mar (2 days)")
    expect(rows.last).to_contain_text("1 Jan to 4 Jan (4 days)")
    expect(rows.nth(4)).to_contain_text("2 Mar to 8 Mar1")


def test_resolution_times_have_a_scale_and_heads(console: OpenPage, database: Connection) -> None:
    database.execute(
        "INSERT INTO tickets (title, description, priority, created_at) "
        "SELECT 'x', 'x', CASE WHEN n % 4 = 0 THEN 'high' ELSE 'low' END::ticket_priority, now() - interval '5 hours' "
        "FROM generate_series(1, 40) AS n"
    )
    database.execute("UPDATE tickets SET status = 'closed'")
    page = console("?view=statistics")
    times = figure(page, "Time to the first resolution")
    expect(times.locator("thead th")).to_have_text(["Median", "90 % within", "Tickets"])
    expect(times.locator("tbody tr").first).to_have_text(re.compile(r"All.*5 h.*5 h.*40$"))
    expect(times.locator("tbody tr.few")).to_contain_text(["High"])
    expect(times).to_contain_text("fewer than 30 tickets")


def test_without_tickets_there_is_one_notice(console: OpenPage) -> None:
    page = console("?view=statistics")
    expect(page.get_by_text("Nothing in this period")).to_be_visible()
    expect(page.locator(".figure")).to_have_count(0)
    page.get_by_role("button", name="Show the last 365 days").click()
    expect(choice(page, "Period")).to_have_value("365")


def test_without_the_database_there_is_one_notice(console: OpenPage, service: Service) -> None:
    file(service)
    page = console("?view=file")
    document = {"title": "Temporarily unavailable", "detail": "The database is away.", "status": 503}
    page.route("**/api/tickets/**", lambda route: route.fulfill(status=503, json=document))
    page.get_by_role("link", name="Statistics").click()
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.locator(".figure")).to_have_count(0)
    page.unroute("**/api/tickets/**")
    page.get_by_role("button", name="Try again").click()
    expect(fact(page, "Open")).to_contain_text("1")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_days_are_in_the_time_zone_of_the_browser(console: OpenPage) -> None:
    asked: list[str] = []
    page = console("?view=file")
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Statistics").click()
    expect(page.get_by_text("Nothing in this period")).to_be_visible()
    daily = [parse_qs(urlsplit(url).query) for url in asked if "stats/daily" in url]
    assert [each["tz"] for each in daily] == [["Europe/Berlin"]] * 2  # this period and the one before
    assert daily[0]["since"] == daily[1]["before"]
