"""The comments of a ticket and the reply box."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.steps import (
    announcement,
    change,
    come_back,
    comment,
    file,
    give_name,
    menu,
    panel,
    read,
    rows,
    titles,
)
from tests.support.tickets import URL

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request, Route

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service

REPLY = re.compile("^Reply$")


def box(page: Page) -> Locator:
    return panel(page).get_by_label(REPLY)


def comments(page: Page) -> Locator:
    return panel(page).locator(".comment")


def stored(service: Service, ticket: dict[str, Any]) -> list[tuple[object, ...]]:
    """Return the author, text and kind of each comment of a ticket."""
    found = service.call("GET", f"{URL}{ticket['id']}/comments/").json
    return [(each["author"], each["body"], each["internal"]) for each in found]


def test_a_conversation_from_the_question_to_its_resolution(console: OpenPage, service: Service) -> None:
    ticket = file(service, requester="ann@example.com")
    text = "It still fails, see https://example.com/log.\n\nOn Monday Maria wrote:\n> Please try again."
    comment(service, ticket, author="ann@example.com", body=text)
    page = console(f"?ticket={ticket['id']}")
    expect(comments(page)).to_have_count(1)
    expect(comments(page).first).to_contain_text("ann@example.com")
    expect(comments(page).get_by_role("link")).to_have_attribute("href", "https://example.com/log")
    expect(comments(page).locator("summary")).to_have_text("Quoted text, 2 lines")

    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    give_name(page, panel(page).get_by_role("button", name="Sign with your name"), "Maria")
    expect(panel(page).get_by_role("button", name="You write as Maria.")).to_be_focused()
    box(page).fill("Old plan, ask billing first.")
    panel(page).get_by_role("button", name="Internal note").click()
    expect(announcement(page)).to_have_text("The internal note was added.")
    expect(comments(page).last).to_be_focused()
    expect(comments(page).last.locator(".badge")).to_have_text("Internal note")  # a word, not only a colour
    expect(box(page)).to_have_value("")
    box(page).fill("Please try now.")
    box(page).press("Control+Enter")
    expect(comments(page)).to_have_count(3)
    box(page).fill("Solved, I think.")
    panel(page).get_by_role("button", name="Send and resolve").click()
    expect(menu(page, "Status")).to_have_text("Resolved")
    expect(comments(page)).to_have_count(4)
    expect(panel(page).get_by_role("button", name="Send and resolve")).to_be_hidden()
    expect(page.locator("#rows li.left")).to_have_count(1)
    assert stored(service, ticket)[1:] == [
        ("Maria", "Old plan, ask billing first.", True),
        ("Maria", "Please try now.", False),
        ("Maria", "Solved, I think.", False),
    ]
    assert len({request.headers["idempotency-key"] for request in sent}) == 3
    assert [request.headers.get("if-match") for request in sent] == [None, None, '"4"']

    entries = panel(page).locator(".history li")
    expect(entries.nth(2)).to_contain_text("Internal note by Maria, ")
    expect(entries.last).to_contain_text("Comment by Maria, ")
    expect(entries.last).to_contain_text("Open → Resolved")

    comments(page).nth(1).get_by_role("button", name="Delete the internal note by Maria").click()
    dialog = page.get_by_role("dialog", name="Delete this internal note?")
    expect(dialog).to_contain_text("Old plan")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    dialog.get_by_role("button", name="Delete").click()
    expect(announcement(page)).to_have_text("The comment was deleted")
    expect(comments(page)).to_have_count(3)
    expect(comments(page).nth(1)).to_be_focused()
    expect(entries.last).to_contain_text("Internal note deleted")
    assert len(stored(service, ticket)) == 3
    assert read(service, ticket)["version"] == 6
    choose = menu(page, "Priority")  # the version is known: no conflict
    choose.click()
    panel(page).get_by_role("option", name="Low").click()
    expect(announcement(page)).to_have_text("Saved")


def test_a_draft_survives(console: OpenPage, service: Service) -> None:
    ticket, other = file(service, title="First"), file(service, title="Second")
    page = console(f"?ticket={ticket['id']}")
    box(page).fill("Half a repl")
    titles(page).filter(has_text="Second").click()
    expect(page.get_by_role("heading", name="Second")).to_be_focused()
    expect(box(page)).to_have_value("")
    page.reload()
    titles(page).filter(has_text="First").click()
    expect(box(page)).to_have_value("Half a repl")
    box(page).press("End")
    box(page).press("ArrowLeft")
    box(page).press("y")

    comment(service, ticket, body="From another person")  # a refresh disturbs neither the focus nor the caret
    change(service, ticket, status="in_progress")
    come_back(page)
    expect(comments(page)).to_have_count(1)
    expect(menu(page, "Status")).to_have_text("In progress")
    expect(rows(page).first).to_be_visible()
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("Half a repyl")
    assert box(page).evaluate("box => box.selectionStart") == 11

    panel(page).get_by_role("button", name="Send", exact=True).click()
    expect(comments(page)).to_have_count(2)
    expect(box(page)).to_have_value("")
    old = "(30 * 86_400_000 + 1000)"
    page.evaluate(
        f"localStorage.setItem('ticket-console-reply-x', JSON.stringify({{text: 'Old', at: Date.now() - {old}}}))"
    )
    page.evaluate("localStorage.setItem('ticket-console-reply-y', '{')")
    page.goto(f"{page.url.partition('?')[0]}?ticket={other['id']}")
    expect(box(page)).to_have_value("")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('-reply-'))") == []


def test_trying_again_after_a_lost_response_posts_once(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and len(lost) < 2:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/comments/", lose)
    box(page).fill("Only once")
    panel(page).get_by_role("button", name="Send and resolve").click()
    expect(panel(page).get_by_role("alert")).to_contain_text("cannot be reached")
    expect(box(page)).to_have_value("Only once")
    panel(page).get_by_role("button", name="Try again").click()
    expect(panel(page).get_by_role("alert")).to_contain_text("cannot be reached")
    page.reload()  # the key is in the draft
    expect(box(page)).to_have_value("Only once")
    assert lost == [201, 201]
    assert stored(service, ticket) == [(None, "Only once", False)]
    come_back(page)
    expect(menu(page, "Status")).to_have_text("Resolved")


def test_resolving_is_refused_when_there_is_something_new(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    page = console(f"?ticket={ticket['id']}")
    box(page).fill("Solved")
    comment(service, ticket, author="ann", body="It is back!")
    panel(page).get_by_role("button", name="Send and resolve").click()
    expect(panel(page).get_by_role("alert")).to_contain_text("Someone else changed this ticket meanwhile.")
    expect(comments(page)).to_have_text(re.compile("It is back!"))
    expect(box(page)).to_have_value("Solved")
    assert read(service, ticket)["status"] == "open"
    panel(page).get_by_role("button", name="Try again").click()
    expect(menu(page, "Status")).to_have_text("Resolved")
    assert [body for _, body, _ in stored(service, ticket)] == ["It is back!", "Solved"]


def test_earlier_comments_are_loaded_on_request(console: OpenPage, service: Service) -> None:
    ticket = file(service)
    for number in range(1, 53):
        comment(service, ticket, body=f"Number {number}.")
    page = console(f"?ticket={ticket['id']}")
    expect(comments(page)).to_have_count(50)
    expect(comments(page).first).to_contain_text("Number 3.")
    expect(comments(page).last).to_contain_text("Number 52.")
    comment(service, ticket, body="Number 53.")
    come_back(page)  # shows what is new at its end, and nothing earlier
    expect(comments(page)).to_have_count(51)
    expect(comments(page).last).to_contain_text("Number 53.")
    panel(page).get_by_role("button", name="Show earlier comments").click()
    expect(comments(page)).to_have_count(53)
    expect(comments(page).first).to_contain_text("Number 1.")
    expect(comments(page).first).to_be_focused()
    expect(panel(page).get_by_role("button", name="Show earlier comments")).to_be_hidden()
    comment(service, ticket, body="Number 54.")
    come_back(page)
    expect(comments(page)).to_have_count(54)
    expect(comments(page).last).to_contain_text("Number 54.")
