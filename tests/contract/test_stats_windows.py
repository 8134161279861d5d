"""GET /api/tickets/stats/ with filters, and the totals of lists, which come from the same counters."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.contract.test_stats import STATS, ZERO
from tests.support.locks import DELTAS_LOCK
from tests.support.tickets import field_errors, insert, insert_many
from ticketsvc.application import create_app
from ticketsvc.config import Config
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection


@pytest.fixture(scope="module")
def spread(migrated_database: Callable[[], str]) -> Iterator[tuple[Flask, Connection]]:
    """Return an application on 5,000 tickets of 40 days, changed up to 3 days later; some deltas are not merged."""
    url = migrated_database()
    app = create_app(Config(database_url=url))
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        insert_many(connection, 5000, step="11 minutes 31 seconds")
        connection.execute(f"SELECT pg_advisory_lock({DELTAS_LOCK})".encode())  # no deltas are merged
        with closing(psycopg.connect(url, autocommit=True)) as writer:
            writer.execute("UPDATE tickets SET updated_at = created_at + interval '3 days' * random()")
            writer.execute("UPDATE tickets SET status = 'open', priority = 'high' WHERE title LIKE '%7'")
            writer.execute("DELETE FROM tickets WHERE title LIKE '%77'")
        yield app, connection
    app.extensions["ticketsvc"].database.close()


def reference(database: Connection, where: str) -> dict[str, Any]:
    """Return the statistics of the tickets that match a condition, by reading them."""
    rows: list[Any] = database.execute(
        f"SELECT category::text, priority::text, status::text, created_at FROM tickets WHERE {where}".encode()
    ).fetchall()
    times = [row[3] for row in rows]
    days = max(1, (max(times) - min(times)) / timedelta(days=1)) if times else 1
    rounded = (Decimal(len(rows)) / Decimal(days)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return {
        "total_tickets": len(rows),
        "open_tickets": sum(row[2] == "open" for row in rows),
        "avg_tickets_per_day": float(rounded),
        "priority_breakdown": {label: sum(row[1] == label for row in rows) for label in PRIORITIES},
        "category_breakdown": {label: sum(row[0] == label for row in rows) for label in CATEGORIES},
    }


MOMENTS = st.none() | st.one_of(
    st.integers(-3, 44).map(lambda day: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)),
    st.datetimes(datetime(2025, 12, 30), datetime(2026, 2, 14), timezones=st.just(UTC)),
    st.sampled_from([datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]),
)


def some(labels: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(labels), unique=True)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(MOMENTS, MOMENTS, MOMENTS, some(CATEGORIES), some(PRIORITIES), some(STATUSES), st.sampled_from(["", "", "r 4"]))
def test_any_filters_agree_with_a_scan_of_the_tickets(
    spread: tuple[Flask, Connection],
    since: datetime | None, before: datetime | None, updated: datetime | None,
    categories: list[str], priorities: list[str], statuses: list[str], search: str,
) -> None:  # fmt: skip
    app, database = spread
    assume(not (since and before and since >= before))
    query: dict[str, Any] = {
        "category": categories,
        "priority": priorities,
        "status": statuses,
        "search": f'"{search}"' if search else "",
    }
    where = ["true"]
    for name, labels in (("category", categories), ("priority", priorities), ("status", statuses)):
        if labels:
            where.append(f"{name} IN ({', '.join(map(repr, labels))})")
    for name, column, moment in (
        ("created_since", "created_at >=", since),
        ("created_before", "created_at <", before),
        ("updated_before", "updated_at <", updated),
    ):
        if moment:
            query[name] = moment.isoformat()
            where.append(f"{column} '{moment.isoformat()}'")
    if search:
        where.append(f"title || ' ' || description LIKE '%{search}%'")
    address = f"{STATS}?{urlencode(query, doseq=True)}"
    response = app.test_client().get(address)
    assert response.status_code == 200, response.text
    assert response.get_json() == reference(database, " AND ".join(where))
    counted = app.test_client().get(address.replace("stats/", "") + "&count=true&limit=1")
    assert int(counted.headers["X-Total-Count"]) == response.get_json()["total_tickets"]


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("created_since=2026-01-02&created_before=2026-01-03", 2),
        ("created_since=2026-01-02T00:00:00.000001Z&created_before=2026-01-03", 1),
        ("created_since=2026-01-02&created_before=2026-01-03T00:00:00.000001Z", 3),
        ("created_since=2026-01-02T23:59:59.999999Z&created_before=2026-01-03T00:00:00Z", 1),
        ("created_since=2026-01-02T01:00:00%2B01:00&created_before=2026-01-03T01:00:00%2B01:00", 2),
        ("created_since=2026-01-03", 1),
        ("created_before=2026-01-02", 1),
        ("created_before=9999-12-31&created_since=0001-01-01", 4),
    ],
)
def test_window_includes_since_and_excludes_before(
    client: FlaskClient, database: Connection, query: str, total: int
) -> None:
    for time in ("2026-01-01T23:59:59.999999Z", "2026-01-02Z", "2026-01-02T23:59:59.999999Z", "2026-01-03Z"):
        insert(database, "x", time)
    assert client.get(f"{STATS}?{query}").get_json()["total_tickets"] == total


def test_window_without_tickets_has_the_same_shape(client: FlaskClient) -> None:
    assert client.get(f"{STATS}?category=billing&created_since=2026-01-01").get_json() == ZERO
    assert client.get(f"{STATS}?updated_since=2026-01-01").get_json() == ZERO


def test_it_reports_every_error(client: FlaskClient) -> None:
    found = field_errors(client.get(f"{STATS}?category=x&created_since=yesterday&limit=5"))
    assert found == {"category": "not_allowed", "created_since": "not_allowed", "limit": "unknown"}
