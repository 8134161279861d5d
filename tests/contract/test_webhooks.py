"""Webhooks: their registration, what is delivered to them, signatures, and the list of deliveries."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import standardwebhooks

from tests.conftest import ROOT, free_port
from tests.support.locks import wait_until
from tests.support.packages import install_npm
from tests.support.receivers import Received, Receivers, receivers
from tests.support.tickets import URL, file_ticket, problem
from tests.support.webhooks import WEBHOOKS, a_delivery, insert_delivery, register
from ticketsvc.webhooks.deliverer import Deliverer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

VERIFIER = "tests/support/webhook_verifier"


@pytest.fixture(scope="module")
def served() -> Iterator[Receivers]:
    with receivers() as served:
        yield served


@pytest.fixture
def inside(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of a service that allows private receivers."""
    return make_app(webhook_allow_private=True).test_client()


def deliver(client: FlaskClient) -> None:
    """Deliver what is due, as `flask deliver --once` does."""
    Deliverer(client.application.extensions["ticketsvc"].database, allow_private=True).run(once=True)


def events(received: list[Received]) -> list[str]:
    """Return the types of events, and what happened, in the order of the feed."""
    return [f"{event['type']} {event['data']['event']}" for event in in_order(received)]


def in_order(received: list[Received]) -> list[dict[str, Any]]:
    """Return events in the order of the feed. Deliveries have none."""
    return sorted((each.event for each in received), key=lambda event: int(event["id"].partition("-")[2]))


# --- what is delivered


def test_it_works(inside: FlaskClient, served: Receivers) -> None:
    file_ticket(inside, title="Before")
    webhook = register(inside, served.url("/200/works"))
    ticket = file_ticket(inside, title="Grüße 🙂")
    deliver(inside)
    (received,) = served.at("/200/works")
    (event,) = inside.get("/api/events/", query_string={"after": webhook["after"]}).get_json()
    assert received.event == {"timestamp": event["at"], **event}
    assert received.event["data"]["changes"]["title"]["to"] == ticket["title"]
    assert received.body.isascii()
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"].startswith("ticketsvc/")
    (delivery,) = inside.get(f"{WEBHOOKS}{webhook['id']}/deliveries").get_json()
    assert (delivery["id"], delivery["event_id"]) == (received.id, event["id"])
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 1, 200)
    now = inside.get(WEBHOOKS + webhook["id"]).get_json()
    assert (now["after"], now["pending"], now["delivered_total"]) == (event["id"], 0, 1)
    metrics = inside.get("/metrics").text
    assert f'ticketsvc_webhook_attempts_total{{outcome="delivered",webhook="{webhook["id"]}"}} 1.0' in metrics
    assert "ticketsvc_webhook_oldest_pending_seconds 0.0" in metrics


def test_types_filters_and_public_comments_select_what_is_sent(inside: FlaskClient, served: Receivers) -> None:
    register(inside, served.url("/200/types"), types=["ticket.deleted", "ticket.commented"])
    register(inside, served.url("/200/filters"), filters="?status=open&tags=vip,gold&metadata[plan]=pro&search=dis-")
    register(inside, served.url("/200/comments"), filters="search=refund&search_in=comments")
    register(inside, served.url("/200/public"), public_only=True, filters="search=secret&search_in=all")
    vip = file_ticket(inside, tags=["vip"], metadata={"plan": "pro"}, title="dis-connected")["id"]
    other = file_ticket(inside)["id"]
    deliver(inside)
    inside.post(f"{URL}{vip}/comments", json={"body": "A refund is secret", "internal": True})
    inside.patch(f"{URL}{other}", json={"title": "Not secret"})
    deliver(inside)
    inside.patch(f"{URL}{vip}", json={"status": "closed"})
    deliver(inside)
    inside.delete(f"{URL}{vip}")
    deliver(inside)
    gone, commented = "ticket.deleted deleted", "ticket.commented commented"
    assert events(served.at("/200/types")) == [commented, gone]
    assert events(served.at("/200/filters")) == ["ticket.created created", commented, gone]
    assert events(served.at("/200/comments")) == [commented, "ticket.updated changed", gone]
    assert events(served.at("/200/public")) == ["ticket.updated changed", gone]


