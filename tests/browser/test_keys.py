"""Where the service asks for keys"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import origin_of
from tests.browser.steps import panel, titles
from tests.conftest import serve
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
    database.execute(
        "INSERT INTO api_keys (name, scope, hash) VALUES (%s, %s, sha256(%s::text::bytea))",
        [f"{scope}-{secrets.token_hex(4)}", scope, key],
    )
    return key


def give_key(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="An API key is needed")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_role("button", name="Use it").click()


def test_it_asks_for_a_key_and_keeps_it_for_the_session(
    open_at: OpenPage, guarded: Service, database: Connection, clean: None
) -> None:
    insert(database, "Secret", "2026-01-01")
    key = add_key(database, "write")
    page = open_at(origin_of(guarded))
    dialog = page.get_by_role("dialog", name="An API key is needed")
    expect(dialog.get_by_label("Key", exact=True)).to_be_focused()
    give_key(page, "tk_wrong")
    expect(dialog.get_by_role("alert")).to_contain_text("unknown or revoked")
    assert not titles(page).all()
    give_key(page, key)
    expect(titles(page)).to_have_text(["Secret"])
    titles(page).first.click()
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.locator(".history li").last).to_contain_text("Changed by write-")
    page.reload()
    expect(titles(page)).to_have_text(["Secret"])
    kept = page.evaluate("[Object.values(localStorage), document.cookie, Object.values(sessionStorage)]")
    assert key not in json.dumps(kept[:2])
    assert key in kept[2]
    other = page.context.new_page()
    other.goto(origin_of(guarded))
    expect(other.get_by_role("dialog", name="An API key is needed")).to_be_visible()
    page.get_by_role("button", name="Forget the key").click()
    expect(dialog).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert not titles(page).all()


def test_what_a_key_does_not_allow_is_told(
    open_at: OpenPage, guarded: Service, database: Connection, clean: None
) -> None:
    ticket = insert(database, "Only to be read", "2026-01-01")
    page = open_at(origin_of(guarded), f"?ticket={ticket}")
    give_key(page, add_key(database, "read"))
    panel(page).get_by_label("Status").select_option("Closed")
    expect(page.get_by_role("alert")).to_contain_text("needs a key with the scope write")
    expect(panel(page).get_by_label("Status")).to_have_value("open")


def test_a_refused_prompt_leaves_a_way_back(open_at: OpenPage, guarded: Service, clean: None) -> None:
    page = open_at(origin_of(guarded))
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("An API key is needed")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("dialog", name="An API key is needed")).to_be_visible()
