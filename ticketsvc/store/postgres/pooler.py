"""Detection of connection poolers, such as PgBouncer, that share the server's sessions between connections."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

import psycopg

from ticketsvc.store.postgres import errors, queries, statement

ROUNDS = 4
_SESSION = queries.load("health.session", str)


class Pooling(NamedTuple):
    """States whether connections share sessions, which a pooler gives out for a transaction or less.

    `error` says why the service cannot work with the pooler; it is empty if it can.
    """

    is_shared: bool
    error: str = ""


def detect(connect: Callable[[], psycopg.Connection[Any]]) -> Pooling:
    """Open two autocommit connections and compare their sessions. Raises psycopg.Error.

    Direct connections always have one session each. A pooler gives out the session that became idle last, or each in
    turn: in this order two connections then get the same session, or one of them gets two. That also executes a
    prepared statement in a session that has not prepared it, or prepares it twice.
    """
    with closing(connect()) as first, closing(connect()) as second:
        try:
            first.execute(b"BEGIN")
            first.execute(b"COMMIT")
            pairs = {
                (connection, *_SESSION.decode(statement.run(connection, _SESSION, [])))
                for connection in (first, second, second, first) * ROUNDS
            }
        except psycopg.Error as error:
            if found := errors.pooler_error(error):
                return Pooling(True, found)
            raise
    return Pooling(len(pairs) != 2 or len({session for _, session in pairs}) != 2)
