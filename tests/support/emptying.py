"""Empty a database between tests, as TRUNCATE does, at a tenth of its cost.

TRUNCATE makes a file for each table and index that it empties, and all sessions plan their queries again. Most tests
take less time than that.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tests.support.postgres import execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEPT = {"api_keys", "rate_limits", "ticket_stem_totals", "triage_pending_changes", "triage_training"}
"""Tables that a TRUNCATE of the tickets leaves as they are. It also leaves the records of migrations."""
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname !~ 'yoyo|^_' AND relname <> ALL (%s)
ORDER BY relname = 'tickets' DESC, relname
"""
EMPTY = """
CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE; -- waits for what the last test left running, as TRUNCATE does
    PERFORM pg_advisory_xact_lock(7598253, 'event_outbox'::regclass::oid::integer);
    {}
    UPDATE ticket_stem_totals SET tickets = 0, seq = 0;
    PERFORM event_generation_open(0);
END $$
"""
IS_LIKE_NEW = """
SELECT bool_and(relpages = 0 AND pg_relation_size(oid) < 8 * 8192) FROM pg_class
WHERE oid = ANY ('{tickets,ticket_texts,comments,ticket_attributes,ticket_stems}'::regclass[])
"""
"""Returns whether the planner takes the tables for new: without statistics, and below the 10 blocks it then assumes."""


class Emptying:
    """A session that empties a database.

    It does nothing if the server has written nothing since the last time.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._written: list[tuple[object, ...]] = []
        self._connect()

    def empty(self) -> None:
        """Leave no ticket, nor what follows from one, and no webhook."""
        try:
            before = self._position()
        except psycopg.OperationalError:  # a test ended all sessions: one failure must not become a hundred
            self.close()
            self._connect()
            before = self._position()
        if before != self._written:
            if self._connection.execute(IS_LIKE_NEW).fetchone() != (True,):
                execute(self.url, "TRUNCATE tickets")
            self._connection.execute("SELECT pg_temp.empty()")
            self._written = self._position()

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def _position(self) -> list[tuple[object, ...]]:
        return self._connection.execute("SELECT pg_current_wal_insert_lsn()").fetchall()

    def _connect(self) -> None:
        """Open the session, in which no trigger and no foreign key reacts to what it deletes."""
        self._connection = psycopg.connect(self.url, autocommit=True, options="-c session_replication_role=replica")
        tables = self._connection.execute(TABLES, [list(KEPT)]).fetchall()
        delete = sql.SQL("\n").join(sql.SQL("DELETE FROM {};").format(sql.Identifier(str(name))) for (name,) in tables)
        self._connection.execute(sql.SQL(EMPTY).format(delete))


@pytest.fixture(scope="session")
def make_empty(database_url: str) -> Iterator[Callable[[], None]]:
    """A function that empties the table of tickets, and with it what its triggers maintain."""
    with closing(Emptying(database_url)) as emptying:
        yield emptying.empty


@pytest.fixture
def clean(make_empty: Callable[[], None]) -> None:
    """An empty table of tickets."""
    make_empty()
