"""`flask work`: what it does, who does it, and what happens when its process is killed."""

from __future__ import annotations

import signal
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.commands import run
from tests.support.locks import wait_until
from tests.support.receivers import deliverer, receivers
from tests.support.tickets import count_rows, insert_many
from ticketsvc.store import similar
from ticketsvc.store.postgres import queries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

DELTAS = "ticket_count_deltas"
STARTS = "background work starts"


@pytest.fixture
def database(url: str) -> Iterator[Connection]:
    """A connection to the database, without tickets."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("TRUNCATE tickets")
        yield connection


@pytest.fixture
def holder(url: str) -> Iterator[Connection]:
    """A connection whose transaction has the background work, as that of a `flask work` has."""
    with closing(psycopg.connect(url)) as connection:
        assert connection.execute("SELECT background_work_take()").fetchone() == (True,)
        yield connection


def write(database: Connection, count: int, title: str = "t") -> None:
    """Insert tickets, each in a transaction of its own."""
    for _ in range(count):
        database.execute("INSERT INTO tickets (title, description) VALUES (%s, 'd')", [title])


def test_one_process_has_the_work_and_another_continues_when_it_is_killed(
    client: FlaskClient, database: Connection, url: str, tmp_path: Path
) -> None:
    check = queries.load("stats.check").text.encode()

    def work(count: int) -> None:
        write(database, 300)  # writers leave the merging to the process
        wait_until(lambda: count_rows(database, DELTAS) < 256)
        wait_until(lambda: len({received.id for received in served.at("/200/a")}) == count)

    with (
        receivers() as served,
        deliverer(url, tmp_path / "1", command="work") as first,
        deliverer(url, tmp_path / "2", command="work") as second,
    ):
        assert client.post("/api/webhooks/", json={"url": served.url("/200/a")}).status_code == 201
        wait_until(lambda: all("deliveries start" in each.log.read_text() for each in (first, second)))
        wait_until(lambda: any(STARTS in each.log.read_text() for each in (first, second)))
        (busy, spare) = (first, second) if STARTS in first.log.read_text() else (second, first)
        work(300)
        assert STARTS not in spare.log.read_text()
        assert busy.end(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: STARTS in spare.log.read_text())
        work(600)
        assert database.execute(check).fetchall() == []
        assert spare.end() == 0
    assert database.execute("SELECT background_work_is_taken()").fetchone() == (False,)
    assert '"level": "error"' not in spare.log.read_text()


def test_once_does_everything_even_while_another_process_has_the_work(
    database: Connection, holder: Connection, url: str
) -> None:
    write(database, 300)
    database.execute("SELECT publish_events(1000)")
    database.execute("UPDATE events SET at = now() - interval '31 days'")
    database.execute(
        "INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, created_at, response)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now() - interval '25 hours', '{}')"
    )
    database.execute("INSERT INTO rate_limits (subject, ends, used) VALUES ('s', now() - interval '1 hour', 1)")
    write(database, 1, title="pending " * 20)
    status, output = run("flask", "work", "--once", DATABASE_URL=url)
    assert status == 0, output
    assert database.execute("SELECT index_pending_texts()").fetchone() == (0,)
    assert count_rows(database, "ticket_stems") == 301
    left = {table: count_rows(database, table) for table in (DELTAS, "idempotency_records", "rate_limits", "events")}
    assert left == {DELTAS: 0, "idempotency_records": 0, "rate_limits": 0, "events": 1}  # the last ticket's


def test_one_run_catches_up_with_any_number_of_tickets(client: FlaskClient, database: Connection) -> None:
    count = 2 * similar.FOLLOWED_AT_ONCE + 1
    insert_many(database, count)
    services: Any = client.application.extensions["ticketsvc"]
    services.catch_up()
    assert count_rows(database, "ticket_stems") == count
    assert count_rows(database, "event_outbox") == 0
    assert database.execute("SELECT index_pending_texts()").fetchone() == (0,)


def test_web_processes_and_writers_leave_the_work_to_it(
    client: FlaskClient, database: Connection, holder: Connection
) -> None:
    services: Any = client.application.extensions["ticketsvc"]
    done: list[str] = []
    services.run_unless_taken(lambda: done.append("while it is taken"))
    for _ in range(3):  # each would merge with a probability of 255 in 256
        database.execute("INSERT INTO tickets (title, description) SELECT 't', 'd' FROM generate_series(1, 255)")
    assert count_rows(database, DELTAS) == 3 * 255
    holder.rollback()
    services.run_unless_taken(lambda: done.append("when it is free"))
    assert done == ["when it is free"]
