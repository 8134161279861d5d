"""The counters behind the statistics (migration 0005): they are exact at any time and block no writer."""

from __future__ import annotations

import random
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.locks import DELTAS_LOCK, in_background
from tests.support.tickets import URL, file_ticket, insert, insert_many
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store.postgres import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

INSERT = "INSERT INTO tickets (title, description, category, priority) VALUES ('a', 'b', %s, %s) RETURNING id"
PENDING = "SELECT count(*) FROM ticket_count_deltas"


def differences(database: Connection) -> list[tuple[object, ...]]:
    """Return what `flask stats check` finds before and after all deltas are merged."""
    check = queries.load("stats.check").text.encode()
    found = database.execute(check).fetchall()
    database.execute("SELECT apply_count_deltas(NULL)")
    return found + database.execute(check).fetchall()


def count(database: Connection, statement: str = "SELECT sum(tickets) FROM counted_tickets(NULL, NULL)") -> object:
    row = database.execute(statement.encode()).fetchone()
    assert row
    return row[0] or 0


@pytest.fixture
def other(database_url: str) -> Iterator[Connection]:
    """A second connection, in a transaction from its first statement. Its changes are rolled back at the end."""
    with closing(psycopg.connect(database_url)) as connection:
        yield connection


# --- exact


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 1000])
def test_one_statement_with_many_rows_is_counted(database: Connection, clean: None, rows: int) -> None:
    insert_many(database, rows, step="17 minutes")
    assert count(database) == rows
    assert differences(database) == []
    database.execute("UPDATE tickets SET category = 'billing', status = 'resolved' WHERE priority <> 'low'")
    assert differences(database) == []
    database.execute("DELETE FROM tickets WHERE status <> 'open'")
    assert differences(database) == []
    assert count(database) == count(database, "SELECT count(*) FROM tickets")


def test_copied_rows_are_counted(database: Connection, clean: None) -> None:
    with database.cursor().copy(
        "COPY tickets (title, description, created_at, status, resolved_at) FROM STDIN"
    ) as copy:
        for n in range(1000):
            month = f"2026-{1 + n % 12:02}"
            resolved = f"{month}-02T{n % 24:02}:00:00Z" if n % 4 > 1 else None
            copy.write_row((f"{n}", "-", f"{month}-01T00:{n % 60:02}:00Z", STATUSES[n % 4], resolved))
    assert count(database) == 1000
    assert differences(database) == []


def test_bulk_statement_leaves_no_deltas(database: Connection, clean: None) -> None:
    insert_many(database, 5000, step="17 minutes")
    assert count(database, PENDING) == 0


def test_change_of_any_column_is_counted(database: Connection, clean: None) -> None:
    insert_many(database, 64)
    for change in (
        "created_at = created_at - interval '40 days'",
        "resolved_at = NULL, status = 'open'",
        "resolved_at = '2027-01-01'",
        "first_response_at = created_at + interval '90 seconds'",
        "first_response_at = NULL",
        "priority = 'critical'",
        "category = 'account'",
        "title = 'only the title'",
    ):
        database.execute(f"UPDATE tickets SET {change} WHERE status <> 'in_progress'".encode())
        assert differences(database) == []


def test_insert_on_conflict_is_counted_once(database: Connection, clean: None) -> None:
    ticket_id = insert(database, "x", "2026-01-01")
    upsert = (
        "INSERT INTO tickets (id, title, description, updated_at) VALUES (%s, 'y', '-', now())"
        " ON CONFLICT (id) DO UPDATE SET status = 'closed', category = 'billing'"
    )
    database.execute(upsert, [ticket_id])
    assert count(database) == 1
    assert differences(database) == []


def test_rolled_back_changes_are_not_counted(database: Connection, other: Connection, clean: None) -> None:
    insert_many(database, 100)
    for _ in range(3):
        other.execute(INSERT.encode(), ["billing", "low"])
        other.execute("UPDATE tickets SET status = 'closed', priority = 'high'")
        other.execute("SELECT apply_count_deltas(NULL)")
        other.execute("DELETE FROM tickets WHERE category = 'general'")
        other.rollback()
    with other.transaction(force_rollback=True):
        other.execute("DELETE FROM tickets")
    other.commit()
    assert count(database) == 100
    assert differences(database) == []


def test_changes_of_a_broken_connection_are_not_counted(database: Connection, database_url: str, clean: None) -> None:
    insert_many(database, 100)
    with closing(psycopg.connect(database_url)) as victim:
        victim.execute("UPDATE tickets SET status = 'closed'")
        victim.execute("SELECT apply_count_deltas(NULL)")
        database.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            victim.execute("SELECT 1")
    assert differences(database) == []


