"""The pages of the documentation in a browser, under their content security policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.support.openapi_contract import DOCUMENT

if TYPE_CHECKING:
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
