"""Similar tickets: what a query reads does not grow with the tickets, and each ticket gets its stems."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.tickets import insert_many
from ticketsvc.store.postgres import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.tickets import Connection

FIND = queries.load("similar.find", bytes)
FILL = """
    WITH known AS MATERIALIZED (
        SELECT array_agg((ticket_stems_of('w' || n || 'xxxx'))[1] ORDER BY n) AS stems
        FROM generate_series(1, 10000) AS n
    )
    INSERT INTO ticket_stems (id, stems)
    SELECT gen_random_uuid(), ARRAY(
        SELECT DISTINCT known.stems[floor(10 ^ (random() * 4))::integer] FROM generate_series(1, 25) WHERE n > 0
    )
    FROM known
    CROSS JOIN generate_series(1, 15000) AS n;
    INSERT INTO ticket_stem_counts
    SELECT stem, count(*) FROM ticket_stems CROSS JOIN unnest(stems) AS stem GROUP BY stem;
    UPDATE ticket_stem_totals SET tickets = 15000;
    INSERT INTO ticket_signs
    SELECT s.id, ('x' || string_agg(md5(s.id::text || n), ''))::bit(512)
    FROM ticket_stems AS s
    CROSS JOIN generate_series(1, 4) AS n
    GROUP BY s.id;
    SET session_replication_role = replica; -- without triggers
    INSERT INTO tickets (id, updated_at, title, description) SELECT s.id, now(), 't', 'd' FROM ticket_stems AS s;
    RESET session_replication_role;
    SELECT index_pending_stems();
    ANALYZE tickets, ticket_stems, ticket_stem_counts, ticket_signs;
"""
"""Rows with 25 words each, and random signs. A word with a number is the rarer, the larger the number is."""


@pytest.fixture(scope="module")
def filled(migrated_database: Callable[[], str]) -> Iterator[Connection]:
    """A connection to a database with the stems of 15,000 tickets."""
    with closing(psycopg.connect(migrated_database(), autocommit=True)) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(FILL)
        yield connection


def words(*numbers: int) -> str:
    return " ".join(f"w{number}xxxx" for number in numbers)


def plan(database: Connection, text: str, signs: str = "NULL") -> dict[str, Any]:
    """Run the query and return its plan."""
    database.execute("SET plan_cache_mode = force_generic_plan")
    database.execute(f"PREPARE find AS {FIND.text}".encode())
    row = database.execute(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE find (NULL, '', '{text}', {signs})".encode()
    ).fetchone()
    database.execute("DEALLOCATE find")
    assert row
    found: list[dict[str, Any]] = row[0] if isinstance(row[0], list) else json.loads(str(row[0]))
    root: dict[str, Any] = found[0]["Plan"]
    return root


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(below for child in node.get("Plans", ()) for below in nodes(child))]


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (words(9000, 9001, 5000, 3000, 3001, 2, 3, 40, 300), 5000),
        (words(*range(20, 60)), 5000),
        (words(*range(1, 12)), 2000),  # each of these is in a twentieth of all rows or more
        (words(*range(8000, 8150)), 6000),
        ("nothing of the like", 500),
    ],
    ids=["usual", "frequent", "very frequent", "long and rare", "unknown"],
)
def test_a_query_reads_few_blocks(filled: Connection, text: str, most: int) -> None:
    root = plan(filled, text)
    read = nodes(root)
    assert "ticket_stems_search" in {node.get("Index Name") for node in read}
    assert "ticket_stems" not in {node.get("Relation Name") for node in read if node["Node Type"] == "Seq Scan"}
    assert root["Shared Hit Blocks"] + root["Shared Read Blocks"] < most


def test_frequent_stems_are_not_stored(database: Connection, clean: None) -> None:
    with database.transaction(force_rollback=True):
        database.execute("UPDATE ticket_stem_totals SET tickets = 40000")
        database.execute("INSERT INTO ticket_stem_counts SELECT (ticket_stems_of('often'))[1], 2000")
        database.execute("INSERT INTO tickets (title, description) VALUES ('Often', 'seldom'), ('often', 'OFTEN')")
        database.execute("SELECT ticket_stems_write(ARRAY(SELECT id FROM tickets))")
        stored = database.execute("SELECT cardinality(stems) FROM ticket_stems ORDER BY 1").fetchall()
        counted = database.execute("SELECT tickets FROM ticket_stem_counts ORDER BY 1").fetchall()
        again = database.execute("SELECT ticket_stems_write(ARRAY(SELECT id FROM tickets))")
        assert again.fetchone()
        total = database.execute("SELECT tickets FROM ticket_stem_totals").fetchone()
    assert (stored, counted, total) == ([(0,), (1,)], [(1,), (2002,)], (40_002,))


def test_one_session_follows_the_feed_in_batches(database: Connection, clean: None) -> None:
    insert_many(database, 50)
    database.execute("SELECT publish_events(1000)")
    done = [database.execute("SELECT ticket_stems_follow(20)").fetchone() for _ in range(4)]
    assert done == [(20,), (20,), (10,), (0,)]
    row = database.execute("SELECT count(*), (SELECT tickets FROM ticket_stem_totals) FROM ticket_stems").fetchone()
    assert row == (50, 50)
    assert database.execute("SELECT index_pending_stems()").fetchone() == (0,), "every query would read what is pending"


@pytest.mark.parametrize(
    ("signs", "read"), [("NULL", 0), (f"'x{'0f' * 64}'", 15_000)], ids=["without", "with an encoder"]
)
def test_signs_are_read_once_and_only_with_an_encoder(filled: Connection, signs: str, read: int) -> None:
    found = nodes(plan(filled, words(9000, 9001), signs))
    [scan] = [node for node in found if node.get("Relation Name") == "ticket_signs" and node["Node Type"] == "Seq Scan"]
    assert (scan["Actual Loops"], scan.get("Rows Removed by Filter", 0)) == (int(read > 0), read)
    assert "Gather" not in {node["Node Type"] for node in found}


def test_only_the_newest_tickets_have_signs(database: Connection, clean: None) -> None:
    insert_many(database, 2)
    with database.transaction(force_rollback=True):
        database.execute(
            "INSERT INTO ticket_signs"
            " SELECT uuid_v7('2000-01-01Z'::timestamptz + n * '1 s'::interval) FROM generate_series(1, 100000) AS n"
        )
        before = database.execute("SELECT id FROM ticket_signs ORDER BY id").fetchall()
        database.execute("SELECT ticket_signs_mark(ARRAY(SELECT id FROM tickets))")
        after = database.execute("SELECT id FROM ticket_signs ORDER BY id").fetchall()
        new = database.execute("SELECT id FROM tickets ORDER BY id").fetchall()
    assert after == before[2:] + new
