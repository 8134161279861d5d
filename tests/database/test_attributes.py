"""The rows of ticket_attributes, which triggers keep."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.support.tickets import Connection

OUT_OF_RANGE = [
    ("tickets_people_at_most_255", "requester", "x" * 256),
    ("tickets_people_at_most_255", "assignee", "x" * 256),
    ("tickets_at_most_20_tags", "tags", []),
    ("tickets_at_most_20_tags", "tags", [str(number) for number in range(21)]),
    ("tickets_at_most_50_metadata", "metadata", "{}"),
    ("tickets_at_most_50_metadata", "metadata", json.dumps({str(number): "x" for number in range(51)})),
]
"""The constraint that a trigger checks, a column, and a value that violates it."""

EXPECTED = """
    SELECT attribute, t.category, t.priority, t.status, t.id, t.updated_at
    FROM tickets AS t
    CROSS JOIN LATERAL unnest(
        ticket_attributes_of(t.requester, t.assignee, t.tags, t.metadata) || ('duplicate_of ' || t.duplicate_of)
    ) AS attribute
    WHERE attribute IS NOT NULL
"""
STORED = "SELECT attribute, category, priority, status, id, updated_at FROM ticket_attributes"


def wrong(database: Connection) -> list[Any]:
    """Return the rows that are missing or too many."""
    return database.execute(f"({EXPECTED} EXCEPT ALL {STORED}) UNION ALL ({STORED} EXCEPT ALL {EXPECTED})").fetchall()


def test_attributes_of_a_ticket(database: Connection) -> None:
    some = """ticket_attributes_of('Ann\u00df', 'Bob', '{a,b c}', '{"k":"V"}')"""
    row = database.execute(f"SELECT {some}, ticket_attributes_of(NULL, NULL, NULL, NULL)").fetchone()
    expected = ["requester annss", "assignee bob", "assigned", "tag a", "tag b c", "metadata k=V"]
    assert row == (expected, None)


def test_they_follow_every_change(database: Connection) -> None:
    dice = random.Random(5)

    def values() -> dict[str, Any]:
        return {
            "requester": dice.choice([None, "Ann", "ann", "Cy"]),
            "assignee": dice.choice([None, "Bob"]),
            "tags": dice.choice([None, ["a"], ["a", "b"], ["c"]]),
            "metadata": dice.choice([None, json.dumps({"k": "1"}), json.dumps({"k": "2", "l": "1"})]),
            "status": dice.choice(["open", "closed"]),
            "priority": dice.choice(["low", "high"]),
        }

    for _ in range(30):
        database.execute(
            """
            INSERT INTO tickets (title, description, requester, assignee, tags, metadata, status, priority)
            VALUES ('t', 'd', %(requester)s, %(assignee)s, %(tags)s, %(metadata)s, %(status)s, %(priority)s)
            """,
            values(),
        )
    assert wrong(database) == []
    for _ in range(60):
        database.execute(
            """
            UPDATE tickets
            SET requester = %(requester)s, assignee = %(assignee)s, tags = %(tags)s, metadata = %(metadata)s,
                status = %(status)s, priority = %(priority)s, updated_at = clock_timestamp()
            WHERE id = (SELECT id FROM tickets ORDER BY random() LIMIT 1)
            """,
            values(),
        )
    assert wrong(database) == []
    database.execute("UPDATE tickets SET updated_at = updated_at + interval '1 s'")
    database.execute("DELETE FROM tickets WHERE status = 'closed'")
    assert wrong(database) == []
    database.execute("TRUNCATE tickets")
    assert database.execute(STORED).fetchall() == []


def test_a_ticket_without_attributes_has_no_row(database: Connection) -> None:
    database.execute("INSERT INTO tickets (title, description) VALUES ('t', 'd')")
    database.execute("UPDATE tickets SET status = 'closed'")
    assert database.execute(STORED).fetchall() == []


@pytest.mark.parametrize(("constraint", "column", "value"), OUT_OF_RANGE)
def test_the_database_checks_them(database: Connection, constraint: str, column: str, value: object) -> None:
    database.execute("INSERT INTO tickets (title, description) VALUES ('t', 'd')")
    for statement in (
        f"INSERT INTO tickets (title, description, {column}) VALUES ('t', 'd', %s)",
        f"UPDATE tickets SET {column} = %s",
    ):
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            database.execute(statement.encode(), [value])
        assert caught.value.diag.constraint_name == constraint
