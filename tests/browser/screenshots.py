"""Generates the screenshots of the README from demo data and a conversation: `script/screenshots`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import ViewportSize, expect, sync_playwright

from tests.browser.conftest import FLAGS, TIMEOUT_MS, chromium
from tests.browser.steps import change, comment, panel, rows
from tests.conftest import ROOT, serve
from tests.support.postgres import create_database, server
from tests.support.tickets import URL
from ticketsvc import migrations

if TYPE_CHECKING:
    from tests.support.http import Service

IMAGES = ROOT / "docs" / "images"
TICKETS = 2000
SIZE = ViewportSize(width=1280, height=900)
NAME = "Maria"
COMMENTS: list[dict[str, object]] = [
    {"author": "Ann Miller", "body": "Any news? My colleagues are waiting for it, too."},
    {"author": "Jonas", "body": "The migration of last night is the cause: see the log.", "internal": True},
    {"author": NAME, "body": "We have found the cause and are working on it. I will write again at noon."},
]
PEOPLE = [("Ann Miller", "Jonas"), ("bob@shop.example", None), ("Ann Miller", NAME), ("customer 48213", None)]
TAGS = [["outage"], [], ["outage", "vip"], ["login"], ["refund", "vip"]]


def main() -> None:
    """Fill a temporary database with demo tickets and take a picture of the console in each color scheme."""
    IMAGES.mkdir(exist_ok=True)
    with server() as cluster, tempfile.TemporaryDirectory() as folder:
        url = create_database(cluster)
        migrations.apply(url)
        demo = [sys.executable, "-m", "flask", "tickets", "demo", str(TICKETS)]
        subprocess.run(demo, cwd=ROOT, env={"DATABASE_URL": url}, check=True)
        with serve(url, Path(folder) / "log") as service, sync_playwright() as playwright:
            ticket = converse(service)
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            for scheme in ("light", "dark"):
                page = browser.new_page(color_scheme=scheme, viewport=SIZE)
                page.set_default_timeout(TIMEOUT_MS)
                page.add_init_script(f"localStorage.setItem('ticket-console-name', '{NAME}')")
                page.goto(f"http://127.0.0.1:{service.port}/?ticket={ticket}")
                expect(rows(page).nth(3)).to_be_visible(timeout=TIMEOUT_MS)
                expect(panel(page).locator(".comment")).to_have_count(len(COMMENTS), timeout=TIMEOUT_MS)
                expect(page.locator("#live")).to_have_text("Live", timeout=TIMEOUT_MS)
                expect(page.locator("#list:not([aria-busy]) #total")).to_have_text(re.compile("[0-9]"))
                expect(page.locator("#views .count").last).to_have_text(re.compile("[0-9]"))
                page.screenshot(path=IMAGES / f"console-{scheme}.png")
                print(f"docs/images/console-{scheme}.png")
            browser.close()


def converse(service: Service) -> str:
    """Give the first tickets of the queue people and tags, and one of them comments. Return the id of that one."""
    queue = service.call("GET", f"{URL}?status=open,in_progress&sort=-priority&limit=40").json
    for number, ticket in enumerate(queue):
        requester, assignee = PEOPLE[number % len(PEOPLE)]
        change(service, ticket, requester=requester, assignee=assignee, tags=TAGS[number % len(TAGS)])
    chosen = min(queue[:6], key=lambda ticket: len(ticket["description"]))
    change(service, chosen, requester="Ann Miller", assignee=NAME, tags=["outage", "vip"])
    for fields in COMMENTS:
        comment(service, chosen, **fields)
    return str(chosen["id"])


if __name__ == "__main__":
    main()
