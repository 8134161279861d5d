"""The console of a service that requires API keys."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import origin_of
from tests.browser.steps import ALL, choose, filing, menu, titles
from tests.conftest import serve
from tests.support.cast import insert_key
from tests.support.tickets import insert

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection


@pytest.fixture(scope="module")
def guarded(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serve(database_url, tmp_path_factory.mktemp("guarded") / "log", REQUIRE_API_KEY="on") as service:
        yield service


def add_key(database: Connection, scope: str) -> str:
    key = f"tk_{secrets.token_hex()}"
    insert_key(database, f"{scope}-{secrets.token_hex(4)}", scope, key)
    return key


def give_key(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="API key required")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_role("button", name="Use key").click()


def test_a_key_is_kept_for_the_session(open_at: OpenPage, guarded: Service, database: Connection, clean: None) -> None:
    insert(database, "Secret", "2026-01-01")
    key = add_key(database, "write")
    page = open_at(origin_of(guarded), ALL, live=True)
    dialog = page.get_by_role("dialog", name="API key required")
    expect(dialog.get_by_label("Key", exact=True)).to_be_focused()
    give_key(page, "tk_wrong")
    expect(dialog.get_by_role("alert")).to_contain_text("unknown or revoked")
    assert not titles(page).all()
    give_key(page, key)
    expect(titles(page)).to_have_text(["Secret"])
    expect(page.locator("#live")).to_have_text("Live")  # the stream gets the key, too
    titles(page).first.click()
    choose(page, "Status", "Closed")
    expect(page.locator(".history li").last).to_contain_text("Changed by write-")
    page.reload()
    expect(titles(page)).to_have_text(["Secret"])
    kept = page.evaluate("[Object.values(localStorage), document.cookie, Object.values(sessionStorage)]")
    assert key not in json.dumps(kept[:2])
    assert key in kept[2]
    other = page.context.new_page()
    other.goto(origin_of(guarded))
    expect(other.get_by_role("dialog", name="API key required")).to_be_visible()
    page.get_by_role("button", name="Forget key").click()
    expect(dialog).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert not titles(page).all()


def test_an_export_sends_the_key(open_at: OpenPage, guarded: Service, database: Connection, clean: None) -> None:
    insert(database, "Secret", "2026-01-01")
    page = open_at(origin_of(guarded))
    give_key(page, add_key(database, "read"))
    expect(titles(page)).to_have_text(["Secret"])
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == "tickets.csv"
    assert "Secret" in download.value.path().read_text()


def test_looking_for_new_tickets_never_asks_for_a_key(
    open_at: OpenPage, guarded: Service, database: Connection, clean: None
) -> None:
    insert(database, "Secret", "2026-01-01")
    page = open_at(origin_of(guarded), "?view=file")
    page.clock.install()
    page.get_by_role("link", name="Queue").click()
    with page.expect_response(lambda response: "created_since" in response.url):
        give_key(page, add_key(database, "read"))
    expect(titles(page)).to_have_text(["Secret"])
    page.evaluate("sessionStorage.setItem('ticket-console-key', 'tk_revoked')")
    with page.expect_response(lambda response: "created_since" in response.url) as refused:
        page.clock.run_for(15_000)
    assert refused.value.status == 401
    page.evaluate("fetch('/livez')")  # later than what the page does with that response
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(titles(page)).to_have_text(["Secret"])
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("dialog", name="API key required")).to_contain_text("unknown or revoked")


def test_forgetting_the_key_removes_the_drafts(
    open_at: OpenPage, guarded: Service, database: Connection, clean: None
) -> None:
    page = open_at(origin_of(guarded))
    give_key(page, add_key(database, "write"))
    expect(page.get_by_text("No tickets yet")).to_be_visible()
    page.keyboard.press("n")
    form = filing(page)
    form.get_by_label("Title").fill("A secret")
    form.get_by_label("Title").blur()  # saves the draft
    assert "A secret" in page.evaluate("Object.values(sessionStorage).join()")
    form.get_by_label("Description").fill("Not yet saved")
    reply = """localStorage.setItem("ticket-console-reply-x", JSON.stringify({text: "A reply", at: Date.now()}))"""
    page.evaluate(reply)
    page.get_by_role("button", name="Forget key").click()
    expect(page.get_by_role("button", name="Forget key")).to_be_hidden()
    assert "A reply" not in page.evaluate("Object.values(localStorage).join()")
    assert page.evaluate("sessionStorage.length") == 0
    expect(form.get_by_label("Title")).to_have_value("")


def test_a_missing_scope_is_reported(open_at: OpenPage, guarded: Service, database: Connection, clean: None) -> None:
    ticket = insert(database, "Only to be read", "2026-01-01")
    page = open_at(origin_of(guarded), f"?ticket={ticket}")
    give_key(page, add_key(database, "read"))
    choose(page, "Status", "Closed")
    expect(page.get_by_role("alert")).to_contain_text("needs a key with the scope write")
    expect(menu(page, "Status")).to_have_text("Open")


def test_a_cancelled_prompt_can_be_reopened(open_at: OpenPage, guarded: Service, clean: None) -> None:
    page = open_at(origin_of(guarded))
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("An API key is needed")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("dialog", name="API key required")).to_be_visible()
