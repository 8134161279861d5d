"""The connection to Postgres: a bounded pool of autocommit connections, one prepared statement a call."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from threading import BoundedSemaphore
from typing import Any

import psycopg
from psycopg import pq
from psycopg_pool import ConnectionPool

from ticketsvc.config import Config
from ticketsvc.problems import Unavailable
from ticketsvc.server.metrics.counts import COUNTS
from ticketsvc.store.postgres import errors, queries, statement
from ticketsvc.store.postgres.queries import Query, Row
from ticketsvc.store.single_flight import SingleFlight

GRACE_SECONDS = 5.0
"""How much longer than DB_STATEMENT_TIMEOUT, which Postgres keeps, an answer of Postgres is waited for."""

ATTEMPTS = 4
"""How often a statement is run that loses against a concurrent one (deadlock, serialization failure)."""

_CONFIGURE = queries.load("session.configure")
Connection = psycopg.Connection[Any]
NO_VALUES: Mapping[str, object] = {}


class Database:
    """Runs queries. Opens nothing before its first use, so that a process may fork after it was made."""

    def __init__(self, config: Config) -> None:
        settings = {
            "plan_cache_mode": "force_generic_plan",  # the plan does not depend on who asked first
            "jit": "off",  # compiling takes longer than any statement here
            "statement_timeout": f"{config.statement_timeout * 1000:.0f}ms",
            "lock_timeout": f"{config.lock_timeout * 1000:.0f}ms",
            "idle_in_transaction_session_timeout": "10s",
            "TimeZone": "UTC",
        }
        options: dict[str, Any] = {
            "autocommit": True,
            "connect_timeout": 5,
            "tcp_user_timeout": 20_000,
            "fallback_application_name": "ticketsvc",
        }
        self.trace: Callable[[str], AbstractContextManager[object]] = nullcontext
        """Called with the name of a query; the context that it returns surrounds the query and its retries."""
        self.time_zones: dict[str, str] = {}
        """A cache of `store.stats.time_zone`."""
        self._settings = settings
        self._wait = config.pool_timeout
        self.statement_timeout = config.statement_timeout
        self.shared = SingleFlight()
        self._bulk_calls = BoundedSemaphore(config.bulk_calls)
        self._connect = partial(_connection_class().connect, config.database_url, **options)
        self.pool: ConnectionPool[Connection] = ConnectionPool(
            config.database_url,
            open=False,
            min_size=1,
            max_size=config.pool_size,
            timeout=config.pool_timeout,
            max_waiting=64 * config.pool_size,
            reconnect_timeout=3.0,  # short: the pause between tries grows, and the service is to be back soon
            connection_class=_connection_class(),
            configure=self._configure,
            kwargs=options,
        )

    def close(self) -> None:
        """Close the connections; a statement that runs is finished first."""
        self.pool.close()

    def rows(self, query: Query[Row], values: Mapping[str, object] = NO_VALUES) -> list[Row]:
        """Run a query and return all its rows.

        Raises the problems of `errors.problem`. A statement that lost a race against another is run again; after a
        lost connection only a query whose header says `Retry: safe`.
        """
        parameters = query.bind(values)
        with self.trace(query.name):
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return query.decode(self._run(query, parameters))
                except psycopg.Error as error:
                    is_retried = attempt < ATTEMPTS and errors.is_worth_retrying(error, query.is_retry_safe)
                    COUNTS.add("database_errors_total", errors.kind(error), "yes" if is_retried else "no")
                    if not is_retried:
                        raise errors.problem(error) from error
        raise AssertionError("the last attempt returns or raises")

    def one(self, query: Query[Row], values: Mapping[str, object] = NO_VALUES) -> Row:
        """Run a query that returns one row, and return it."""
        [row] = self.rows(query, values)
        return row

    def one_or_none(self, query: Query[Row], values: Mapping[str, object] = NO_VALUES) -> Row | None:
        """Run a query and return its first row, or None."""
        rows = self.rows(query, values)
        return rows[0] if rows else None

    def execute(self, query: Query[None], values: Mapping[str, object] = NO_VALUES) -> None:
        """Run a query for its effect."""
        self.rows(query, values)

    def _run(self, query: Query[Any], parameters: list[bytes | None]) -> pq.abc.PGresult:
        if self.pool.closed:
            self.pool.open()
        connection = self._connection()
        try:
            return statement.run(connection, query, parameters)
        finally:
            self.pool.putconn(connection)

    def _connection(self) -> Connection:
        """Take a connection that is not known to be dead; the pool replaces dead ones.

        The pool's own check is not used: it sleeps a second after the first dead connection that it finds, two
        after the next, and so answers 503 for seconds after the server was started anew.
        """
        deadline = time.monotonic() + self._wait
        while True:
            connection = self.pool.getconn(deadline - time.monotonic())
            if _is_alive(connection):
                return connection
            self.pool.putconn(connection)

    @contextmanager
    def dedicated_connection(self, seconds: float, **settings: str) -> Iterator[Connection]:
        """A connection for work that takes long; other requests keep theirs. It is closed at the end.

        A statement may take so many seconds; `settings` are further ones of Postgres. Raises Unavailable when all
        BULK_CALLS are in use, and the problems of `failures.problem` in place of what the database driver raises.
        """
        if not self._bulk_calls.acquire(blocking=False):
            raise Unavailable("As many imports and exports as may run at once are running.", 30)
        try:
            with closing(self._connect()) as connection:
                self._configure(connection, {"statement_timeout": f"{seconds * 1000:.0f}ms", **settings})
                yield connection
        except psycopg.Error as error:
            COUNTS.add("database_errors_total", errors.kind(error), "no")
            raise errors.problem(error) from error
        finally:
            self._bulk_calls.release()

    def _configure(self, connection: Connection, others: Mapping[str, str] | None = None) -> None:
        settings = {**self._settings, **(others or {})}
        if hasattr(connection, "response_timeout"):  # GeventConnection has it
            connection.response_timeout = float(settings["statement_timeout"].removesuffix("ms")) / 1000 + GRACE_SECONDS
        names, values = list(settings), list(settings.values())
        statement.run(connection, _CONFIGURE, _CONFIGURE.bind({"names": names, "values": values}))


def _is_alive(connection: Connection) -> bool:
    """Find out without a round trip whether the server ended an idle connection.

    There is nothing to read on a healthy one. On a dead one the first look can find the server's farewell, the
    second finds the end of the stream.
    """
    try:
        for _ in range(2):
            connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return False
    return connection.pgconn.status == pq.ConnStatus.OK


def _connection_class() -> type[Connection]:
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("select"):
        return psycopg.Connection
    from ticketsvc.store.postgres.gevent_connection import GeventConnection

    return GeventConnection
