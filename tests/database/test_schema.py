"""The table of tickets: its enums, its constraints and its ids (RFC 9562 section 5.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING
from uuid import RFC_4122, UUID

import psycopg
import pytest

from tests.database.test_attributes import OUT_OF_RANGE
from tests.support.tickets import URL, file_ticket, insert, insert_many, titles
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store.postgres.errors import CONSTRAINTS

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = [
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00.000001Z",
    "2026-05-05T12:00:00Z",
    "2026-05-05T12:00:00.000999Z",
    "2026-05-05T12:00:00.001Z",
    "2026-05-05T12:00:00.123456Z",
    "2026-12-31T23:59:59.999999Z",
    "2541-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
]


def one(database: Connection, statement: str, *values: object) -> object:
    """Return the single value of a statement."""
    row = database.execute(statement.encode(), values).fetchone()
    assert row
    return row[0]


def microseconds(moment: str) -> int:
    return (datetime.fromisoformat(moment) - EPOCH) // timedelta(microseconds=1)


# --- enums and constraints


@pytest.mark.parametrize(("name", "values"), [("category", CATEGORIES), ("priority", PRIORITIES), ("status", STATUSES)])
def test_enums_are_those_of_the_application(database: Connection, name: str, values: tuple[str, ...]) -> None:
    assert one(database, f"SELECT enum_range(NULL::ticket_{name})::text[]") == list(values)


BROKEN = {
    "tickets_pkey": "id = '0192a3b4-c5d6-7e8f-9012-3456789abcde'",
    "tickets_title_not_empty": "title = ''",
    "tickets_title_at_most_200": "title = repeat('🎫', 201)",
    "tickets_description_not_empty": "description = ''",
    "tickets_version_positive": "version = 0",
    "tickets_created_at_in_range": "created_at = '1969-12-31T23:59:59.999999Z'",
    "tickets_updated_after_created": "updated_at = created_at - '1 microsecond'::interval",
    "tickets_resolved_after_created": "resolved_at = created_at - '1 microsecond'::interval",
    "tickets_suggestion_whole": "suggested_by = 'x'",
    "tickets_confidence_in_range": "priority_confidence = 2, suggested_priority = 'low', suggested_by = 'x'",
    "tickets_duplicate_of_exists": "duplicate_of = gen_random_uuid()",
    "tickets_duplicate_of_no_cycle": "duplicate_of = id",
}
"""For each constraint a change that breaks it."""
CHECKED = {*BROKEN, *[constraint for constraint, _, _ in OUT_OF_RANGE]} - {"tickets_pkey"}


@pytest.mark.parametrize("constraint", BROKEN)
def test_each_constraint_rejects(database: Connection, clean: None, constraint: str) -> None:
    insert_many(database, 2)
    with pytest.raises(psycopg.IntegrityError) as caught:
        database.execute(f"UPDATE tickets SET {BROKEN[constraint]}".encode())
    assert caught.value.diag.constraint_name == constraint


def test_every_constraint_is_tested(database: Connection) -> None:
    """The only constraints of the table are its key and NOT NULL: CHECK would cost more than the trigger."""
    names = one(
        database,
        "SELECT array_agg(conname::text) FROM pg_constraint WHERE conrelid = 'tickets'::regclass AND contype <> 'n'",
    )
    checks = "proname IN ('tickets_valid', 'tickets_duplicate')"
    [checked] = database.execute(f"SELECT string_agg(prosrc, '') FROM pg_proc WHERE {checks}".encode()).fetchall()
    assert names == ["tickets_pkey"]
    assert {*re.findall(r"'(tickets_\w+)'", str(checked[0]))} - {"tickets"} == CHECKED


def test_every_constraint_in_the_application_exists() -> None:
    assert set(CONSTRAINTS) <= CHECKED


def test_values_at_the_limits_are_accepted(database: Connection, clean: None) -> None:
    database.execute("INSERT INTO tickets (title, description) VALUES (repeat('🎫', 200), '-')")
    insert(database, "first", "1970-01-01T00:00:00Z")
    insert(database, "last", "9999-12-31T23:59:59.999999Z")


@pytest.mark.parametrize(
    "moment", ["1969-12-31T23:59:59.999999Z", "10000-01-01", "0044-03-15 BC", "infinity", "-infinity"]
)
def test_times_out_of_range_are_rejected(database: Connection, clean: None, moment: str) -> None:
    with pytest.raises(psycopg.DatabaseError):
        insert(database, "x", moment)
    assert one(database, "SELECT count(*) FROM tickets") == 0


# --- ids


@pytest.mark.parametrize("moment", MOMENTS)
def test_id_is_a_uuid_of_version_7_with_the_creation_time(database: Connection, clean: None, moment: str) -> None:
    ticket_id = UUID(insert(database, "x", moment))
    milliseconds, rest = divmod(microseconds(moment), 1000)
    assert (ticket_id.version, ticket_id.variant) == (7, RFC_4122)
    assert ticket_id.int >> 80 == milliseconds
    assert ticket_id.int >> 64 & 0xFFF == rest * 4096 // 1000


def test_id_of_a_created_ticket_has_its_creation_time(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client)
    created_at = one(database, "SELECT created_at FROM tickets")
    assert isinstance(created_at, datetime)
    assert UUID(ticket["id"]).version == 7
    assert UUID(ticket["id"]).int >> 80 == (created_at - EPOCH) // timedelta(milliseconds=1)


def test_random_bits_of_ids_differ(database: Connection, clean: None) -> None:
    insert_many(database, 2000, step="0")
    parts = [row[0].int % 2**62 for row in database.execute("SELECT id FROM tickets") if isinstance(row[0], UUID)]
    assert len(set(parts)) == 2000
    assert reduce(or_, parts) == 2**62 - 1
    assert reduce(and_, parts) == 0


@pytest.mark.parametrize("start", ["1970-01-01", "2026-05-05T12:00:00Z", "2540-01-01", "9999-12-31T23:59:59.99Z"])
def test_ids_a_microsecond_apart_are_ordered(database: Connection, start: str) -> None:
    """Every id of a microsecond, the floor included, is below those of the next."""
    wrong = one(
        database,
        """
        SELECT count(*)
        FROM generate_series(0, 5000) AS n, LATERAL (SELECT %s::timestamptz + n * '1 microsecond'::interval AS at) AS a,
            LATERAL (SELECT uuid_v7(at) AS id, uuid_v7_floor(at) AS floor,
                uuid_v7_floor(at + '1 microsecond'::interval) AS next) AS ids
        WHERE NOT (floor <= id AND id < next)
        """,
        start,
    )
    assert wrong == 0


@pytest.mark.parametrize("moment", MOMENTS)
def test_floor_of_a_time_is_exact(database: Connection, clean: None, moment: str) -> None:
    if not moment.startswith("1970-01-01T00:00:00Z"):
        database.execute(
            "INSERT INTO tickets (title, description, created_at)"
            " SELECT 'before', '-', %s::timestamptz - '1 microsecond'::interval FROM generate_series(1, 20)",
            [moment],
        )
    database.execute(
        "INSERT INTO tickets (title, description, created_at) SELECT 'at', '-', %s FROM generate_series(1, 20)",
        [moment],
    )
    found = database.execute("SELECT DISTINCT title FROM tickets WHERE id >= uuid_v7_floor(%s)", [moment]).fetchall()
    assert found == [("at",)]


@pytest.mark.parametrize("moment", ["1969-12-31T23:59:59.999999Z", "0001-01-01", "4713-01-01 BC"])
def test_floor_of_a_time_before_1970_is_that_of_1970(database: Connection, moment: str) -> None:
    assert one(database, "SELECT uuid_v7_floor(%s) = uuid_v7_floor('1970-01-01T00:00:00Z')", moment) is True
    assert one(database, "SELECT uuid_v7_floor('1970-01-01T00:00:00Z')::text") == "00000000-0000-7000-8000-000000000000"


def test_order_of_ids_is_the_order_of_creation(client: FlaskClient, database: Connection) -> None:
    with database.cursor().copy("COPY tickets (title, description, created_at) FROM STDIN") as copy:
        for day in (3, 1, 5):
            copy.write_row((f"day {day}", "copied", f"2026-01-0{day}T00:00:00Z"))
    insert(database, "day 4", "2026-01-04T00:00:00Z")
    insert(database, "day 2", "2026-01-02T00:00:00Z")
    file_ticket(client, title="now")
    assert titles(client, "?sort=created_at") == [*(f"day {day}" for day in range(1, 6)), "now"]
    assert titles(client) == ["now", *(f"day {day}" for day in range(5, 0, -1))]
    assert (
        one(
            database,
            "SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY created_at) AS b FROM tickets) AS o WHERE id < b",
        )
        == 0
    )


def test_inserted_rows_get_defaults(client: FlaskClient, database: Connection) -> None:
    insert(database, "x", "2026-01-01T00:00:00.123456Z")
    [ticket] = client.get(URL).get_json()
    assert ticket["created_at"] == ticket["updated_at"] == "2026-01-01T00:00:00.123Z"
    assert (ticket["category"], ticket["priority"], ticket["status"]) == ("general", "medium", "open")
    assert ticket["version"] == 1


# --- times


@pytest.mark.parametrize(
    ("stored", "returned"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00.9999994Z", "2026-01-01T00:00:00.999Z"),
        ("2026-07-01T02:00:00.0005+02:00", "2026-07-01T00:00:00.000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_rfc3339_in_utc_with_milliseconds(
    client: FlaskClient, database: Connection, stored: str, returned: str
) -> None:
    ticket_id = insert(database, "x", stored)
    assert client.get(URL + ticket_id).get_json()["created_at"] == returned


def test_times_do_not_depend_on_the_session_time_zone(database: Connection) -> None:
    for zone in ("Asia/Kolkata", "America/St_Johns", "UTC"):
        database.execute("SELECT set_config('TimeZone', %s, false)", [zone])
        assert one(database, "SELECT rfc3339('2026-03-29T01:30:00Z')") == "2026-03-29T01:30:00.000Z"
        assert (
            one(database, "SELECT uuid_v7_floor('2026-03-29T01:30Z')::text") == "019d3736-51c0-7000-8000-000000000000"
        )


def test_times_of_a_new_ticket_have_milliseconds(client: FlaskClient) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", file_ticket(client)["created_at"])