def test_a_text_that_was_deleted_before_the_delivery_is_not_sent(inside: FlaskClient, served: Receivers) -> None:
    register(inside, served.url("/200/erased"))
    register(inside, served.url("/200/hidden"), public_only=True)
    ticket = file_ticket(inside, title="Private")
    comment = inside.post(f"{URL}{ticket['id']}/comments", json={"body": "Private", "internal": True}).get_json()
    inside.delete(f"{URL}{ticket['id']}/comments/{comment['id']}")
    inside.delete(URL + ticket["id"])
    deliver(inside)
    created, commented, _, deleted = in_order(served.at("/200/erased"))
    assert b"Private" not in b"".join(each.body for each in served.received if "/200/erased" in each.path)
    assert created["data"]["changes"]["title"] == {"from": None, "to": None}
    assert commented["data"]["comment"]["body"] is None
    assert deleted["type"] == "ticket.deleted"
    assert [each.event["data"].get("comment") for each in served.at("/200/hidden")] == [None] * 4


def test_a_webhook_may_begin_earlier_and_continues_when_it_is_enabled_again(
    inside: FlaskClient, served: Receivers
) -> None:
    start = register(inside)["after"]
    file_ticket(inside)
    path = WEBHOOKS + register(inside, served.url("/200/early"), after=start)["id"]
    deliver(inside)
    assert len(served.at("/200/early")) == 1
    disabled = inside.patch(path, json={"enabled": False}).get_json()
    assert (disabled["enabled"], disabled["disabled_reason"]) == (False, "Disabled by a request.")
    file_ticket(inside)
    deliver(inside)
    assert len(served.at("/200/early")) == 1
    enabled = inside.patch(path, json={"enabled": True}).get_json()
    assert (enabled["enabled"], enabled["disabled_at"], enabled["disabled_reason"]) == (True, None, None)
    deliver(inside)
    assert len(served.at("/200/early")) == 2
    inside.patch(path, json={"enabled": False})
    file_ticket(inside)
    pending = a_delivery(inside, path.rsplit("/", maxsplit=1)[-1])
    inside.patch(path, json={"enabled": True, "after": "latest"})
    deliver(inside)
    assert len(served.at("/200/early")) == 2
    (skipped,) = inside.get(f"{path}/deliveries?state=skipped").get_json()
    assert skipped["id"] == pending


def test_giving_up_after_three_days_disables_and_a_success_releases_the_others(
    inside: FlaskClient, served: Receivers, database: Connection
) -> None:
    path = WEBHOOKS + register(inside, served.url("/500/days"))["id"]
    for _ in range(6):
        file_ticket(inside)
    deliver(inside)
    failing = inside.get(path).get_json()
    assert (failing["enabled"], failing["pending"]) == (True, 6)
    assert failing["failures"] == len(served.at("/500/days")) >= 3
    assert failing["failing_since"] < failing["next_attempt_at"]

    # The probe succeeds, and what had been put off because of the receiver is due.
    inside.patch(path, json={"url": served.url("/200/days")})
    probe = inside.get(f"{path}/deliveries").get_json()[0]["id"]
    database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() + interval '6 h'")
    database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE id = %s", [probe])
    database.execute("UPDATE webhooks SET next_attempt_at = now()")
    deliver(inside)
    assert len(served.at("/200/days")) == 6

    inside.patch(path, json={"url": served.url("/500/days")})
    file_ticket(inside)
    deliver(inside)
    database.execute("UPDATE webhooks SET failing_since = now() - interval '71 h 59 min', next_attempt_at = now()")
    database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE state = 'pending'")
    deliver(inside)
    assert inside.get(path).get_json()["enabled"]
    database.execute("UPDATE webhooks SET failing_since = now() - interval '72 h 1 min', next_attempt_at = now()")
    database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() WHERE state = 'pending'")
    deliver(inside)
    given_up = inside.get(path).get_json()
    assert (given_up["enabled"], given_up["disabled_reason"]) == (False, "Deliveries have failed for three days.")
    (failed,) = inside.get(f"{path}/deliveries?state=failed").get_json()
    assert (failed["attempts"], failed["last_error"], failed["next_attempt_at"]) == (3, "The status is 500.", None)
    assert problem(inside.post(f"{path}/deliveries/{failed['id']}/redeliver"), 409)["type"].endswith("webhook-disabled")

    inside.patch(path, json={"enabled": True, "url": served.url("/200/again")})
    repeated = inside.post(f"{path}/deliveries/{failed['id']}/redeliver")
    assert (repeated.status_code, repeated.get_json()["state"]) == (202, "pending")
    deliver(inside)
    assert [each.id for each in served.at("/200/again")] == [failed["id"]]


