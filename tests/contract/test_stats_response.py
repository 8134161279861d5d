"""GET /api/tickets/stats/response/, which has the shape and the filters of stats/resolution/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.test_comments import add
from tests.contract.test_stats_resolution import NONE, RESOLUTION, reference, resolve_many
from tests.support.tickets import URL, field_errors, file_ticket
from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

RESPONSE = f"{URL}stats/response/"


def test_it_measures_first_responses(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client, requester="eve")
    add(client, ticket, author="Eve")
    add(client, ticket, author="ann", internal=True)
    assert client.get(RESPONSE).get_json()["count"] == 0
    add(client, ticket, author="ann")
    add(client, ticket, author="bob", status="closed")
    database.execute("UPDATE tickets SET first_response_at = created_at + interval '90.5 seconds'")
    times = {"count": 1, "median_seconds": 90.5, "p90_seconds": 90.5}
    response = client.get(RESPONSE)
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.get_json() == {
        **times,
        "priority_breakdown": {**dict.fromkeys(PRIORITIES, NONE), "medium": times},
        "category_breakdown": {**dict.fromkeys(CATEGORIES, NONE), "account": times},
    }
    client.delete(URL + ticket["id"])
    assert client.get(RESPONSE).get_json()["count"] == 0


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", "true"),
        ("?category=billing,account&priority=low", "category IN ('billing', 'account') AND priority = 'low'"),
        ("?status=closed&created_since=2026-01-05", "status = 'closed' AND created_at >= '2026-01-05Z'"),
        ("?updated_before=2026-01-10", "updated_at < '2026-01-10Z'"),
        ("?search=%22TICKET+1%22", "title LIKE 'Ticket 1%'"),
    ],
)
def test_it_agrees_with_the_definition(client: FlaskClient, database: Connection, query: str, where: str) -> None:
    """The times of first responses are made those of the resolutions, for which there is a definition."""
    resolve_many(database)
    database.execute("UPDATE tickets SET first_response_at = resolved_at")
    expected = reference(database, where)
    assert client.get(RESPONSE + query).get_json() == client.get(RESOLUTION + query).get_json() == expected
    database.execute("UPDATE tickets SET resolved_at = NULL")
    assert client.get(RESPONSE + query).get_json() == expected


def test_it_reports_every_error(client: FlaskClient) -> None:
    found = field_errors(client.get(f"{RESPONSE}?priority=x&sort=created_at"))
    assert found == {"priority": "not_allowed", "sort": "unknown"}
