"""Prepared statements with parameters and results in Postgres's text form.

Compared with psycopg's cursors, parameters are not adapted by their type, because every parameter is cast in the SQL,
and columns are decoded as the query's row type says (`queries`). This takes a third less of Python's CPU time for a
statement (bench/results/1.0.0.md).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors, generators, pq

from ticketsvc.store.postgres.queries import Query

Result = pq.abc.PGresult
_SUCCESS = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_CHUNK)
_prepared: WeakKeyDictionary[pq.abc.PGconn, set[str]] = WeakKeyDictionary()


def run(connection: psycopg.Connection[Any], query: Query[Any], values: list[bytes | None]) -> pq.abc.PGresult:
    """Run a query, prepared on its first use by a connection. Raises psycopg.Error."""
    _send(connection, query, values)
    return _result(connection)


def run_in_turn(
    connection: psycopg.Connection[Any], *statements: tuple[Query[Any], list[bytes | None]]
) -> list[pq.abc.PGresult]:
    """Run queries in one round trip, each in a transaction of its own, which ends before the next begins.

    Returns their results, for `checked`: all are run, even if one fails. Raises psycopg.Error.
    """
    pgconn = connection.pgconn
    for query, _ in statements:
        _prepare_once(connection, query)
    pgconn.enter_pipeline_mode()
    for query, values in statements:
        pgconn.send_query_prepared(query.name.encode(), values)
        pgconn.pipeline_sync()
    results: list[pq.abc.PGresult] = connection.wait(_results_in_turn(pgconn, len(statements)))
    pgconn.exit_pipeline_mode()
    return results


def stream(
    connection: psycopg.Connection[Any], query: Query[Any], values: list[bytes | None], rows_at_once: int
) -> Iterator[pq.abc.PGresult]:
    """Run a query and yield results of at most `rows_at_once` rows as they arrive. Raises psycopg.Error.

    The connection can run nothing else until the iterator is exhausted.
    """
    _send(connection, query, values)
    connection.pgconn.set_chunked_rows_mode(rows_at_once)
    connection.wait(generators.send(connection.pgconn))
    while (result := connection.wait(generators.fetch(connection.pgconn))) is not None:
        yield checked(result)


def _send(connection: psycopg.Connection[Any], query: Query[Any], values: list[bytes | None]) -> None:
    _prepare_once(connection, query)
    connection.pgconn.send_query_prepared(query.name.encode(), values)


def _prepare_once(connection: psycopg.Connection[Any], query: Query[Any]) -> None:
    prepared = _prepared.setdefault(connection.pgconn, set())
    if query.name not in prepared:
        _prepare(connection, query.name.encode(), query.text.encode())
        prepared.add(query.name)


def _prepare(connection: psycopg.Connection[Any], name: bytes, text: bytes) -> None:
    pgconn = connection.pgconn
    pgconn.send_prepare(name, text)
    try:
        _result(connection)
    except psycopg.Error:
        if pgconn.status == pq.ConnStatus.OK:  # a pooler registers the name even if Postgres rejects the statement
            pgconn.send_close_prepared(name)
            connection.wait(generators.execute(pgconn))
        raise


def _result(connection: psycopg.Connection[Any]) -> pq.abc.PGresult:
    return checked(connection.wait(generators.execute(connection.pgconn))[-1])


def _results_in_turn(pgconn: pq.abc.PGconn, number: int) -> Generator[Any, Any, list[pq.abc.PGresult]]:
    yield from generators.send(pgconn)
    results = []
    for _ in range(number):
        results.append((yield from generators.fetch_many(pgconn))[-1])
        yield from generators.fetch_many(pgconn)  # the end of its transaction
    return results


def checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
    """Return the result of a query that succeeded. Raises psycopg.Error if it failed."""
    if result.status not in _SUCCESS:
        raise errors.error_from_result(result)
    return result