def test_a_receiver_that_fails_while_attempts_hang_delays_no_other(
    inside: FlaskClient, served: Receivers, database: Connection
) -> None:
    """Then more of its attempts are under way than it may have by now."""
    failing = register(inside, served.url("/200/failing"))["id"]
    register(inside, served.url("/200/other"))
    for _ in range(3):
        insert_delivery(database, failing, "sending")
    database.execute("UPDATE webhook_deliveries SET next_attempt_at = now() + interval '1 min'")
    database.execute("UPDATE webhooks SET failures = 3 WHERE id = %s", [failing])
    file_ticket(inside)
    deliver(inside)
    assert (len(served.at("/200/failing")), len(served.at("/200/other"))) == (0, 1)


def test_pauses_grow_and_differ(database: Connection) -> None:
    rows = database.execute(
        "SELECT n, extract(epoch FROM retry_pause(n))::float8 FROM generate_series(1, 40) AS n, generate_series(1, 20)"
    ).fetchall()
    for failures, pause in rows:
        expected = min(5 * 2 ** (int(str(failures)) - 1), 6 * 3600)
        assert 0.75 * expected <= float(str(pause)) <= 1.25 * expected
    assert len(set(rows)) == len(rows)


def test_an_event_that_is_gone_is_skipped(inside: FlaskClient, served: Receivers) -> None:
    webhook = register(inside, served.url("/200/gone"))
    a_delivery(inside, webhook["id"])
    deliver(inside)
    (delivery,) = inside.get(f"{WEBHOOKS}{webhook['id']}/deliveries").get_json()
    assert (delivery["state"], delivery["last_error"]) == ("skipped", "The event is gone.")
    assert served.at("/200/gone") == []


def test_few_deliveries_are_created_ahead_and_the_feed_keeps_the_rest(
    inside: FlaskClient, served: Receivers, database: Connection
) -> None:
    path = WEBHOOKS + register(inside, served.url("/410/ahead"))["id"]
    inside.patch(path, json={"url": served.url("/500/ahead")})
    database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 3500)")
    deliver(inside)
    assert inside.get(path).get_json()["pending"] == 1_000


def test_old_deliveries_that_ended_are_deleted(inside: FlaskClient, database: Connection) -> None:
    webhook_id = register(inside)["id"]
    inside.patch(WEBHOOKS + webhook_id, json={"enabled": False})
    kept = insert_delivery(database, webhook_id, "pending")
    insert_delivery(database, webhook_id, "delivered")
    insert_delivery(database, webhook_id, "failed")
    database.execute("UPDATE webhook_deliveries SET created_at = now() - interval '8 days'")
    recent = insert_delivery(database, webhook_id, "delivered")
    deliver(inside)
    deliveries = inside.get(f"{WEBHOOKS}{webhook_id}/deliveries").get_json()
    assert [delivery["id"] for delivery in deliveries] == [recent, kept]


def test_truncating_the_tickets_starts_from_the_beginning(
    inside: FlaskClient, served: Receivers, database: Connection
) -> None:
    register(inside, served.url("/200/truncated"))
    database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 3)")
    deliver(inside)
    database.execute("TRUNCATE tickets")
    file_ticket(inside)
    deliver(inside)
    assert len(served.at("/200/truncated")) == 4


# --- signatures


