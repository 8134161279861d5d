"""GET /api/tickets/stats/resolution/."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert
from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

RESOLUTION = f"{URL}stats/resolution/"
NONE: dict[str, Any] = {"count": 0, "median_seconds": None, "p90_seconds": None}


def measured(times: list[float]) -> dict[str, Any]:
    """Return the figures by definition: the least time that at least that share of the tickets did not exceed."""
    if not times:
        return NONE
    ordered = sorted(times)
    median, p90 = (ordered[math.ceil(share * len(ordered) / 100) - 1] for share in (50, 90))
    return {"count": len(times), "median_seconds": median, "p90_seconds": p90}


def resolve_many(database: Connection) -> None:
    """Insert 400 tickets of all kinds, 75% of them resolved, after times that all differ."""
    database.execute(
        "INSERT INTO tickets (title, description, created_at, updated_at, resolved_at, category, priority, status)"
        " SELECT 'Ticket ' || n, '-', at, at + n * n * interval '1.25 seconds',"
        " CASE WHEN n % 4 > 0 THEN at + n * n * interval '1.25 seconds' END,"
        " (enum_range(NULL::ticket_category))[1 + n % 3], (enum_range(NULL::ticket_priority))[1 + n / 3 % 4],"
        " CASE WHEN n % 4 = 0 THEN 'open' WHEN n % 4 = 1 THEN 'closed' ELSE 'resolved' END::ticket_status"
        " FROM generate_series(1, 400) AS n,"
        " LATERAL (SELECT '2026-01-01Z'::timestamptz + n * interval '1 hour') AS a (at)"
    )
    database.execute("UPDATE tickets SET status = 'open' WHERE title LIKE '%9'")


def reference(database: Connection, where: str = "true") -> dict[str, Any]:
    rows: list[Any] = database.execute(
        f"SELECT category::text, priority::text, extract(epoch FROM resolved_at - created_at)::float8"
        f" FROM tickets WHERE resolved_at IS NOT NULL AND ({where})".encode()
    ).fetchall()
    return {
        **measured([row[2] for row in rows]),
        "priority_breakdown": {label: measured([row[2] for row in rows if row[1] == label]) for label in PRIORITIES},
        "category_breakdown": {label: measured([row[2] for row in rows if row[0] == label]) for label in CATEGORIES},
    }


def test_it_works(client: FlaskClient, database: Connection) -> None:
    for seconds in (10, 20, 30.5, 40):
        ticket = insert(database, "x", "2026-01-01Z")
        database.execute(
            "UPDATE tickets SET resolved_at = created_at + %s * interval '1 second' WHERE id = %s", [seconds, ticket]
        )
    file_ticket(client)
    times = {"count": 4, "median_seconds": 20, "p90_seconds": 40}
    response = client.get(RESOLUTION)
    assert response.content_type == "application/json"
    assert response.get_json() == {
        **times,
        "priority_breakdown": {"low": NONE, "medium": times, "high": NONE, "critical": NONE},
        "category_breakdown": {"billing": NONE, "technical": NONE, "account": NONE, "general": times},
    }


def test_every_member_is_present_without_tickets(client: FlaskClient) -> None:
    file_ticket(client)
    assert client.get(RESOLUTION).get_json() == {
        **NONE,
        "priority_breakdown": dict.fromkeys(PRIORITIES, NONE),
        "category_breakdown": dict.fromkeys(CATEGORIES, NONE),
    }


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", "true"),
        ("?category=billing,account&priority=low", "category IN ('billing', 'account') AND priority = 'low'"),
        ("?status=open", "status = 'open'"),
        (
            "?created_since=2026-01-05&created_before=2026-01-09",
            "created_at BETWEEN '2026-01-05Z' AND '2026-01-08T23:59Z'",
        ),
        (
            "?created_since=2026-01-02T10:30:00Z&created_before=2026-01-15T03:00:00Z&priority=low,high",
            "created_at >= '2026-01-02T10:30Z' AND created_at < '2026-01-15T03:00Z' AND priority IN ('low', 'high')",
        ),
        ("?created_since=2026-01-08&category=technical", "created_at >= '2026-01-08Z' AND category = 'technical'"),
        ("?created_before=2026-01-07T23:00:00Z", "created_at < '2026-01-07T23:00Z'"),
        ("?created_since=2026-01-20", "false"),
        ("?updated_since=2026-01-10", "updated_at >= '2026-01-10Z'"),
        ("?updated_before=2026-01-10&status=closed", "updated_at < '2026-01-10Z' AND status = 'closed'"),
        ("?search=%22TICKET+1%22", "title LIKE 'Ticket 1%'"),
        ("?search=nothing", "false"),
    ],
)
def test_it_agrees_with_the_definition(client: FlaskClient, database: Connection, query: str, where: str) -> None:
    resolve_many(database)
    assert client.get(RESOLUTION + query).get_json() == reference(database, where)


def test_reopening_a_ticket_keeps_its_first_resolution(client: FlaskClient) -> None:
    path = URL + file_ticket(client)["id"]
    client.patch(path, json={"status": "closed"})
    once = client.get(RESOLUTION).get_json()
    assert once["count"] == 1
    client.patch(path, json={"status": "open"})
    client.patch(path, json={"status": "resolved"})
    assert client.get(RESOLUTION).get_json() == once
    client.delete(path)
    assert client.get(RESOLUTION).get_json()["count"] == 0


def test_it_reports_every_error(client: FlaskClient) -> None:
    found = field_errors(client.get(f"{RESOLUTION}?priority=x&sort=created_at"))
    assert found == {"priority": "not_allowed", "sort": "unknown"}