def test_truncate_resets_all_counters(database: Connection, clean: None) -> None:
    insert_many(database, 500)
    database.execute("TRUNCATE tickets")
    for table in ("ticket_count_deltas", "ticket_totals", "ticket_days", "ticket_counts_15min", "ticket_durations"):
        assert count(database, f"SELECT count(*) FROM {table}") == 0


def test_transaction_counts_only_its_own_uncommitted_changes(
    client: FlaskClient, database: Connection, other: Connection
) -> None:
    other.execute(INSERT.encode(), ["billing", "low"])
    file_ticket(client)
    assert (count(other), count(database)) == (2, 1)


def write_randomly(url: str, seed: int, rounds: int) -> None:
    """Create, change and delete random tickets, alone and in bulk, and roll some changes back."""
    dice = random.Random(seed)
    with closing(psycopg.connect(url)) as connection:
        for _ in range(rounds):
            for _ in range(dice.randrange(1, 4)):
                _work(connection, dice)
            if dice.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()


def _work(connection: Connection, dice: random.Random) -> None:
    mine = "title = %s AND id = (SELECT id FROM tickets WHERE title = %s ORDER BY random() LIMIT 1)"
    whose = [str(threading.get_ident())] * 2
    labels = [dice.choice(CATEGORIES), dice.choice(PRIORITIES), dice.choice(STATUSES)]
    work = dice.randrange(10)
    if work < 4:
        statement = (
            "INSERT INTO tickets (title, description, category, priority, status, created_at)"
            " VALUES (%s, '-', %s, %s, %s, now() - random() * interval '3 days')"
        )
        connection.execute(statement, [whose[0], *labels])
    elif work < 7:
        update = f"UPDATE tickets SET category = %s, priority = %s, status = %s WHERE {mine}"
        connection.execute(update.encode(), [*labels, *whose])
    elif work < 9:
        connection.execute(f"DELETE FROM tickets WHERE {mine}".encode(), whose)
    else:
        bulk = (
            "INSERT INTO tickets (title, description, created_at)"
            " SELECT %s, '-', now() - n * interval '16 minutes' FROM generate_series(1, 300) AS n"
        )
        connection.execute(bulk, whose[:1])


def test_counters_are_exact_during_concurrent_writes(database: Connection, database_url: str, clean: None) -> None:
    with in_background() as threads:
        works = [threads.submit(write_randomly, database_url, seed, 60) for seed in range(8)]
        recounts = [threads.submit(recount, database_url) for _ in range(3)]
        while not all(work.done() for work in works):
            assert differences_now(database) == []
        for work in works + recounts:
            work.result()
    assert count(database) == count(database, "SELECT count(*) FROM tickets")
    assert differences(database) == []