def test_official_verifiers_accept_both_secrets_after_a_rotation(
    inside: FlaskClient, served: Receivers, database: Connection, tmp_path: Path
) -> None:
    webhook = register(inside, served.url("/200/signed"))
    path = f"{WEBHOOKS}{webhook['id']}"
    file_ticket(inside, title="Zoë – 日本 \u2028 \U0001f600")
    deliver(inside)
    rotated = inside.post(f"{path}/rotate").get_json()
    assert rotated["previous_secret_until"] > rotated["created_at"]
    file_ticket(inside)
    deliver(inside)
    database.execute("UPDATE webhooks SET previous_secret_until = now()")
    file_ticket(inside)
    deliver(inside)
    before, both, after = served.at("/200/signed")
    assert [len(each.headers["webhook-signature"].split(" ")) for each in (before, both, after)] == [1, 2, 1]
    assert all(secret["secret"].startswith("whsec_") for secret in (webhook, rotated))
    assert len(base64.b64decode(rotated["secret"][6:], validate=True)) == 32
    valid = [(webhook, before), (webhook, both), (rotated, both), (rotated, after)]
    for made, received in valid:
        event = standardwebhooks.Webhook(made["secret"]).verify(received.body, received.headers)
        assert event == received.event
    for made, received in ((webhook, after), (rotated, before)):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(made["secret"]).verify(received.body, received.headers)
    node_modules = install_npm("webhook_verifier", ROOT / VERIFIER)
    (tmp_path / "node_modules").symlink_to(node_modules)
    for name in ("verify.js", "package.json"):
        (tmp_path / name).write_text((ROOT / VERIFIER / name).read_text())
    sent = [
        {"secret": made["secret"], "body": received.body.decode(), "headers": received.headers}
        for made, received in valid
    ]
    ran = subprocess.run(
        ["node", "verify.js"], cwd=tmp_path, input=json.dumps(sent), capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [received.event["id"] for _, received in valid]


def test_the_receiver_in_the_documentation_works(inside: FlaskClient, database: Connection, tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/webhooks.md").read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "receiver.py").write_text(code)
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    webhook = register(inside, url)
    environment = {"SECRET": webhook["secret"], "PORT": str(port), "PATH": os.environ["PATH"]}
    command = [sys.executable, "receiver.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: is_listening(port))
            ticket = file_ticket(inside)["id"]
            deliver(inside)
            path = f"{WEBHOOKS}{webhook['id']}/deliveries"
            (delivery,) = inside.get(path).get_json()
            inside.post(f"{path}/{delivery['id']}/redeliver")  # a repetition: it prints nothing
            deliver(inside)
            (delivery,) = inside.get(path).get_json()
            assert (delivery["state"], delivery["last_status"]) == ("delivered", 204)
            register(inside, url)  # has another secret
            inside.delete(URL + ticket)
            deliver(inside)
        finally:
            process.terminate()
        assert process.stdout
        lines = process.stdout.read().decode().splitlines()
    assert lines == [f"ticket.created {ticket}", f"ticket.deleted {ticket}"]
    refused = database.execute("SELECT last_status FROM webhook_deliveries WHERE state = 'pending'").fetchall()
    assert refused == [(400,)]


def is_listening(port: int) -> bool:
    """Return whether a server listens on a port of loopback."""
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


# --- the API


def test_secrets_are_shown_once(client: FlaskClient) -> None:
    webhook = register(client)
    path = WEBHOOKS + webhook["id"]
    changed = client.patch(path, json={"types": ["ticket.deleted"]})
    for response in (client.get(WEBHOOKS), client.get(path), changed, client.get(f"{path}/deliveries")):
        assert response.headers["Cache-Control"] == "no-store"
        assert webhook["secret"][6:] not in response.text
        assert 'secret":' not in response.text.replace("previous_secret", "")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "x",
            "/tickets",
            "ftp://example.com",
            "https://",
            "https://:443/",
            "https://example.com:0",
            "https://a:65536",
        ),
        *("https://user:secret@example.com", "https://example.com/#x", "https://exämple.com", "https://a/\r\nHost: b"),
        *("https://a/ b", "https://[::1", "http://example.com", "https://127.0.0.1", "https://127.1", "https://0x7f.1"),
        *("https://[::1]", "https://[::ffff:10.0.0.1]:8443/x", "https://169.254.169.254/latest", "https://10.0.0.1"),
        f"https://example.com/{'x' * 2000}",
    ],
)
def test_it_rejects_a_url(client: FlaskClient, url: str) -> None:
    (error,) = problem(client.post(WEBHOOKS, json={"url": url}), 400)["errors"]
    assert error["pointer"] == "#/url"


