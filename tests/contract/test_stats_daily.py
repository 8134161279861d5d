"""GET /api/tickets/stats/daily/."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert, insert_many
from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

DAILY = f"{URL}stats/daily/"


def days(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    response = client.get(DAILY + query)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()["days"]
    return found


def totals(client: FlaskClient, query: str, event: str = "created") -> dict[str, int]:
    """Return the totals by date."""
    return {day["date"]: day[event]["total"] for day in days(client, query)}


def none() -> dict[str, Any]:
    return {
        "total": 0,
        "priority_breakdown": dict.fromkeys(PRIORITIES, 0),
        "category_breakdown": dict.fromkeys(CATEGORIES, 0),
    }


def test_it_works(client: FlaskClient) -> None:
    ticket = file_ticket(client, category="billing", priority="high")
    file_ticket(client, category="account", priority="high")
    client.patch(URL + ticket["id"], json={"status": "closed", "category": "technical"})
    response = client.get(DAILY)
    assert response.content_type == "application/json"
    assert list(response.get_json()) == ["tz", "days"]
    assert response.get_json()["tz"] == "UTC"
    found = response.get_json()["days"]
    assert len(found) == 30
    assert found[-1]["created"] == {
        "total": 2,
        "priority_breakdown": {"low": 0, "medium": 0, "high": 2, "critical": 0},
        "category_breakdown": {"billing": 0, "technical": 1, "account": 1, "general": 0},
    }
    assert found[-1]["resolved"]["total"] == found[-1]["resolved"]["category_breakdown"]["technical"] == 1


def test_default_is_the_last_30_days(client: FlaskClient, database: Connection) -> None:
    row = database.execute("SELECT (now() AT TIME ZONE 'UTC')::date").fetchone()
    assert row
    assert isinstance(row[0], date)
    dates = [date.fromisoformat(day["date"]) for day in days(client)]
    assert dates == [dates[0] + timedelta(days=n) for n in range(30)]
    assert dates[-1] - row[0] in (timedelta(0), timedelta(days=1))


def test_days_without_tickets_are_listed(client: FlaskClient) -> None:
    assert days(client, "?since=2026-02-27&before=2026-03-02") == [
        {"date": day, "created": none(), "resolved": none()} for day in ("2026-02-27", "2026-02-28", "2026-03-01")
    ]


@pytest.mark.parametrize(
    ("query", "first", "last", "number"),
    [
        ("?since=2024-02-01&before=2024-03-01", "2024-02-01", "2024-02-29", 29),
        ("?since=2025-12-31&before=2026-01-02", "2025-12-31", "2026-01-01", 2),
        ("?since=2024-01-01&before=2025-01-01", "2024-01-01", "2024-12-31", 366),
        ("?before=2024-03-02", "2024-02-01", "2024-03-01", 30),
        ("?before=1970-01-01", "1969-12-02", "1969-12-31", 30),
        ("?since=9999-12-30&before=9999-12-31", "9999-12-30", "9999-12-30", 1),
    ],
)
def test_window_lists_each_of_its_days(client: FlaskClient, query: str, first: str, last: str, number: int) -> None:
    found = days(client, query)
    assert (found[0]["date"], found[-1]["date"], len(found)) == (first, last, number)


@pytest.mark.parametrize(
    "query",
    [
        "?since=2024-01-01&before=2025-01-02",
        "?since=2026-01-01&before=2026-01-01",
        "?since=2026-01-02&before=2026-01-01",
        "?since=1970-01-01",
        "?since=9999-12-31",
    ],
)
def test_it_rejects_fewer_than_1_and_more_than_366_days(client: FlaskClient, query: str) -> None:
    assert field_errors(client.get(DAILY + query)) == {"since": "not_allowed"}
    assert "366" in client.get(DAILY + query).get_json()["detail"]


@pytest.mark.parametrize(
    "day",
    ["2026-02-29", "2026-1-1", "20260101", "2026-W01-1", "2026-01-01T00:00:00Z", "1969-12-31", "x", "-", "٢٠٢٦-01-01"],
)
def test_it_rejects_invalid_dates(client: FlaskClient, day: str) -> None:
    assert field_errors(client.get(DAILY, query_string={"since": day})) == {"since": "not_allowed"}
    assert field_errors(client.get(DAILY, query_string={"before": day})) == {"before": "not_allowed"}


@pytest.mark.parametrize(
    "tz", ["Europe/Berlin", "europe/berlin", "UTC", "utc", "GMT", "Asia/Kathmandu", "Japan", "Etc/GMT+5"]
)
def test_it_accepts_iana_names_in_any_letter_case(client: FlaskClient, tz: str) -> None:
    response = client.get(DAILY, query_string={"tz": tz})
    assert response.status_code == 200
    assert response.get_json()["tz"].lower() == tz.lower()


@pytest.mark.parametrize(
    "tz",
    ["XYZ5", "Foo/Bar5", "CET", "cest", "EST", "+02:00", "2", "UTC+2", "posix/UTC", "posixrules", "localtime",
     "Factory", "Europe", "Europe/Berlin ", "Europe/Atlantis", "<X>5", "a\0b", "'", "../UTC"],
)  # fmt: skip
def test_it_rejects_unknown_time_zones(client: FlaskClient, tz: str) -> None:
    response = client.get(DAILY, query_string={"tz": tz})
    assert field_errors(response) == {"tz": "not_allowed"}
    assert "Europe/Berlin" in response.get_json()["detail"]


def test_it_rejects_unknown_parameters(client: FlaskClient) -> None:
    found = field_errors(client.get(f"{DAILY}?created_since=2026-01-01&since=x&tz=y&tz=z"))
    assert found == {"created_since": "unknown", "since": "not_allowed", "tz": "repeated"}


@pytest.mark.parametrize(
    ("tz", "day", "hours"),
    [
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("America/Havana", "2026-03-08", 23),
        ("America/Havana", "2026-11-01", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2018-02-17", 25),
        ("Pacific/Apia", "2011-12-30", 0),
        ("UTC", "2026-03-29", 24),
    ],
)
def test_day_has_the_hours_of_its_time_zone(
    client: FlaskClient, database: Connection, tz: str, day: str, hours: float
) -> None:
    """Create a ticket every five minutes for three days around it."""
    database.execute(
        "INSERT INTO tickets (title, description, created_at)"
        " SELECT 'x', '-', %s::timestamptz + n * interval '5 minutes' FROM generate_series(-300, 700) AS n",
        [f"{day}T00:00:00Z"],
    )
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    assert totals(client, f"?tz={tz}&since={day}&before={after}") == {day: hours * 12}


@pytest.mark.slow
def test_every_day_of_a_year_agrees_with_zoneinfo(client: FlaskClient, database: Connection) -> None:
    """Compare every day of a leap year with zoneinfo."""
    database.execute(
        "INSERT INTO tickets (title, description, created_at, updated_at, resolved_at, category, priority, status)"
        " SELECT 'x', '-', at, at + interval '50 hours', CASE WHEN n % 4 > 1 THEN at + interval '50 hours' END,"
        " (enum_range(NULL::ticket_category))[1 + n % 3],"
        " (enum_range(NULL::ticket_priority))[1 + n % 4], (enum_range(NULL::ticket_status))[1 + n % 4]"
        " FROM generate_series(0, 10000) AS n,"
        " LATERAL (SELECT '2023-12-30Z'::timestamptz + n * interval '53 minutes') AS a (at)"
    )
    database.execute("UPDATE tickets SET status = 'open' WHERE title = 'x' AND priority = 'critical'")
    rows: list[Any] = database.execute(
        "SELECT created_at, resolved_at, category::text, priority::text FROM tickets"
    ).fetchall()
    zones = ["UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"]
    for tz in zones:
        expected = {
            (date(2024, 1, 1) + timedelta(days=n)).isoformat(): {"created": none(), "resolved": none()}
            for n in range(366)
        }
        for created, resolved, category, priority in rows:
            for event, moment in (("created", created), ("resolved", resolved)):
                day = moment.astimezone(ZoneInfo(tz)).date().isoformat() if moment else ""
                if counted := expected.get(day, {}).get(event):
                    counted["total"] += 1
                    counted["category_breakdown"][category] += 1
                    counted["priority_breakdown"][priority] += 1
        found = days(client, f"?tz={tz}&since=2024-01-01&before=2025-01-01")
        assert {day.pop("date"): day for day in found} == expected, tz


def test_creation_and_resolution_count_on_their_own_days(client: FlaskClient, database: Connection) -> None:
    ticket = insert(database, "x", "2026-01-01T12:00:00Z")
    database.execute("UPDATE tickets SET status = 'closed', resolved_at = '2026-01-03T12:00:00Z'")
    query = "?since=2026-01-01&before=2026-01-04"
    assert totals(client, query, "created") == {"2026-01-01": 1, "2026-01-02": 0, "2026-01-03": 0}
    assert totals(client, query, "resolved") == {"2026-01-01": 0, "2026-01-02": 0, "2026-01-03": 1}
    client.patch(URL + ticket, json={"priority": "critical"})
    [first, _, last] = days(client, query)
    assert first["created"]["priority_breakdown"]["critical"] == 1
    assert last["resolved"]["priority_breakdown"] == {"low": 0, "medium": 0, "high": 0, "critical": 1}
    client.delete(URL + ticket)
    assert days(client, query)[0]["created"] == days(client, query)[2]["resolved"] == none()


def test_merging_deltas_does_not_change_the_result(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 500)
    database.execute("UPDATE tickets SET priority = 'low', status = 'closed' WHERE category = 'billing'")
    before = days(client, "?since=2026-01-01&before=2026-01-03")
    database.execute("SELECT apply_count_deltas(NULL)")
    assert days(client, "?since=2026-01-01&before=2026-01-03") == before
    assert sum(day["created"]["total"] for day in before) == 500


def test_last_day_is_today_in_the_time_zone(client: FlaskClient) -> None:
    file_ticket(client)
    for tz in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        today = datetime.now(UTC).astimezone(ZoneInfo(tz)).date()
        found = days(client, f"?tz={tz}")
        assert sum(day["created"]["total"] for day in found) == 1
        assert date.fromisoformat(found[-1]["date"]) - today in (timedelta(0), timedelta(days=1))