def recount(url: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("SELECT recount_tickets()")


def differences_now(database: Connection) -> list[tuple[object, ...]]:
    return database.execute(queries.load("stats.check").text.encode()).fetchall()


# --- locks


def test_writers_do_not_wait_for_uncommitted_counts(
    client: FlaskClient, database: Connection, other: Connection
) -> None:
    """They wait at most 1 ms for a lock that a writer or a merge holds."""
    insert_many(database, 100)
    ids = [row[0] for row in database.execute("SELECT id FROM tickets ORDER BY id").fetchall()]
    other.execute(INSERT.encode(), ["billing", "low"])
    other.execute("UPDATE tickets SET status = 'closed', priority = 'low' WHERE id = %s", [ids[0]])
    other.execute("DELETE FROM tickets WHERE id = %s", [ids[1]])
    other.execute("SELECT apply_count_deltas(NULL)")
    database.execute("SET lock_timeout = '1ms'")
    for _ in range(600):  # some of them try to merge deltas
        database.execute(INSERT.encode(), ["billing", "low"])
    insert_many(database, 1000)
    database.execute("UPDATE tickets SET status = 'closed', priority = 'low' WHERE id <> ALL (%s)", [ids[:2]])
    database.execute("DELETE FROM tickets WHERE id = %s", [ids[3]])
    database.execute("SELECT apply_count_deltas(NULL)")
    assert count(database) == 100 + 600 + 1000 - 1
    other.commit()
    assert count(database) == 100 + 600 + 1000 - 1 + 1 - 1
    assert differences(database) == []


def test_writers_do_not_wait_for_a_recount(database: Connection, other: Connection, clean: None) -> None:
    insert_many(database, 300)
    other.execute("SELECT recount_tickets()")
    database.execute("SET lock_timeout = '1ms'")
    for _ in range(300):
        database.execute(INSERT.encode(), ["billing", "low"])
    insert_many(database, 1000)
    assert count(database) == 1600
    other.commit()
    assert count(database) == 1600
    assert differences(database) == []


def test_transactions_in_opposite_order_do_not_deadlock(database: Connection, other: Connection, clean: None) -> None:
    insert_many(database, 2)
    database.execute("SET lock_timeout = '1ms'")
    with database.transaction():
        for connection, kinds in ((database, ("billing", "account")), (other, ("account", "billing"))):
            connection.execute(INSERT.encode(), [kinds[0], "low"])
            connection.execute("SELECT apply_count_deltas(NULL)")
        for connection, kind in ((database, "account"), (other, "billing")):
            connection.execute(INSERT.encode(), [kind, "low"])
            connection.execute("SELECT apply_count_deltas(NULL)")
    other.commit()
    assert differences(database) == []


def test_deltas_are_not_merged_under_repeatable_read(database: Connection, other: Connection, clean: None) -> None:
    """Merging deltas that another session merged after the snapshot would fail the writer."""
    insert(database, "x", "2026-01-01")
    other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    assert count(other) == 1
    database.execute("SELECT apply_count_deltas(NULL)")
    for _ in range(600):
        other.execute(INSERT.encode(), ["billing", "low"])
    other.commit()
    assert count(database) == 601
    assert differences(database) == []


# --- merging


def test_writers_merge_deltas_from_time_to_time(database: Connection, clean: None) -> None:
    for _ in range(40):
        for _ in range(100):
            database.execute(INSERT.encode(), ["billing", "low"])
        database.execute("UPDATE tickets SET status = 'closed' WHERE status = 'open'")
    pending = count(database, PENDING)
    assert isinstance(pending, int)
    assert pending < 4000
    assert count(database, "SELECT sum(tickets) FROM ticket_totals") != 0


def test_merge_is_limited_to_a_number_of_deltas(database: Connection, other: Connection, clean: None) -> None:
    other.execute(f"SELECT pg_advisory_xact_lock({DELTAS_LOCK})".encode())
    insert_many(database, 300, step="16 minutes")
    other.rollback()
    assert count(database, PENDING) == 300
    database.execute("SELECT apply_count_deltas(100)")
    assert count(database, PENDING) == 200
    assert differences(database) == []


def test_recount_requires_read_committed(other: Connection, clean: None) -> None:
    other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with pytest.raises(psycopg.DatabaseError, match="READ COMMITTED"):
        other.execute("SELECT recount_tickets()")


# --- resolved_at


def resolved(database: Connection) -> list[object]:
    rows = database.execute("SELECT rfc3339(resolved_at) FROM tickets ORDER BY id").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("status", ["resolved", "closed"])
def test_inserted_resolved_ticket_has_no_time_of_resolution(
    client: FlaskClient, database: Connection, status: str
) -> None:
    """Nobody knows it: neither the creation nor the last change is the resolution."""
    statement = "INSERT INTO tickets (title, description, status, created_at) VALUES ('x', '-', %s, '2026-01-01Z')"
    database.execute(statement, [status])
    [ticket] = client.get(URL).get_json()
    for change in ({"title": "new"}, {"status": "resolved"}, {"status": "closed"}, {"status": "in_progress"}):
        client.patch(URL + ticket["id"], json=change)
        assert resolved(database) == [None]
    assert differences(database) == []
    again = client.patch(URL + ticket["id"], json={"status": "resolved"}).get_json()
    assert resolved(database) == [again["updated_at"]]
    assert differences(database) == []


def test_given_time_of_resolution_is_kept(database: Connection, clean: None) -> None:
    database.execute(
        "INSERT INTO tickets (title, description, status, created_at, resolved_at)"
        " VALUES ('x', '-', 'open', '2026-01-01Z', '2026-01-02Z')"
    )
    assert resolved(database) == ["2026-01-02T00:00:00.000Z"]


@pytest.mark.parametrize("status", ["resolved", "closed"])
def test_first_time_of_resolution_is_kept(client: FlaskClient, database: Connection, status: str) -> None:
    path = URL + file_ticket(client)["id"]
    assert resolved(database) == [None]
    client.patch(path, json={"status": "in_progress"})
    assert resolved(database) == [None]
    first = client.patch(path, json={"status": status}).get_json()["updated_at"]
    assert resolved(database) == [first]
    for change in ({"status": "open"}, {"title": "new"}, {"status": "closed"}, {"status": "resolved"}):
        client.patch(path, json=change)
        assert resolved(database) == [first]
    assert differences(database) == []


def test_resolved_at_is_set_for_the_previous_release(database: Connection, clean: None) -> None:
    """Its UPDATE sets only the status and updated_at."""
    insert(database, "x", "2026-01-01Z")
    database.execute("UPDATE tickets SET status = 'resolved', updated_at = '2100-01-01Z', version = 2")
    assert resolved(database) == ["2100-01-01T00:00:00.000Z"]
    database.execute("UPDATE tickets SET status = 'closed', updated_at = '2100-01-02Z', version = 3")
    assert resolved(database) == ["2100-01-01T00:00:00.000Z"]
