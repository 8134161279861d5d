"""One prepared statement on one connection: text in, text out.

This is what psycopg's cursors do, without what this service has no use for: values are not adapted by their type
(every parameter is cast in the SQL), and results not turned into Python values (Postgres writes the JSON).
It saves a third of Python's CPU time for the statement (bench/RESULTS.md, who writes the JSON).
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors, generators, pq

from ticketsvc.store.queries import Query

_prepared: WeakKeyDictionary[pq.abc.PGconn, set[str]] = WeakKeyDictionary()


def run(connection: psycopg.Connection[Any], query: Query, values: list[bytes | None]) -> pq.abc.PGresult:
    """Prepare the query unless the connection knows it, and run it. Raises psycopg.Error."""
    pgconn = connection.pgconn
    prepared = _prepared.setdefault(pgconn, set())
    name = query.name.encode()
    if query.name not in prepared:
        pgconn.send_prepare(name, query.text.encode())
        _result(connection)
        prepared.add(query.name)
    pgconn.send_query_prepared(name, values)
    return _result(connection)


def _result(connection: psycopg.Connection[Any]) -> pq.abc.PGresult:
    result: pq.abc.PGresult = connection.wait(generators.execute(connection.pgconn))[-1]
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        raise errors.error_from_result(result)
    return result
