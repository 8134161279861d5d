"""GET /api/tickets/stats/."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert, insert_many, problem

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service
    from tests.support.tickets import Connection

STATS = f"{URL}stats/"
ZERO = {
    "total_tickets": 0,
    "open_tickets": 0,
    "avg_tickets_per_day": 0,
    "priority_breakdown": {"low": 0, "medium": 0, "high": 0, "critical": 0},
    "category_breakdown": {"billing": 0, "technical": 0, "account": 0, "general": 0},
}


def test_it_works(client: FlaskClient) -> None:
    file_ticket(client, category="billing", priority="high")
    closed = file_ticket(client, category="billing", priority="critical")
    client.patch(URL + closed["id"], json={"status": "closed"})
    response = client.get(STATS)
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.get_json() == {
        "total_tickets": 2,
        "open_tickets": 1,
        "avg_tickets_per_day": 2.0,
        "priority_breakdown": {"low": 0, "medium": 0, "high": 1, "critical": 1},
        "category_breakdown": {"billing": 2, "technical": 0, "account": 0, "general": 0},
    }


def test_it_works_under_gunicorn(service: Service) -> None:
    assert service.call("GET", STATS).json == ZERO


@pytest.mark.parametrize("count", [0, 1, 100])
def test_shape_does_not_depend_on_the_number_of_tickets(client: FlaskClient, database: Connection, count: int) -> None:
    insert_many(database, count)
    stats = client.get(STATS).get_json()
    assert list(stats) == list(ZERO)
    for breakdown in ("priority_breakdown", "category_breakdown"):
        assert list(stats[breakdown]) == list(ZERO[breakdown])  # type: ignore[call-overload]
        assert sum(stats[breakdown].values()) == stats["total_tickets"] == count


def test_open_tickets_have_only_status_open(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 64)
    assert client.get(STATS).get_json()["open_tickets"] == 16


@pytest.mark.parametrize(
    ("times", "average"),
    [
        (["2026-01-01"], 1.0),
        (["2026-01-01"] * 7, 7.0),
        (["2026-01-01T00:00Z", "2026-01-01T23:59Z"], 2.0),
        (["2026-01-01T00:00Z", "2026-01-02T00:00Z"], 2.0),
        (["2026-01-01T00:00Z", "2026-01-02T12:00Z"], 1.3),
        (["2026-01-01T00:00Z"] * 2 + ["2026-01-02T12:00Z"], 2.0),
        (["2026-01-01T00:00Z"] * 4 + ["2026-01-04T00:00Z"], 1.7),
        (["2026-01-01", "2026-01-21"], 0.1),
        (["1970-01-01", "2026-01-01"], 0.0),
        (["2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"], 2.0),
    ],
)
def test_average_is_over_the_days_from_oldest_to_newest(
    client: FlaskClient, database: Connection, times: list[str], average: float
) -> None:
    for time in times:
        insert(database, "x", time)
    assert client.get(STATS).get_json()["avg_tickets_per_day"] == average


def test_change_does_not_alter_the_average(client: FlaskClient, database: Connection) -> None:
    insert(database, "x", "2026-01-01", "2026-12-31")
    assert client.get(STATS).get_json()["avg_tickets_per_day"] == 1.0


def test_deleted_tickets_do_not_count(client: FlaskClient) -> None:
    client.delete(URL + file_ticket(client)["id"])
    assert client.get(STATS).get_json() == ZERO


def test_total_is_the_sum_of_each_breakdown_during_writes(app: Flask, database: Connection) -> None:
    insert_many(database, 100)
    done = threading.Event()

    def write() -> None:
        client = app.test_client()
        while not done.is_set():
            path = URL + file_ticket(client, category="billing", priority="low")["id"]
            client.patch(path, json={"category": "general", "priority": "critical", "status": "closed"})
            client.delete(path)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    responses = [app.test_client().get(STATS).get_json() for _ in range(100)]
    done.set()
    for writer in writers:
        writer.join()
    for stats in responses:
        assert sum(stats["priority_breakdown"].values()) == stats["total_tickets"]
        assert sum(stats["category_breakdown"].values()) == stats["total_tickets"]


@pytest.mark.parametrize("query", ["?foo=1", "?foo", "?%F0%9F%8E%AB=1", "?=x"])
def test_it_rejects_unknown_parameters(client: FlaskClient, query: str) -> None:
    assert list(field_errors(client.get(STATS + query)).values()) == ["unknown"]


def test_it_rejects_a_query_string_that_is_not_utf8(client: FlaskClient) -> None:
    problem(client.get(f"{STATS}?a=%ff"), 400)
