"""The console without a mouse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Route, expect

from tests.browser.steps import ALL, announcement, file, filing, menu, panel, read, rows, titles
from tests.support.tickets import URL
from tests.support.training import model

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


def test_everything_can_be_done_with_the_keyboard(console: OpenPage, service: Service) -> None:
    first = file(service, title="First invoice")
    file(service, title="Second invoice")
    file(service, title="Third")
    page = console(ALL)
    press, typed = page.keyboard.press, page.keyboard.type
    expect(rows(page)).to_have_count(3)

    press("/")
    typed("invoice")
    expect(rows(page)).to_have_count(2)
    press("Escape")
    press("j")
    press("j")
    expect(rows(page).nth(1).locator("a")).to_be_focused()
    press("Enter")
    expect(page.get_by_role("heading", name="First invoice")).to_be_focused()

    press("s")
    expect(menu(page, "Status")).to_be_focused()
    press("ArrowDown")
    press("Enter")
    expect(announcement(page)).to_have_text("Saved")
    expect(page.get_by_role("heading", name="First invoice")).to_be_focused()
    assert read(service, first)["status"] == "in_progress"
    press("Escape")
    expect(page.locator("#ticket")).to_be_hidden()
    expect(rows(page).nth(1).locator("a")).to_be_focused()

    press("k")
    press("Enter")
    expect(page.get_by_role("heading", name="Second invoice")).to_be_focused()
    press("j")
    expect(page.get_by_role("heading", name="First invoice")).to_be_focused()
    press("e")
    expect(panel(page).get_by_label("Title")).to_be_focused()
    press("End")
    typed(", paid")
    press("Control+Enter")
    expect(page.get_by_role("heading", name="First invoice, paid")).to_be_visible()
    expect(panel(page).get_by_role("button", name="Edit")).to_be_focused()

    press("d")
    expect(page.get_by_role("dialog", name="Delete this ticket?")).to_be_visible()
    press("Escape")
    press("n")
    expect(filing(page).get_by_label("Title")).to_be_focused()
    typed("Filed by hand")
    press("Tab")
    typed("Without a mouse.")
    press("Control+Enter")
    expect(page.get_by_role("heading", name="Filed by hand")).to_be_focused()
    press("t")
    expect(page.get_by_role("heading", name="Statistics")).to_be_visible()
    press("q")
    expect(page.get_by_role("heading", name="Queue")).to_be_attached()
    press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Next ticket in the queue")
    press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    assert len(service.call("GET", URL).json) == 4


def test_a_menu_saves_once(console: OpenPage, service: Service, database: Connection) -> None:
    ticket = service.call("POST", URL, {"title": "Refund", "description": "I was charged twice"}).json
    assert (ticket["category"], ticket["status"]) == ("billing", "open")
    page = console(f"?ticket={ticket['id']}")
    expect(page.get_by_role("heading", name="Refund")).to_be_focused()
    sent: list[object] = []
    page.on("request", lambda request: sent.append(request.post_data_json) if request.method == "PATCH" else None)

    def press(*keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)

    press("s", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Escape")
    expect(menu(page, "Status")).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("heading", name="Refund")).to_be_focused()
    expect(page.locator("#ticket")).to_be_visible()  # Esc closed the menu only
    press("p", "Home", "End", "Tab")
    expect(menu(page, "Priority")).to_have_attribute("aria-expanded", "false")
    press("s", "Enter")  # the same value
    assert sent == []
    press("s", "ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    expect(page.locator(".history li")).to_have_count(2)
    press("c", "3", "Enter")
    expect(page.locator(".history li")).to_have_count(3)
    press("s", "o", "Space")
    expect(page.locator(".history li")).to_have_count(4)
    assert sent == [{"status": "closed"}, {"category": "account"}, {"status": "open"}]
    history = service.call("GET", f"{URL}{ticket['id']}/history").json
    assert [entry["changes"] for entry in history[1:]] == [
        {"status": {"from": "open", "to": "closed"}},
        {"category": {"from": "billing", "to": "account"}},
        {"status": {"from": "closed", "to": "open"}},
    ]
    triage = service.call("GET", f"{URL}stats/triage").json
    assert {field: triage[field]["judged"] for field in ("category", "priority")} == {"category": 1, "priority": 0}
    texts, _ = model(database)
    assert [sum(counts) for counts in texts.values()] == [1]  # type: ignore[call-overload]
    press("j")  # the menu took the keys only while it was open
    expect(rows(page).first.locator("a")).to_be_focused()


def test_a_menu_is_an_accessible_list(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    expect(menu(page, "Priority")).to_have_text("Medium")
    page.keyboard.press("p")
    options = panel(page).get_by_role("option")
    expect(options).to_have_text(["Critical1", "High2", "Medium3", "Low4"])
    expect(panel(page).get_by_role("option", selected=True)).to_have_text("Medium3")
    expect(menu(page, "Priority")).to_have_attribute("aria-activedescendant", "ticket-priority-medium")
    page.keyboard.press("ArrowUp")
    expect(menu(page, "Priority")).to_have_attribute("aria-activedescendant", "ticket-priority-high")
    expect(menu(page, "Priority")).to_have_attribute("aria-controls", "ticket-priority-list")


def test_tab_reaches_all_controls_with_visible_focus(console: OpenPage, service: Service) -> None:
    for number in range(60):
        file(service, title=f"Ticket {number}")
    page = console()
    expect(titles(page).first).to_be_visible()
    reached: list[str] = []
    for _ in range(50):
        page.keyboard.press("Tab")
        active = page.evaluate(
            """() => { const active = document.activeElement; const style = getComputedStyle(active);
            return active === document.body ? null :
                [active.textContent.trim() || active.id || active.name || active.value, style.outlineStyle]; }"""
        )
        if active is None:
            break
        reached.append(active[0])
        assert active[1] != "none", f"{active[0]} has the focus, and it is not visible"
    assert reached[0] == "Skip to content"
    assert any(name.endswith("New ticket") for name in reached)
    assert "Refresh" in reached
    # Tab reaches one row; the arrow keys reach the others.
    assert len([name for name in reached if "Ticket " in name]) == 1


def test_arrow_keys_move_between_rows(console: OpenPage, service: Service) -> None:
    for title in ("One", "Two"):
        file(service, title=title)
    page = console()
    rows(page).first.locator("a").focus()
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1).locator("a")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(rows(page).first.locator("a")).to_be_focused()


def test_shortcuts_are_off_in_text_fields(console: OpenPage) -> None:
    page = console("?view=file")
    filing(page).get_by_label("Title").press_sequentially("jnqt?/")
    expect(filing(page).get_by_label("Title")).to_have_value("jnqt?/")
    assert page.url.endswith("?view=file")


def test_single_keys_can_be_switched_off(console: OpenPage, service: Service) -> None:
    file(service)
    page = console()
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("?")
    page.get_by_label("Use single keys as shortcuts").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("n")
    page.reload()
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("n")
    expect(page.locator("#view-queue")).to_be_visible()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single keys as shortcuts").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New ticket")).to_be_visible()


def test_a_late_response_keeps_the_focus(console: OpenPage, service: Service) -> None:
    for title in ("First invoice", "Second invoice"):
        file(service, title=title)
    page = console()
    press = page.keyboard.press
    expect(rows(page)).to_have_count(2)
    held: list[Route] = []
    page.route(re.compile("search=invoice"), lambda route: held.append(route))  # Playwright writes into what it gets

    press("/")
    page.keyboard.type("invoice")
    expect(page.locator("#list")).to_have_attribute("aria-busy", "true")
    press("Escape")
    press("j")
    press("j")
    expect(rows(page).nth(1).locator("a")).to_be_focused()
    while len(held) < 2:  # the page and its total
        page.wait_for_timeout(10)
    for route in held:
        route.continue_()
    expect(page.locator("#list")).not_to_have_attribute("aria-busy", "true")
    expect(rows(page).nth(1).locator("a")).to_be_focused()
    press("Enter")
    expect(page.get_by_role("heading", name="First invoice")).to_be_focused()


def test_a_support_day_without_a_mouse(console: OpenPage, service: Service) -> None:
    tickets = [file(service, title=title, priority=priority) for title, priority in (("Low", "low"), ("High", "high"))]
    page = console()
    press, typed = page.keyboard.press, page.keyboard.type
    expect(rows(page)).to_have_count(2)

    press("g")  # asks for the name once
    expect(page.get_by_role("dialog", name="Your name").get_by_role("textbox")).to_be_focused()
    typed("Maria")
    press("Enter")
    expect(page.get_by_role("heading", name="High")).to_be_focused()
    press("l")
    typed("vip, eu")
    press("Enter")
    expect(panel(page).get_by_role("button", name="Change tags")).to_be_focused()
    press("a")
    expect(panel(page).get_by_role("group", name="Assignee").get_by_role("textbox")).to_be_focused()
    press("Escape")
    expect(panel(page)).to_be_visible()  # Esc closed the form only
    press("w")
    typed("Ask billing.")
    press("Control+Shift+Enter")
    expect(panel(page).get_by_role("article", name="Internal note by Maria")).to_be_focused()
    press("w")
    typed("It is solved.")
    press("Escape")
    expect(page.get_by_role("heading", name="High")).to_be_focused()  # the draft stays
    press("w")
    press("Tab")
    expect(panel(page).get_by_role("button", name="Send", exact=True)).to_be_focused()
    press("Tab")
    press("Enter")
    expect(panel(page).get_by_role("article", name="Comment by Maria")).to_be_focused()
    now = read(service, tickets[1])
    assert (now["status"], now["assignee"], now["tags"]) == ("resolved", "Maria", ["eu", "vip"])

    press("g")
    expect(page.get_by_role("heading", name="Low")).to_be_focused()
    press("g")
    expect(announcement(page)).to_have_text("No open, unassigned ticket matches the filters")
    press("Escape")
    expect(rows(page).nth(1).locator("a")).to_be_focused()

    press("x")
    expect(page.get_by_role("group", name="Selected tickets")).to_contain_text("1 selected")
    press("k")
    press("X")
    expect(page.get_by_role("group", name="Selected tickets")).to_contain_text("2 selected")
    press("b")
    expect(page.get_by_role("combobox", name="Status").first).to_be_focused()
    press("ArrowDown")
    press("End")
    press("Enter")
    expect(announcement(page)).to_have_text("2 tickets changed")
    expect(page.locator("#rows a:focus")).to_have_count(1)
    press("z")
    expect(announcement(page)).to_have_text("Undone for 2 tickets")
    assert [read(service, ticket)["status"] for ticket in tickets] == ["in_progress", "resolved"]
    press("Shift+Tab")
    expect(page.locator("#rows input:focus")).to_have_count(1)
    press("Space")
    expect(page.get_by_role("group", name="Selected tickets")).to_contain_text("1 selected")
