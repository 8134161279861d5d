"""Every example of a problem in the OpenAPI document is one that the service sends."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.contract.test_idempotency import uncommitted_record
from tests.support.locks import in_background, wait_until, waiting_sessions
from tests.support.openapi_contract import DOCUMENT, ID
from tests.support.tickets import TICKET, URL, file_ticket, insert_many
from tests.support.webhooks import DELIVERY_ID, WEBHOOK_ID, WEBHOOKS, a_delivery, register
from ticketsvc.api.auth.authenticator import BURST
from ticketsvc.config import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service
    from tests.support.tickets import Connection

_COMPONENTS = DOCUMENT.raw["components"]
EXAMPLES = {slug: example["value"] for slug, example in (_COMPONENTS["examples"] | _COMPONENTS["x-examples"]).items()}

LINES = b'{"title": "a", "description": "b"}\n{"description": "b"}\n'
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "invalid-input": ("POST", URL, {"json": {"description": "a", "priority": "urgent"}}),
    "malformed-body": ("POST", URL, {"data": b'{"title": }', "content_type": "application/json"}),
    "bad-request": ("GET", URL, {"query_string": "search=%ff"}),
    "invalid-file": ("POST", f"{URL}import/", {"data": LINES, "content_type": "application/x-ndjson"}),
    "not-found": ("GET", URL + ID, {}),
    "method-not-allowed": ("PUT", URL, {}),
    "not-acceptable": ("GET", URL, {"headers": {"Accept": "text/html"}}),
    "body-too-large": ("POST", URL, {"data": b" " * 2_000_000, "content_type": "application/json"}),
    "cross-site-request": ("POST", URL, {"json": TICKET, "headers": {"Sec-Fetch-Site": "cross-site"}}),
    "unsupported-media-type": ("POST", URL, {"data": b"a", "content_type": "text/plain"}),
}
"""Problems that one request to any service causes."""
CAUSED_BELOW = {
    *("version-mismatch", "precondition-failed", "idempotency-key-reused", "create-in-progress"),
    *("too-many-matches", "too-many-webhooks", "webhook-disabled", "events-gone"),
    *("unauthorized", "insufficient-scope", "too-many-failed-attempts", "quota-exceeded"),
    *("uri-too-long", "headers-too-large", "internal-error", "unavailable"),
    *("unknown-host", "unsupported-transfer-coding"),
    "not-confirmed",  # in tests/server/test_replicas.py
}


def without_numbers(detail: str) -> str:
    """Replace the numbers in a text, which depend on settings and on the time."""
    return re.sub(r"\d[\d,]*", "N", detail)


def assert_is_the_example(slug: str, response: TestResponse) -> None:
    assert response.get_json() == EXAMPLES[slug]


def assert_is_the_example_but_for_numbers(slug: str, response: TestResponse) -> None:
    sent, example = response.get_json(), EXAMPLES[slug]
    for name in ("detail", "error"):
        assert without_numbers(sent[name]) == without_numbers(example[name])
    assert {**sent, "detail": "", "error": ""} == {**example, "detail": "", "error": ""}


def test_every_example_is_tested() -> None:
    assert REQUESTS.keys() | CAUSED_BELOW == EXAMPLES.keys()


@pytest.mark.parametrize("slug", REQUESTS)
def test_a_request_causes_it(client: FlaskClient, slug: str) -> None:
    method, path, sent = REQUESTS[slug]
    assert_is_the_example(slug, client.open(path, method=method, **sent))


def test_version_mismatch(client: FlaskClient) -> None:
    ticket_id = file_ticket(client)["id"]
    client.patch(URL + ticket_id, json={"status": "closed"})
    response = client.patch(URL + ticket_id, json={}, headers={"If-Match": '"1"'})
    assert json.loads(response.text.replace(ticket_id, ID)) == EXAMPLES["version-mismatch"]


def test_precondition_failed(client: FlaskClient) -> None:
    ticket_id = file_ticket(client)["id"]
    client.patch(URL + ticket_id, json={"status": "closed"})
    response = client.patch(URL + ticket_id, json={}, headers={"If-Match": '"x"'})
    assert json.loads(response.text.replace(ticket_id, ID)) == EXAMPLES["precondition-failed"]


def test_idempotency_key_reused(client: FlaskClient) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    client.post(URL, json=TICKET, headers=key)
    response = client.post(URL, json={**TICKET, "title": "Other"}, headers=key)
    assert_is_the_example("idempotency-key-reused", response)


def test_too_many_matches(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 2 * 10_001)
    response = client.patch(f"{URL}?category=billing,technical", json={"status": "closed"})
    assert_is_the_example("too-many-matches", response)


def test_too_many_webhooks(client: FlaskClient) -> None:
    for _ in range(100):
        register(client)
    response = client.post(WEBHOOKS, json={"url": "https://example.com"})
    assert_is_the_example("too-many-webhooks", response)


def test_webhook_disabled(client: FlaskClient) -> None:
    webhook_id = register(client)["id"]
    client.patch(WEBHOOKS + webhook_id, json={"enabled": False})
    delivery_id = a_delivery(client, webhook_id)
    response = client.post(f"{WEBHOOKS}{webhook_id}/deliveries/{delivery_id}/redeliver/")
    text = response.text.replace(webhook_id, WEBHOOK_ID).replace(delivery_id, DELIVERY_ID)
    assert (response.status_code, json.loads(text)) == (409, EXAMPLES["webhook-disabled"])


def test_events_gone(client: FlaskClient) -> None:
    assert_is_the_example("events-gone", client.get("/api/events/?after=00000000-5"))


def test_create_in_progress(client: FlaskClient, database: Connection, database_url: str) -> None:
    key = str(uuid4())
    with in_background() as threads, uncommitted_record(database_url, key) as holder:
        first = threads.submit(client.post, URL, json=TICKET, headers={"Idempotency-Key": key})
        wait_until(lambda: waiting_sessions(database))
        second = client.post(URL, json=TICKET, headers={"Idempotency-Key": key})
        holder.rollback()
        first.result()
    assert_is_the_example("create-in-progress", second)


def test_unauthorized(guarded: Flask) -> None:
    assert_is_the_example("unauthorized", guarded.test_client().get(URL))


def test_insufficient_scope(guarded: Flask, cast: dict[str, dict[str, str]]) -> None:
    response = guarded.test_client().post(URL, json=TICKET, headers=cast["reader"])
    assert_is_the_example("insufficient-scope", response)


def test_too_many_failed_attempts(guarded: Flask, cast: dict[str, dict[str, str]]) -> None:
    client = guarded.test_client()
    responses = [client.get(URL, headers=cast["stranger"]) for _ in range(BURST + 1)]
    assert_is_the_example_but_for_numbers("too-many-failed-attempts", responses[-1])


def test_quota_exceeded(make_app: Callable[..., Flask], database: Connection) -> None:
    database.execute("DELETE FROM rate_limits")
    client = make_app(rate_limit=RateLimit(1, 3600)).test_client()
    responses = [client.get(URL) for _ in range(2)]
    assert_is_the_example_but_for_numbers("quota-exceeded", responses[-1])


def test_unknown_host(make_app: Callable[..., Flask]) -> None:
    assert_is_the_example("unknown-host", make_app(allowed_hosts=("tickets.example",)).test_client().get(URL))


def test_internal_error(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    with monkeypatch.context() as broken:
        broken.delitem(app.extensions, "ticketsvc")
        assert_is_the_example("internal-error", app.test_client().get(URL))


def test_unavailable(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_url="postgresql:///nobody?host=/nowhere", pool_timeout=0.05).test_client()
    response = client.get(URL)
    assert_is_the_example("unavailable", response)


@pytest.mark.parametrize(
    ("slug", "request_bytes"),
    [
        ("uri-too-long", b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("headers-too-large", b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 10_000 + b"\r\n\r\n"),
        (
            "unsupported-transfer-coding",
            b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        ),
    ],
)
def test_the_server_sends_it(service: Service, slug: str, request_bytes: bytes) -> None:
    body = service.raw(request_bytes).partition(b"\r\n\r\n")[2]
    assert json.loads(body) == EXAMPLES[slug]
