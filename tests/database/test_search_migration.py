"""The migration that folds the texts of searches, while the previous release writes and searches."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.locks import TIMEOUT, wait_until
from tests.support.postgres import execute, query
from tests.support.searches import fill
from ticketsvc import migrations
from ticketsvc.migrations import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

OLD_FUNCTION = re.compile(r"^CREATE OR REPLACE FUNCTION search_text.*?;$", re.MULTILINE | re.DOTALL)
OLD_INDEX = "CREATE INDEX ticket_texts_search ON ticket_texts USING gin (week, text gin_trgm_ops)"
OLD_TEXTS = "SELECT count(*) FROM ticket_texts JOIN tickets USING (id) WHERE text <> search_text(title, description)"
INDEXES = """
    SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'ticket_texts'::regclass ORDER BY 1"""
INSERT = "INSERT INTO tickets (title, description) VALUES ('Stra\u00dfe', 'a\nb')"


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """Return a database with the texts from before the migration, with 300 tickets.

    Later migrations are applied: the functions of today need their columns.
    """
    url = new_database()
    migrations.apply(url)
    [function] = OLD_FUNCTION.findall((MIGRATIONS / "0004_search.sql").read_text())
    execute(url, function, "DROP INDEX ticket_texts_search", OLD_INDEX)
    execute(url, "DELETE FROM _yoyo_migration WHERE migration_id = '0009_search_pairs'")
    with closing(psycopg.connect(url, autocommit=True)) as database:
        fill(database, seed=5, count=300)
    return url


def test_all_texts_are_folded_and_progress_is_shown(url: str) -> None:
    steps: list[str] = []
    assert migrations.apply(url, on_step=steps.append) == ["0009_search_pairs"]
    assert steps == ["apply 0009_search_pairs", "  300 of 300 search texts"]
    assert query(url, OLD_TEXTS) == [(0,)]
    assert query(url, INDEXES) == [("ticket_texts_pkey", True), ("ticket_texts_search", True)]


def test_a_run_that_was_killed_is_completed(url: str) -> None:
    """It leaves indexes that are not complete, or that it replaced, and texts in both forms."""
    statements = (MIGRATIONS / "0009_search_pairs.sql").read_text().split("\n-- Writers that began")[0]
    execute(url, statements, "UPDATE ticket_texts SET text = text || '?' WHERE id::text < '019b9'")
    execute(url, *(f"CREATE INDEX ticket_texts_search_{name} ON ticket_texts (id)" for name in ("new", "old")))
    migrations.apply(url)
    assert query(url, OLD_TEXTS) == [(0,)]
    assert query(url, INDEXES) == [("ticket_texts_pkey", True), ("ticket_texts_search", True)]
    assert "search_pairs" in query(url, "SELECT pg_get_indexdef('ticket_texts_search'::regclass)")[0][0]


def test_a_transaction_of_the_previous_release_in_flight_leaves_no_old_text(url: str) -> None:
    """The migration waits for it and holds up nobody: others write meanwhile, and their texts are folded."""
    with closing(psycopg.connect(url)) as writer:
        writer.execute(INSERT)
        thread = threading.Thread(target=migrations.apply, args=(url,), daemon=True)
        thread.start()
        sleeping = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        wait_until(lambda: query(url, sleeping))
        execute(url, INSERT)
        assert query(url, OLD_TEXTS) != [(0,)]
        writer.commit()
    thread.join(TIMEOUT)
    assert migrations.pending(url) == []
    assert query(url, OLD_TEXTS) == [(0,)]
    assert query(url, "SELECT count(*) FROM ticket_texts WHERE text = 'strasseTa bT'") == [(2,)]
