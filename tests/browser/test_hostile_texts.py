"""Tickets whose texts try to become code or to break the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, origin_of
from tests.browser.steps import ALL, change, comment, file, read, rows, titles

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.conftest import OpenPage
    from tests.support.http import Service


def test_the_policy_forbids_html_from_text(browser: Browser, service: Service) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(origin_of(service))
        makes_html = "(() => { try { document.body.innerHTML = '<p>x</p>'; return true } catch { return false } })()"
        assert not page.evaluate(makes_html)
        adds_script = """(() => { const script = document.createElement('script');
            script.append('window.ran = true'); document.body.append(script); return Boolean(window.ran) })()"""
        assert not page.evaluate(adds_script)


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)><style>*{display:none}</style>',
    "{{constructor.constructor('alert(4)')()}} javascript:alert(5)",
    "\u202eesrever \u2066isolate \u200b zero width \u00ad soft",
    "لا أستطيع تسجيل الدخول إلى حسابي",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
    "W" * 200,
    "👩‍👩‍👧‍👦🏳️‍🌈💥" * 12,
]


def people(text: str) -> dict[str, object]:
    """Return the fields of people, tags and metadata with a text in each."""
    return {"requester": text, "assignee": text, "tags": [text[:50], "x"], "metadata": {"note": text}}


@pytest.mark.parametrize("size", [NARROW, (1440, 900)])
def test_hostile_texts_are_shown_as_text(console: OpenPage, service: Service, size: tuple[int, int]) -> None:
    tickets = [file(service, title=text, description=text * 20, **people(text)) for text in HOSTILE]
    for ticket, text in zip(tickets, HOSTILE, strict=True):
        for internal in (False, True):
            comment(service, ticket, author=text, body=text * 20, internal=internal)
    change(service, tickets[0], title=HOSTILE[1], description=HOSTILE[0])
    page = console("?search=alert", size=size)
    expect(rows(page)).to_have_count(3)
    page.goto(page.url.partition("?")[0] + ALL)
    expect(titles(page)).to_have_text([HOSTILE[1], *HOSTILE[1:]][::-1], use_inner_text=False)
    for ticket, text in zip(tickets, HOSTILE, strict=True):
        page.goto(page.url.partition("?")[0] + f"?ticket={ticket['id']}")
        expect(page.locator("#ticket h2")).to_have_text(read(service, ticket)["title"])
        assert page.locator("#ticket .read .text").text_content() == read(service, ticket)["description"]
        people_of = page.locator(".people").get_by_role("group")
        now = read(service, ticket)
        for name in ("requester", "assignee"):
            expect(people_of.and_(page.locator(f".{name}")).locator(".filter-by")).to_have_text(now[name])
        assert page.locator(".people .tag").all_text_contents() == now["tags"]
        expect(page.locator(".comment")).to_have_count(2)
        assert page.locator(".comment .text").all_text_contents() == [(text * 20).strip()] * 2
        expect(page.locator(".history li")).to_have_count(now["version"])
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    foreign = page.locator("main script, main style, main img, main [onerror], main [onload], main [style*=display]")
    assert foreign.count() == 0
