"""Webhooks for the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

WEBHOOKS = "/api/webhooks/"
WEBHOOK_ID = "4f1d3c52-7a0e-4b8e-9d6c-2f6a1b0c9e11"
DELIVERY_ID = "msg_8c0f4b1e5d2a4f7c9b3e6a1d0c5f8e27"
"""The ids of a webhook and a delivery in the examples of the document."""


def register(client: FlaskClient, url: str = "https://example.com/tickets", **members: object) -> dict[str, Any]:
    """Register a webhook and return it with its secret."""
    response = client.post(WEBHOOKS, json={"url": url, **members})
    assert response.status_code == 201, response.text
    webhook: dict[str, Any] = response.get_json()
    return webhook


def insert_webhook(database: Connection) -> str:
    """Store a webhook and return its id."""
    row = database.execute(
        "INSERT INTO webhooks (url, public_only, secret, seq) VALUES ('https://example.com', false, '', 0) RETURNING id"
    ).fetchone()
    assert row
    return str(row[0])


def insert_delivery(database: Connection, webhook_id: str, state: str = "pending") -> str:
    """Store a delivery of an event that does not exist, and return its id."""
    row = database.execute(
        "INSERT INTO webhook_deliveries (webhook_id, event_id, type, ticket_id, entry, state, next_attempt_at)"
        " SELECT %s, event_id(0), 'ticket.created', gen_random_uuid(), 0, state,"
        " CASE WHEN state IN ('pending', 'sending') THEN now() END FROM (SELECT %s::delivery_state AS state) AS given"
        " RETURNING id",
        [webhook_id, state],
    ).fetchone()
    assert row
    return str(row[0])


def a_delivery(client: FlaskClient, webhook_id: str) -> str:
    """Store a delivery in the database of a client's application, and return its id."""
    with client.application.extensions["ticketsvc"].database.pool.connection() as database:
        return insert_delivery(database, webhook_id)
