"""The bytes that a ticket takes in each table with its indexes, and of write-ahead log, after an ordinary life.

Each ticket is created with an idempotency key and a text of about 650 characters, gets an assignee, a public comment of
about 300 and is resolved, in four requests. docs/capacity.md calculates with the results.
"""

from __future__ import annotations

import random
import time
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from bench.harness import say
from bench.servers import empty_server
from bench.stalls import vocabulary
from ticketsvc.application import create_app
from ticketsvc.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

URL = "/api/tickets/"
OPTIONS = "-c shared_buffers=512MB -c max_wal_size=4GB -c fsync=off -c autovacuum_naptime=5s"
"""Options of the server: training changes the same rows again and again, which slows down without autovacuum."""
TABLES = """
SELECT c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid)
FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'"


def storage(tickets: int) -> str:
    """Store `tickets` tickets. Returns Markdown."""
    with empty_server(OPTIONS) as cluster:
        url = cluster.url()
        app = create_app(Config(database_url=url))
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            before = dict(_sizes(connection))
            connection.execute("CHECKPOINT")
            written, started = _one(connection, WAL), time.monotonic()
            _live(app.test_client(), tickets, app.extensions["ticketsvc"].catch_up)
            say(f"{tickets:,} tickets: {time.monotonic() - started:.0f} s")
            written = (_one(connection, WAL) - written) / tickets
            connection.execute("SELECT index_pending_texts(), publish_events(1000000), apply_count_deltas(NULL)")
            connection.execute("VACUUM ANALYZE")
            rows = [(name, *_growth(sizes, before[name], tickets)) for name, sizes in _sizes(connection)]
        app.extensions["ticketsvc"].database.close()
    rows.sort(key=lambda row: -row[1] - row[2])
    lines = [f"| {name} | {table:,.0f} | {indexes:,.0f} |" for name, table, indexes in rows if table + indexes >= 1]
    total = sum(row[1] + row[2] for row in rows)
    lines += [f"| all | {total:,.0f} | |", f"| write-ahead log | {written:,.0f} | |"]
    return "\n".join(["| table | bytes a ticket | of indexes |", "| --- | ---: | ---: |", *lines])


def _live(client: FlaskClient, tickets: int, catch_up: Callable[[], None]) -> None:
    chance, words = random.Random(0), vocabulary(0)
    for number in range(tickets):
        if number % 500 == 0:
            catch_up()  # as a worker does
        text = " ".join(chance.choices(words, k=100))
        body = {"title": text[:60], "description": text, "requester": f"customer{number // 3}@example.com"}
        created = client.post(URL, json=body, headers={"Idempotency-Key": uuid4().hex})
        path = f"{URL}{created.get_json()['id']}"
        comment = {"body": " ".join(chance.choices(words, k=45)), "author": "ann@example.com"}
        for response in (
            created,
            client.patch(path, json={"assignee": "ann@example.com", "status": "in_progress"}),
            client.post(f"{path}/comments/", json=comment),
            client.patch(path, json={"status": "resolved"}),
        ):
            if response.status_code >= 300:
                raise SystemExit(response.text)


def _sizes(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[str, tuple[int, int]]]:
    rows = connection.execute(TABLES.encode()).fetchall()
    return [(str(name), (int(str(table)), int(str(indexes)))) for name, table, indexes in rows]


def _growth(after: tuple[int, int], before: tuple[int, int], tickets: int) -> tuple[float, float]:
    return (after[0] - before[0]) / tickets, (after[1] - before[1]) / tickets


def _one(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> float:
    [(value,)] = connection.execute(statement.encode()).fetchall()
    return float(str(value))
