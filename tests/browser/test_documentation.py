"""The pages of the documentation in a browser, under their content security policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_accessibility import check
from tests.support.openapi_contract import DOCUMENT

if TYPE_CHECKING:
    from typing import Literal

    from tests.browser.conftest import OpenPage

TIMEOUT = 120_000
"""Milliseconds. Swagger UI renders a page in a few long tasks, each of which takes many seconds on a busy machine."""


def test_the_page_shows_every_operation_and_sends_requests(console: OpenPage) -> None:
    page = console("docs#/Tickets/createTicket", color_scheme="dark")
    expect(page.locator("html.dark-mode")).to_have_count(1)
    for operation in DOCUMENT:
        tag = operation.described["tags"][0]
        expect(page.locator(f"#operations-{tag}-{operation.name}")).to_be_visible(timeout=TIMEOUT)
    shown = page.locator("#operations-Tickets-createTicket")
    shown.get_by_role("button", name="Execute").click(timeout=TIMEOUT)
    status = shown.locator(".live-responses-table tbody .response-col_status")
    expect(status).to_contain_text("201", timeout=TIMEOUT)


def test_problem_types_have_anchors(console: OpenPage) -> None:
    page = console("docs/errors#version-mismatch")
    expect(page.get_by_role("heading", name="version-mismatch")).to_be_in_viewport()


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide-light", "narrow-dark"])
def test_axe_finds_no_violation(console: OpenPage, size: tuple[int, int], scheme: Literal["light", "dark"]) -> None:
    page = console("docs#/Tickets/createTicket", size=size, color_scheme=scheme)
    page.get_by_role("button", name="Execute").wait_for(timeout=TIMEOUT)
    check(page, "an operation")
    page.locator("details.errors summary").click()
    check(page, "its errors")
    names = DOCUMENT.raw["components"]["parameters"]["page"]["schema"]["enum"]
    docs = page.url.partition("#")[0]
    for name in names if size == WIDE else ["guide"]:  # they have one layout
        page.goto(f"{docs}/{name}")
        check(page, name)


def test_errors_of_an_operation_collapse(console: OpenPage) -> None:
    page = console("docs#/Tickets/createTicket")
    page.get_by_role("button", name="Execute").wait_for(timeout=TIMEOUT)
    shown, errors = page.locator("#operations-Tickets-createTicket"), page.locator("details.errors")
    statuses = [status for status in DOCUMENT["createTicket"].responses if status >= "400"]
    expect(errors.locator("summary")).to_have_text(f"Errors: {', '.join(statuses)}")
    expect(shown.locator(".responses-table > tbody > .response")).to_have_count(1)
    assert shown.evaluate("element => element.offsetHeight") < 3000
    expect(errors.get_by_role("link", name="Quota exceeded")).to_be_hidden()
    errors.locator("summary").click()
    link = errors.get_by_role("link", name="Quota exceeded")
    expect(link).to_have_attribute("href", "/docs/errors#quota-exceeded")


def test_pages_lead_to_each_other_and_to_the_console(console: OpenPage) -> None:
    page = console("docs")
    for name, heading in (("Quick start", "Quick start"), ("The API by task", "The API by task"), ("Errors", "Errors")):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.get_by_role("link", name="Console").click()
    expect(page.get_by_role("heading", level=1)).to_be_attached()
    assert page.url.endswith("/")
