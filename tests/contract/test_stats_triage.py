"""GET /api/tickets/stats/triage/."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert, problem
from tests.support.training import change, suggest
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service
    from tests.support.tickets import Connection

STATS = f"{URL}stats/triage/"
FIELDS = {"category": CATEGORIES, "priority": PRIORITIES}
SOURCES = {"offline", "learned", "default", "reclassify"}
NOTHING = {"suggested": 0, "not_judged": 0, "judged": 0, "kept": 0, "corrected": 0, "accuracy": None}


def tally(suggested: int, kept: int, corrected: int, accuracy: float | None) -> dict[str, object]:
    judged = kept + corrected
    return {
        "suggested": suggested, "not_judged": suggested - judged, "judged": judged,
        "kept": kept, "corrected": corrected, "accuracy": accuracy,
    }  # fmt: skip


def read(client: FlaskClient, query: str = "") -> dict[str, Any]:
    response = client.get(STATS + query)
    assert response.status_code == 200, response.text
    stats: dict[str, Any] = response.get_json()
    check(stats)
    return stats


def check(stats: dict[str, Any]) -> None:
    """Check that every member is present and that the figures add up."""
    assert list(stats) == [
        "created_since", "created_before", "category", "priority", "critical", "confusion", "by_source", "daily",
    ]  # fmt: skip
    assert set(stats["by_source"]) >= SOURCES
    critical = [row["critical"] for row in stats["confusion"]["priority"].values()]
    found = stats["confusion"]["priority"]["critical"]["critical"]
    recall = round(found / sum(critical), 3) if any(critical) else None
    assert stats["critical"] == {"judged": sum(critical), "found": found, "recall": recall}
    for field, labels in FIELDS.items():
        total, confusion = stats[field], stats["confusion"][field]
        parts = [*stats["by_source"].values()], stats["daily"]
        for each in (total, *(row[field] for part in parts for row in part)):
            assert list(each) == list(NOTHING)
            assert each["suggested"] == each["judged"] + each["not_judged"]
            assert each["judged"] == each["kept"] + each["corrected"]
            assert each["accuracy"] == (round(each["kept"] / each["judged"], 3) if each["judged"] else None)
        for part in parts:
            assert sum(row[field]["suggested"] for row in part) == total["suggested"]
            assert sum(row[field]["kept"] for row in part) == total["kept"]
            assert sum(row[field]["judged"] for row in part) == total["judged"]
        assert list(confusion) == list(labels)
        assert all(list(row) == list(labels) for row in confusion.values())
        assert sum(sum(row.values()) for row in confusion.values()) == total["judged"]
        assert sum(confusion[label][label] for label in labels) == total["kept"]


def age(database: Connection, ticket: str, created_at: str) -> str:
    """Change the time of creation of a ticket, and return its new id."""
    row = database.execute(
        "UPDATE tickets SET id = uuid_v7(%s), created_at = %s WHERE id = %s RETURNING id::text",
        [created_at, created_at, ticket],
    ).fetchone()
    assert row
    return str(row[0])


def test_it_works(client: FlaskClient, database: Connection) -> None:
    suggest(database, "one")
    suggest(database, "two", status="resolved")
    suggest(database, "three", ("general", "medium"), ("billing", "medium"))
    suggest(database, "four", ("billing", "high"), ("billing", "low"), status="closed")
    file_ticket(client)
    stats = read(client)
    assert stats["category"] == tally(4, 2, 1, 0.667)
    assert stats["priority"] == tally(4, 1, 1, 0.5)
    assert stats["confusion"]["category"]["general"] == {"billing": 1, "technical": 0, "account": 0, "general": 1}
    assert stats["confusion"]["priority"]["high"] == {"low": 1, "medium": 0, "high": 0, "critical": 0}
    assert stats["by_source"]["offline"]["category"] == stats["category"]
    assert stats["daily"][-1]["priority"] == stats["priority"]


def test_it_follows_changes_of_tickets(client: FlaskClient) -> None:
    ticket = client.post(URL, json={"title": "a", "description": "charged twice", "priority": "low"}).get_json()
    assert read(client)["category"] == tally(1, 0, 0, None)
    assert read(client)["priority"] == NOTHING
    client.patch(URL + ticket["id"], json={"category": "general"})
    assert read(client)["category"] == tally(1, 0, 1, 0.0)
    client.patch(URL + ticket["id"], json={"category": "billing", "status": "closed"})
    assert read(client)["category"] == tally(1, 1, 0, 1.0)
    client.delete(URL + ticket["id"])
    assert read(client)["category"] == NOTHING


def test_every_member_is_present_without_tickets(client: FlaskClient) -> None:
    stats = read(client)
    assert [stats[field] for field in FIELDS] == [NOTHING, NOTHING]
    assert all(row == {"category": NOTHING, "priority": NOTHING} for row in stats["by_source"].values())
    assert len(stats["daily"]) == 30


def test_it_reports_the_recall_of_critical(client: FlaskClient, database: Connection) -> None:
    assert read(client)["critical"] == {"judged": 0, "found": 0, "recall": None}
    suggest(database, "found", ("general", "critical"), status="closed")
    suggest(database, "missed", ("general", "medium"), ("general", "critical"))
    suggest(database, "missed, too", ("general", "high"), ("general", "critical"))
    suggest(database, "a false alarm", ("general", "critical"), ("general", "low"))
    suggest(database, "not judged", ("general", "critical"))
    assert read(client)["critical"] == {"judged": 3, "found": 1, "recall": 0.333}


def test_it_works_under_gunicorn(service: Service) -> None:
    check(service.call("GET", STATS).json)


def test_unchanged_default_label_is_not_judged(client: FlaskClient, make_app: Callable[..., Flask]) -> None:
    ticket = file_ticket(make_app(triage_on_create=False).test_client(), category=None, priority=None)
    client.patch(URL + ticket["id"], json={"status": "closed", "priority": "high"})
    default = read(client)["by_source"]["default"]
    assert default == {"category": tally(1, 0, 0, None), "priority": tally(1, 0, 1, 0.0)}


def test_default_window_is_the_last_30_days(client: FlaskClient, database: Connection) -> None:
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days, text in ((29, "in"), (30, "out")):
        age(database, suggest(database, text), str(today - timedelta(days=days)))
    stats = read(client)
    assert stats["category"]["suggested"] == 1
    assert stats["daily"][0]["category"]["suggested"] == 1
    first = datetime.fromisoformat(stats["created_since"])
    assert first.time() == today.time()
    assert first in (today - timedelta(days=29), today - timedelta(days=28))  # midnight may have passed
    assert datetime.fromisoformat(stats["created_before"]) >= now - timedelta(milliseconds=1)


def test_window_includes_since_and_excludes_before(client: FlaskClient, database: Connection) -> None:
    for at in ("2026-03-01T11:59:59.999999Z", "2026-03-01T12:00Z", "2026-03-02T23:59:59.999999Z", "2026-03-03"):
        age(database, suggest(database, at), at)
    stats = read(client, "?created_since=2026-03-01T12:00:00Z&created_before=2026-03-03")
    assert [(day["date"], day["category"]["suggested"]) for day in stats["daily"]] == [
        ("2026-03-01", 1),
        ("2026-03-02", 1),
    ]
    assert (stats["created_since"], stats["created_before"]) == ("2026-03-01T12:00:00.000Z", "2026-03-03T00:00:00.000Z")


@pytest.mark.parametrize(
    ("query", "first", "last", "days"),
    [
        ("created_since=2024-01-01&created_before=2025-01-01", "2024-01-01", "2024-12-31", 366),
        ("created_since=2024-01-01T12:00:00Z&created_before=2025-01-01T12:00:00Z", "2024-01-01", "2025-01-01", 367),
        ("created_before=2026-03-03", "2026-02-01", "2026-03-02", 30),
        ("created_before=2026-03-03T00:00:01Z", "2026-02-02", "2026-03-03", 30),
        ("created_before=2026-03-03T01:00:00%2B02:00", "2026-02-01", "2026-03-02", 30),
        ("created_since=9998-12-31&created_before=9999-12-31", "9998-12-31", "9999-12-30", 365),
        ("created_since=1969-12-31&created_before=1970-01-02", "1969-12-31", "1970-01-01", 2),
        ("created_since=&created_before=2026-03-03", "2026-02-01", "2026-03-02", 30),
    ],
)
def test_window_lists_each_of_its_days(client: FlaskClient, query: str, first: str, last: str, days: int) -> None:
    daily = read(client, f"?{query}")["daily"]
    assert (daily[0]["date"], daily[-1]["date"], len(daily)) == (first, last, days)


@pytest.mark.parametrize(
    "query",
    [
        "created_since=2024-01-01&created_before=2025-01-01T00:00:00.000001Z",
        "created_since=2026-03-03&created_before=2026-03-03",
        "created_since=2026-03-04&created_before=2026-03-03",
        "created_since=9999-01-01",
        "created_since=0001-01-01",
        "created_before=0001-01-01",
        "created_since=yesterday",
    ],
)
def test_it_rejects_empty_and_too_long_windows(client: FlaskClient, query: str) -> None:
    assert field_errors(client.get(f"{STATS}?{query}")) == {"created_since": "not_allowed"}


def test_it_reports_every_error(client: FlaskClient) -> None:
    query = "created_since=2026-01-01&created_since=2026-01-02&created_before=x&tz=UTC&category=billing"
    assert field_errors(client.get(f"{STATS}?{query}")) == {
        "created_since": "repeated",
        "created_before": "not_allowed",
        "tz": "unknown",
        "category": "unknown",
    }


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
def test_other_methods_are_405(client: FlaskClient, method: str) -> None:
    problem(client.open(STATS, method=method), 405)


def test_unknown_source_is_listed(client: FlaskClient, database: Connection) -> None:
    change(database, suggest(database, "x"), suggested_by="oracle")
    assert read(client)["by_source"]["oracle"]["category"]["suggested"] == 1


def test_figures_add_up_during_writes(app: Flask, database: Connection) -> None:
    chance = random.Random(1)
    for number in range(200):
        labels = [(chance.choice(CATEGORIES), chance.choice(PRIORITIES)) for _ in range(2)]
        suggest(database, f"word{number}", labels[0], labels[chance.randrange(2)], chance.choice(STATUSES))
    insert(database, "never suggested for", "2026-01-01")
    done = threading.Event()

    def write() -> None:
        client = app.test_client()
        while not done.is_set():
            ticket = client.post(URL, json={"title": "a", "description": "my invoice"}).get_json()
            client.patch(URL + ticket["id"], json={"category": "general", "status": "closed"})
            client.delete(URL + ticket["id"])

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(30):
            assert read(app.test_client())["category"]["suggested"] >= 200
    finally:
        done.set()
        for writer in writers:
            writer.join()
