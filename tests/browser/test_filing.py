"""The form that creates a ticket: suggestions, retries, missing fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.steps import filing, panel
from tests.support.tickets import URL

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def test_suggestions_come_with_reasons(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    filing(page).get_by_label("Title").fill("Charged twice")
    filing(page).get_by_label("Description").fill("My card was charged twice for the May invoice, please refund one.")
    category = page.locator(".suggested[data-field=category]")
    expect(category).to_contain_text("Billing")
    expect(category.locator(".reasons")).to_contain_text("charged twice", ignore_case=True)
    expect(filing(page).get_by_label("Category", exact=True)).to_contain_text("As suggested: billing")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("heading", name="Charged twice")).to_be_visible()
    [ticket] = service.call("GET", URL).json
    assert ticket["category"] == "billing"
    assert ticket["triage"]["category"]["source"] == "offline"
    expect(panel(page)).to_contain_text("Suggested automatically")
    page.get_by_role("link", name="New ticket").click()
    expect(filing(page).get_by_label("Title")).to_have_value("")


def test_a_chosen_label_replaces_the_suggestion(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    filing(page).get_by_label("Title").fill("Charged twice")
    filing(page).get_by_label("Description").fill("Please refund one of the two invoices.")
    filing(page).get_by_label("Category", exact=True).select_option("Technical")
    expect(page.locator(".suggested[data-field=category]")).to_contain_text("Billing")
    expect(filing(page).get_by_label("Category", exact=True)).to_have_value("technical")
    filing(page).get_by_label("Description").press("Control+Enter")
    expect(panel(page)).to_contain_text("Chosen by a person")
    [ticket] = service.call("GET", URL).json
    assert (ticket["category"], ticket["triage"]["category"]) == ("technical", {"source": "caller"})


def test_a_lost_response_creates_no_second_ticket(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    filing(page).get_by_label("Title").fill("Once")
    filing(page).get_by_label("Description").fill("No matter how often it is sent.")
    filing(page).get_by_label("Requester").fill("ann@example.com")

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        assert route.fetch().status == 201
        return route.abort()

    page.route("**/api/tickets/", lose)
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/api/tickets/")
    page.reload()  # even then
    expect(filing(page).get_by_label("Title")).to_have_value("Once")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("heading", name="Once")).to_be_visible()
    tickets = service.call("GET", URL).json
    assert [(ticket["title"], ticket["requester"]) for ticket in tickets] == [("Once", "ann@example.com")]


def test_missing_fields_are_named(console: OpenPage, service: Service) -> None:
    page = console("?view=file")
    page.get_by_role("button", name="Create ticket").click()
    expect(filing(page).get_by_label("Title")).to_be_focused()
    expect(page.get_by_text("Enter a title.")).to_be_visible()
    filing(page).get_by_label("Title").fill("🚒" * 201)
    filing(page).get_by_label("Description").fill("Too long a title.")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_text("this one has 201")).to_be_visible()
    filing(page).get_by_label("Title").fill("🚒" * 200)
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("heading", name="🚒")).to_be_visible()
    assert len(service.call("GET", URL).json) == 1


def test_a_missing_title_is_red_also_with_the_focus(console: OpenPage) -> None:
    page = console("?view=file")
    title = filing(page).get_by_label("Title")
    title.focus()
    outline = "title => [getComputedStyle(title).outlineColor, getComputedStyle(title).borderColor]"
    usual = title.evaluate(outline)
    page.get_by_role("button", name="Create ticket").click()
    expect(title).to_be_focused()
    color, border = title.evaluate(outline)
    assert color == border != usual[0]


def test_the_form_gets_the_focus_without_a_message(console: OpenPage) -> None:
    page = console()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(f"{page.url}?view=file")
    expect(filing(page).get_by_label("Title")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    assert messages == []
