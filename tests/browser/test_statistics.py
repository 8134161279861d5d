"""The charts of the statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.steps import change, file
from tests.support.tickets import URL

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def test_the_statistics_equal_those_of_the_api(console: OpenPage, service: Service) -> None:
    for priority in ("critical", "critical", "low"):
        change(service, file(service, priority=priority, category="billing"), status="resolved")
    suggested = service.call("POST", URL, {"title": "Refund", "description": "I was charged twice"}).json
    change(service, suggested, category="general", status="closed")
    page = console("?view=statistics")
    expect(page.locator(".totals")).to_contain_text("4")
    expect(page.locator(".figure", has_text="By priority")).to_contain_text("2 · 50 %")
    expect(page.locator(".figure", has_text="By category")).to_contain_text("3 · 75 %")
    daily = page.locator(".figure", has_text="each day")
    expect(daily.locator(".readout")).to_contain_text("Created 4")
    expect(daily.locator(".readout")).to_contain_text("Resolved 4")
    expect(daily.locator("svg rect.created")).to_have_count(30)
    daily.get_by_text("As a table").click()
    expect(daily.locator("tbody tr").first).to_contain_text("44")
    expect(page.locator(".figure", has_text="first resolution")).to_contain_text("All 4")
    triage = page.locator(".figure", has_text="Triage")
    expect(triage).to_contain_text("1 suggested: 0 kept, 1 corrected, 0 not judged yet.")
    expect(triage.locator(".confusion").first.locator("td.wrong", has_text="1")).to_have_count(1)
    page.get_by_label("Created in the last").select_option("7 days")
    expect(daily.locator("svg rect.created")).to_have_count(7)
    assert page.url.endswith("?view=statistics&days=7")


def test_statistics_without_tickets_are_zero(console: OpenPage) -> None:
    page = console("?view=statistics")
    expect(page.get_by_text("Nothing resolved yet")).to_be_visible()
    expect(page.get_by_text("Nothing suggested yet")).to_be_visible()
    expect(page.locator(".totals")).to_contain_text("0")


def test_days_are_in_the_time_zone_of_the_browser(console: OpenPage) -> None:
    asked: list[str] = []
    page = console("?view=file")
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Statistics").click()
    expect(page.locator(".figure", has_text="each day").locator("svg")).to_be_visible()
    [daily] = [url for url in asked if "stats/daily" in url]
    assert "tz=Europe%2FBerlin" in daily
