"""The page of webhooks: adding, inspecting, switching, rotating and deleting them, and repeating deliveries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.conftest import NARROW
from tests.browser.steps import announcement
from tests.browser.test_accessibility import check

if TYPE_CHECKING:
    from tests.browser.conftest import OpenPage
    from tests.support.http import Service
    from tests.support.tickets import Connection

DELIVERY = """
    INSERT INTO webhook_deliveries
        (webhook_id, event_id, type, ticket_id, entry, state, attempts, next_attempt_at, last_attempt_at, last_status)
    SELECT id, event_id(0), 'ticket.created', gen_random_uuid(), 0, 'delivered', 2, NULL, now(), 204
    FROM webhooks"""


def test_a_webhook_from_its_secret_to_its_end(console: OpenPage, service: Service, database: Connection) -> None:
    database.execute("DELETE FROM webhooks")
    page = console()
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    form = page.locator("#webhook-form")
    form.get_by_label("URL").fill("https://127.0.0.1/inside")
    page.keyboard.press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("private")
    form.get_by_label("URL").fill("https://receiver.example/tickets")
    form.get_by_label("ticket.deleted").check()
    form.get_by_label("Filters").fill("priority=critical")
    form.get_by_role("button", name="Add webhook").click()

    webhook = page.locator("#webhooks > li")
    secret = webhook.get_by_role("group", name="Secret")
    expect(secret).to_be_focused()
    first = secret.locator("code").inner_text()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", first)
    expect(webhook).to_contain_text("ticket.deleted of tickets with priority=critical")
    expect(webhook).to_contain_text("0 delivered, 0 failed, 0 to be sent")
    check(page, "webhook with its secret")
    page.reload()
    expect(webhook.get_by_role("heading", name="https://receiver.example/tickets")).to_be_visible()
    expect(secret).to_be_hidden()

    webhook.get_by_role("button", name="Rotate secret").press("Enter")
    expect(secret.locator("code")).not_to_have_text(first)
    expect(webhook).to_contain_text("The secret before signs, too, until")
    webhook.get_by_role("button", name="Disable").press("Enter")
    expect(webhook).to_contain_text("Disabled just now")
    webhook.get_by_role("button", name="Enable").press("Enter")
    expect(announcement(page)).to_have_text("The webhook is enabled")

    database.execute(DELIVERY)
    opener = webhook.get_by_role("button", name="Deliveries")
    opener.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    delivery = webhook.locator(".deliveries li")
    expect(delivery).to_contain_text("Delivered")
    expect(delivery).to_contain_text("2 attempts")
    expect(delivery).to_contain_text("Status 204")
    delivery.get_by_role("button", name="Redeliver").press("Enter")
    expect(delivery).to_contain_text("Pending")
    expect(delivery).to_be_focused()
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    check(page, "deliveries on a phone")

    webhook.get_by_role("button", name="Delete").press("Enter")
    dialog = page.get_by_role("dialog", name="Delete this webhook?")
    expect(dialog).to_contain_text("https://receiver.example/tickets")
    dialog.get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    assert service.call("GET", "/api/webhooks/").json == []
