"""The command `flask stats`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.commands import run
from tests.support.releases import release
from tests.support.tickets import insert_many
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.tickets import Connection


@pytest.fixture
def own(own_url: str) -> Iterator[Connection]:
    """Return a connection to a separate database with 200 tickets."""
    with closing(psycopg.connect(own_url, autocommit=True)) as connection:
        insert_many(connection, 200, step="1 hour")
        connection.execute("SELECT apply_count_deltas(NULL)")
        yield connection


def test_check_succeeds_on_correct_counters(own_url: str, own: Connection) -> None:
    assert run("flask", "stats", "check", DATABASE_URL=own_url) == (0, "The counters agree with the tickets.\n")


@pytest.mark.parametrize(
    ("damage", "reported"),
    [
        ("UPDATE ticket_totals SET tickets = tickets + 2 WHERE category = 'billing' AND priority = 'low'",
         "ticket_totals billing low open: off by 2"),
        ("DELETE FROM ticket_days WHERE day = '2026-01-01' AND priority = 'low' AND category = 'technical'",
         "ticket_days 2026-01-01 technical low open: off by -1"),
        ("UPDATE ticket_counts_15min SET resolved_high = 7 WHERE interval_start = '2026-01-01T05:00Z'",
         "ticket_counts_15min 2026-01-01T05:00:00.000Z: off by 0, 7"),
        ("DELETE FROM ticket_counts_15min WHERE interval_start = '2026-01-01T05:00Z'",
         "ticket_counts_15min 2026-01-01T05:00:00.000Z: off by -1, 0"),
        ("INSERT INTO ticket_durations VALUES (true, '2026-01-01Z', 'billing', 300, 0, 2, 0, 0)",
         "ticket_durations response 2026-01-01T00:00:00.000Z billing medium 300: off by 2"),
        ("INSERT INTO ticket_count_deltas VALUES ('2026-01-01Z', NULL, 'general', 'high', 'closed', -3)",
         "ticket_totals general high closed: off by -3"),
    ],
)  # fmt: skip
def test_check_finds_and_rebuild_repairs_wrong_counters(
    own_url: str, own: Connection, damage: str, reported: str
) -> None:
    own.execute(damage.encode())
    status, printed = run("flask", "stats", "check", DATABASE_URL=own_url)
    assert status == 1
    assert reported in printed.splitlines()
    assert printed.endswith("Rebuild them with `flask stats rebuild`.\n")
    assert run("flask", "stats", "rebuild", DATABASE_URL=own_url) == (0, "The counters were rebuilt.\n")
    assert run("flask", "stats", "check", DATABASE_URL=own_url)[0] == 0


def test_it_lists_only_the_first_differences(own_url: str, own: Connection) -> None:
    own.execute("DELETE FROM ticket_counts_15min")
    status, printed = run("flask", "stats", "check", DATABASE_URL=own_url)
    assert status == 1
    assert len(printed.splitlines()) == 21
    assert "200 counters are wrong" in printed


def test_the_migration_counts_existing_tickets(new_database: Callable[[], str], tmp_path: Path) -> None:
    """It also sets the time of resolution of tickets that were resolved before the column existed."""
    url = new_database()
    older = release(tmp_path, "0004")
    migrations.apply(url, older)
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        insert_many(connection, 5000, step="1 hour")
        connection.execute("UPDATE tickets SET updated_at = created_at + interval '90 minutes'")
        migrations.apply(url)
        late = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE resolved_at = updated_at) FROM tickets WHERE status >= 'resolved'"
        ).fetchone()
        assert late
        assert late[0] == late[1] > 2000
    assert run("flask", "stats", "check", DATABASE_URL=url)[0] == 0


def test_the_migration_that_counts_may_run_twice(new_database: Callable[[], str], tmp_path: Path) -> None:
    """It runs outside a transaction: a killed run is repeated from its first statement."""
    url = new_database()
    migrations.apply(url, release(tmp_path, "0005"))
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        insert_many(connection, 5000, step="1 hour")
        connection.execute("DELETE FROM _yoyo_migration WHERE migration_id = '0005_statistics_fill'")
        connection.execute("DROP TRIGGER count_created ON tickets")
        insert_many(connection, 10)  # not counted
    migrations.apply(url)
    assert run("flask", "stats", "check", DATABASE_URL=url)[0] == 0