def test_private_receivers_can_be_allowed(inside: FlaskClient) -> None:
    for url in ("http://example.com", "http://127.0.0.1:9/x?y=z", "HTTPS://[::1]", "http://receiver"):
        assert register(inside, url)["url"] == url


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"url": None}, "#/url"),
        ({"types": "ticket.created"}, "#/types"),
        ({"types": ["ticket.opened"]}, "#/types"),
        ({"types": [{}]}, "#/types"),
        ({"filters": "stauts=open"}, "#/filters"),
        ({"filters": "status=opened"}, "#/filters"),
        ({"filters": "limit=5"}, "#/filters"),
        ({"filters": "search=%ff"}, "#/filters"),
        ({"filters": "a=b&" * 101}, "#/filters"),
        ({"filters": 5}, "#/filters"),
        ({"public_only": "yes"}, "#/public_only"),
        ({"after": "yesterday"}, "#/after"),
        ({"after": 5}, "#/after"),
    ],
)
def test_it_rejects(client: FlaskClient, members: dict[str, Any], pointer: str) -> None:
    errors = problem(client.post(WEBHOOKS, json={"url": "https://example.com", **members}), 400)["errors"]
    assert {error["pointer"] for error in errors} == {pointer}
    webhook = WEBHOOKS + register(client)["id"]
    if pointer not in ("#/url", "#/public_only"):
        assert client.patch(webhook, json=members).status_code == 400
    assert client.patch(webhook, json={"enabled": "yes"}).status_code == 400


def test_a_change_keeps_what_it_does_not_name(client: FlaskClient) -> None:
    made = register(client, types=["ticket.deleted", "ticket.created"], filters="?status=open")
    assert (made["types"], made["filters"]) == (["ticket.created", "ticket.deleted"], "status=open")
    path = WEBHOOKS + made.pop("id")
    assert client.patch(path, json={}).get_json()["filters"] == "status=open"
    changed = client.patch(path, json={"url": "https://example.org"}).get_json()
    assert (changed["url"], changed["types"]) == ("https://example.org", made["types"])
    cleared = client.patch(path, json={"types": None, "filters": None}).get_json()
    assert (cleared["types"], cleared["filters"], cleared["url"]) == (None, "", "https://example.org")
    assert client.get(WEBHOOKS).get_json() == [client.get(path).get_json()] == [cleared]
    assert client.delete(path).status_code == 204
    for response in (client.get(path), client.patch(path, json={}), client.delete(path), client.post(f"{path}/rotate")):
        assert problem(response, 404)


def test_deliveries_are_listed_by_cursor(client: FlaskClient, database: Connection) -> None:
    path = WEBHOOKS + register(client)["id"]
    other = WEBHOOKS + register(client)["id"]
    assert client.get(f"{path}/deliveries").get_json() == []
    made = [insert_delivery(database, path.rsplit("/", maxsplit=1)[-1], state) for state in ("failed", "pending") * 3]
    found: list[str] = []
    address = f"{path}/deliveries?limit=4"
    while address:
        page = client.get(address)
        found += [delivery["id"] for delivery in page.get_json()]
        address = page.headers.get("Link", "").partition(">")[0].removeprefix("<")
        if address:
            cursor = address.partition("cursor=")[2]
            assert problem(client.get(f"{other}/deliveries?cursor={cursor}"), 400)
    assert found == made[::-1]
    assert len(client.get(f"{path}/deliveries?state=failed").get_json()) == 3
    assert problem(client.get(f"{path}/deliveries?state=lost"), 400)
    assert problem(client.post(f"{other}/deliveries/{made[0]}/redeliver"), 404)


def test_a_key_for_public_comments_sees_and_makes_only_public_webhooks(
    guarded: Flask, cast: dict[str, dict[str, str]], database: Connection
) -> None:
    client, admin = guarded.test_client(), cast["admin"]
    body = {"url": "https://example.com"}
    hidden = client.post(WEBHOOKS, json=body, headers=admin).get_json()
    assert (hidden["created_by"], hidden["public_only"]) == ("admin", False)
    database.execute("UPDATE api_keys SET public_only = true WHERE name = 'reader'")
    database.execute("UPDATE api_keys SET scope = 'admin' WHERE name = 'reader'")
    portal = cast["reader"]
    made = client.post(WEBHOOKS, json=body, headers=portal).get_json()
    assert made["public_only"] is True
    assert [webhook["id"] for webhook in client.get(WEBHOOKS, headers=portal).get_json()] == [made["id"]]
    path = WEBHOOKS + hidden["id"]
    for method, address in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/rotate")):
        assert (
            client.open(address, method=method, json={"url": "https://evil.example"}, headers=portal).status_code == 404
        )
    assert client.get(f"{path}/deliveries", headers=portal).status_code == 404
    assert len(client.get(WEBHOOKS, headers=admin).get_json()) == 2
