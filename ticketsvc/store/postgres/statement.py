"""One prepared statement on one connection: text in, text out.

This is what psycopg's cursors do, without what this service has no use for: values are not adapted by their type
(every parameter is cast in the SQL), and results not turned into Python values (Postgres writes the JSON).
It saves a third of Python's CPU time for the statement (bench/RESULTS.md, who writes the JSON).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors, generators, pq

from ticketsvc.store.postgres.queries import Query

_SUCCESS = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_CHUNK)
_prepared: WeakKeyDictionary[pq.abc.PGconn, set[str]] = WeakKeyDictionary()


def run(connection: psycopg.Connection[Any], query: Query[Any], values: list[bytes | None]) -> pq.abc.PGresult:
    """Prepare the query unless the connection knows it, and run it. Raises psycopg.Error."""
    _send(connection, query, values)
    return _result(connection)


def stream(
    connection: psycopg.Connection[Any], query: Query[Any], values: list[bytes | None], rows_at_once: int
) -> Iterator[pq.abc.PGresult]:
    """Run a query and have its rows as they come, at most so many in a result. Raises psycopg.Error.

    Until the last one was taken the connection is good for nothing else.
    """
    _send(connection, query, values)
    connection.pgconn.set_chunked_rows_mode(rows_at_once)
    connection.wait(generators.send(connection.pgconn))
    while (result := connection.wait(generators.fetch(connection.pgconn))) is not None:
        yield _checked(result)


def _send(connection: psycopg.Connection[Any], query: Query[Any], values: list[bytes | None]) -> None:
    pgconn = connection.pgconn
    prepared = _prepared.setdefault(pgconn, set())
    name = query.name.encode()
    if query.name not in prepared:
        pgconn.send_prepare(name, query.text.encode())
        _result(connection)
        prepared.add(query.name)
    pgconn.send_query_prepared(name, values)


def _result(connection: psycopg.Connection[Any]) -> pq.abc.PGresult:
    return _checked(connection.wait(generators.execute(connection.pgconn))[-1])


def _checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
    if result.status not in _SUCCESS:
        raise errors.error_from_result(result)
    return result
