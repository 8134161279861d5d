"""Running queries on a bounded pool of autocommit connections."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import psycopg
from psycopg import pq
from psycopg_pool import ConnectionPool

from ticketsvc.config import Config
from ticketsvc.problems import Unavailable
from ticketsvc.server import metrics
from ticketsvc.store import single_flight
from ticketsvc.store.batches import Batches, Failure, Item, Result
from ticketsvc.store.postgres import errors, pooler, positions, queries, statement
from ticketsvc.store.postgres.queries import Query, Row
from ticketsvc.store.shares import Client, Shares

GRACE_SECONDS = 5.0
"""The time after DB_STATEMENT_TIMEOUT, which Postgres enforces, at which the service stops waiting itself."""
CANCEL_SECONDS = 1.0
"""The time after it at which the service cancels what Postgres does not limit: a commit that waits for a standby."""

ATTEMPTS = 4
"""The maximum number of runs of a statement that fails with a deadlock or a serialization failure."""

_TOO_COSTLY = partial(
    Unavailable, "As many slow searches and statistics as may run at once are running, in all or for this client."
)
_TOO_MANY_FILES = partial(Unavailable, "As many imports and exports as may run at once are running.", 30)
_BULK_TIMEOUTS = ("statement_timeout", "idle_in_transaction_session_timeout")
_CONFIGURE = queries.load("session.configure")
_SEARCH_PATH = queries.load("session.search_path", str)
Connection = psycopg.Connection[Any]
NO_VALUES: Mapping[str, object] = {}
_T = TypeVar("_T")


class Write(NamedTuple, Generic[Item, Result]):
    """A kind of write: the functions that run one, and several together (`Batches`)."""

    one: Callable[[Database, Item], Result]
    many: Callable[[Database, list[Item]], list[Result | Failure]]


metrics.start_at_zero(metrics.DATABASE_ERRORS, errors.KINDS, ["no"])
metrics.start_at_zero(metrics.DATABASE_ERRORS, errors.RETRIED_KINDS, ["yes"])


class Database:
    """Runs queries. The pool opens on the first query, so a process may create a Database and then fork."""

    connect_timeout = 5
    """Seconds."""

    def __init__(self, config: Config) -> None:
        options: dict[str, Any] = {
            "autocommit": True,
            "connect_timeout": self.connect_timeout,
            "tcp_user_timeout": 20_000,
            "fallback_application_name": f"ticketsvc {config.database_schema}".rstrip(),
        }
        self.trace: Callable[[str], AbstractContextManager[object]] = nullcontext
        """Returns a context for the query of a name. It is entered for each query, retries included."""
        self.time_zones: dict[str, str] = {}
        """The names of time zones by their form in lower case. `store.stats` fills it."""
        self.settings = session_settings(config)
        """The settings of every session."""
        self.schema = config.database_schema
        """The only schema whose tables statements can find; empty means those that the role finds."""
        self.pooler_error = ""
        """Says why the service cannot work with the connection pooler, if that is known. `check_pooler` updates it."""
        self.has_role_settings = config.db_pooler != "none"
        """Means that sessions get the settings from the role: a pooler would pass those of a session on to others."""
        self.position = positions.NONE
        """A position that includes all changes that this process has confirmed to clients. Kept only for replicas."""
        self.has_replicas = bool(config.read_database_url)
        self._execute = self._run_with_position if self.has_replicas else statement.run
        self._wait = config.pool_timeout
        self._limits = config.statement_timeout + GRACE_SECONDS, config.statement_timeout + CANCEL_SECONDS
        self.statement_timeout = config.statement_timeout
        self.client: Callable[[], Client] = Client
        """Returns the client of the current request. The application sets it."""
        self._flights = single_flight.SingleFlight()
        self._batches: dict[Write[Any, Any], Batches[Any, Any]] = {}
        costly = max(1, config.pool_size // 2)
        self._shares = Shares(costly, max(1, costly // 2), config.pool_timeout, _TOO_COSTLY)
        self._bulk_shares = Shares(config.bulk_calls, max(1, config.bulk_calls - 1), 0, _TOO_MANY_FILES)
        connection_class, self._gather = _waiting()
        self.connect = partial(connection_class.connect, config.database_url, **options)
        make_pool = partial(
            ConnectionPool[Connection],
            config.database_url,
            open=False,
            min_size=1,
            timeout=config.pool_timeout,
            reconnect_timeout=3.0,  # short: the pauses between attempts grow
            connection_class=connection_class,
            configure=self._configure,
            kwargs=options,
        )
        self.pool = make_pool(max_size=config.pool_size, max_waiting=64 * config.pool_size)
        self._reserve = make_pool(max_size=1, num_workers=1)

    def close(self) -> None:
        """Close the pools. Connections in use are closed when their statements end."""
        self.pool.close()
        self._reserve.close()

    def shared(self, key: Hashable, work: Callable[[], _T]) -> _T:
        """Return the result of `work`, which identical concurrent reads share (`SingleFlight`).

        Its statements count for whichever of their clients has a share left, and run until all of them have left.
        """
        return self._flights(key, work, self.client())

    def write(self, write: Write[Item, Result], key: Hashable, item: Item) -> Result:
        """Return the result of a write, which may run together with concurrent ones of its kind (`Batches`).

        Two with the same key do not. Raises the exceptions of `write.one`, and Unavailable.
        """
        batches = self._batches.get(write) or self._batches.setdefault(
            write, Batches(partial(write.one, self), partial(write.many, self), self._wait, self._gather)
        )
        result: Result = batches(key, item)
        return result

    def rows(self, query: Query[Row], values: Mapping[str, object] = NO_VALUES, is_costly: bool = False) -> list[Row]:
        """Run a query and return all its rows. `is_costly` says more than its header, which does not know all values.

        Raises the problems of `errors.problem`. A statement that lost a race against another is run again; after a
        lost connection only a query whose header says `Retry: safe` is.
        """
        return query.decode(self._result(query, values, is_costly))

    def one(self, query: Query[Row], values: Mapping[str, object] = NO_VALUES, is_costly: bool = False) -> Row:
        """Run a query that returns exactly one row, and return that."""
        [row] = self.rows(query, values, is_costly)
        return row

    def one_or_none(
        self, query: Query[Row], values: Mapping[str, object] = NO_VALUES, is_costly: bool = False
    ) -> Row | None:
        """Run a query and return its first row, or None."""
        rows = self.rows(query, values, is_costly)
        return rows[0] if rows else None

    def execute(self, query: Query[None], values: Mapping[str, object] = NO_VALUES) -> None:
        """Run a query for its effect."""
        self._result(query, values)

    def rows_in_reserve(self, query: Query[Row], values: Mapping[str, object] = NO_VALUES) -> list[Row]:
        """Run a query like `rows`, on a connection that other statements cannot take."""
        return query.decode(self._run(query, query.bind(values), self._reserve))

    def _result(self, query: Query[Any], values: Mapping[str, object], is_costly: bool = False) -> pq.abc.PGresult:
        parameters = query.bind(values)
        if not is_costly and not query.is_costly(parameters):
            return self._run(query, parameters, self.pool)
        clients = single_flight.clients.get() or [self.client()]
        place, release = self._shares.take(clients), self._shares.release
        try:
            return self._run(query, parameters, self.pool, clients)
        except Unavailable as problem:
            if isinstance(problem.__cause__, errors.ServerTimeout):  # Postgres may still be at work
                release = partial(self._shares.release_later, seconds=self.statement_timeout)
            raise
        finally:
            release(place)

    def _run(
        self,
        query: Query[Any],
        parameters: list[bytes | None],
        pool: ConnectionPool[Connection],
        clients: Sequence[Client] = (),
    ) -> pq.abc.PGresult:
        with self.trace(query.name):
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return self._run_once(query, parameters, pool, clients)
                except psycopg.Error as error:
                    is_retried = attempt < ATTEMPTS and errors.is_worth_retrying(error, query.is_retry_safe)
                    metrics.DATABASE_ERRORS.labels(errors.kind(error), "yes" if is_retried else "no").inc()
                    self.pooler_error = errors.pooler_error(error) or self.pooler_error
                    if not is_retried:
                        raise errors.problem(error, self.pooler_error) from error
        raise AssertionError("the last attempt returns or raises")

    def _run_once(
        self,
        query: Query[Any],
        parameters: list[bytes | None],
        pool: ConnectionPool[Connection],
        clients: Sequence[Client],
    ) -> pq.abc.PGresult:
        if pool.closed:
            pool.open()
        connection = self._connection(pool)
        is_cancellable = clients and query.is_retry_safe  # a write may as well be finished
        try:
            if is_cancellable:
                cancel_when(connection, lambda: all(client.has_left() for client in clients))
            return self._execute(connection, query, parameters)
        finally:
            if is_cancellable:
                cancel_when(connection, None)
            pool.putconn(connection)

    def _run_with_position(
        self, connection: Connection, query: Query[Any], parameters: list[bytes | None]
    ) -> pq.abc.PGresult:
        """Run a query, and update `position` if clients need the one behind it."""
        if not query.has_position:
            return statement.run(connection, query, parameters)
        result, position = positions.run_on_primary(connection, query, parameters)
        self.position = max(self.position, position)
        return result

    def _connection(self, pool: ConnectionPool[Connection]) -> Connection:
        """Return a connection that is not known to be dead; the pool replaces dead ones.

        psycopg_pool's own check is not used: it sleeps a second after the first dead connection that it finds and two
        after the next, so requests would fail for seconds after a restart of the server.
        """
        deadline = time.monotonic() + self._wait
        while True:
            connection = pool.getconn(deadline - time.monotonic())
            if is_alive(connection):
                return connection
            pool.putconn(connection)

    @contextmanager
    def dedicated_connection(self, seconds: float, **settings: str) -> Iterator[Connection]:
        """Open a connection outside the pool for an import or export, and close it at the end.

        It is in a transaction, which commits at the end of the block and has all settings: a pooler gives the session
        to others later. A statement may take `seconds`; `settings` are further settings. Raises Unavailable when
        BULK_CALLS of these connections are open, or all but one for the same client, and the problems of
        `errors.problem` instead of psycopg's errors.
        """
        settings = {"client_connection_check_interval": "2000", **settings}  # ends statements of a killed worker
        place = self._bulk_shares.take([self.client()])
        try:
            with closing(self.connect()) as connection:
                limit_waits(connection, self._wait)  # a pooler accepts connections for which it has no session
                connection.execute(b"BEGIN")
                limit_waits(connection, seconds + GRACE_SECONDS)
                # Idle in the transaction as long as a client reads the rows that Postgres has already sent.
                timeouts = dict.fromkeys(_BULK_TIMEOUTS, f"{seconds * 1000:.0f}")
                _set(connection, {**self.settings, **timeouts, **settings}, is_local=True)
                yield connection
                limit_waits(connection, *self._limits)  # of the commit
                connection.commit()
                if self.has_replicas:
                    self.position = max(self.position, positions.written(connection))
        except psycopg.Error as error:
            metrics.DATABASE_ERRORS.labels(errors.kind(error), "no").inc()
            raise errors.problem(error) from error
        finally:
            self._bulk_shares.release(place)

    def check_pooler(self) -> bool:
        """Return whether connections share sessions (`pooler.detect`), and update `pooler_error`. Raises a Problem."""

        def connect() -> Connection:
            connection = self.connect()
            limit_waits(connection, self._wait)
            return connection

        try:
            is_shared, error = pooler.detect(connect)
            if not error and self.has_role_settings:
                with closing(connect()) as connection:
                    error = self._schema_error(connection)
        except psycopg.Error as failure:
            raise errors.problem(failure) from failure
        self.pooler_error = error
        return is_shared

    def _schema_error(self, connection: Connection) -> str:
        """Return what is wrong if a session finds the tables of another schema, such as those of another service."""
        if not self.schema or _SEARCH_PATH.decode(statement.run(connection, _SEARCH_PATH, [])) == [self.schema]:
            return ""
        return (
            f"The search_path of the role is not {self.schema}: its operator must execute the SQL that"
            " `flask role-settings` prints, and then renew the pooler's connections (RECONNECT)."
        )

    def _configure(self, connection: Connection) -> None:
        limit_waits(connection, *self._limits)
        if self.has_role_settings:
            if error := self._schema_error(connection):
                self.pooler_error = error
                raise psycopg.OperationalError(error)
        else:
            try:
                _set(connection, self.settings, is_local=False)
            except psycopg.Error as error:
                self.pooler_error = errors.pooler_error(error) or self.pooler_error
                raise


def session_settings(config: Config) -> dict[str, str]:
    """Return the settings of every session in the form of `pg_settings`: times in milliseconds, sizes in kB."""
    return {
        # A generic plan does not depend on the first values. Citus has none for some statements and crashes for others.
        "plan_cache_mode": "auto" if config.db_pooler == "citus" else "force_generic_plan",
        "jit": "off",  # compiling takes longer than any statement here
        # Starting one takes 20 ms, even if it has nothing to read
        # (findings/postgresql-starts-workers-for-a-branch-that-cannot-run.sh).
        "max_parallel_workers_per_gather": "0",
        "statement_timeout": f"{config.statement_timeout * 1000:.0f}",
        "lock_timeout": f"{config.lock_timeout * 1000:.0f}",
        "idle_in_transaction_session_timeout": "10000",
        "gin_pending_list_limit": "65536",  # kB: leaves the insertion into the index of texts to a background task
        "TimeZone": "UTC",
        # Nothing besides it: a table that this schema lacks must not be found in that of another service.
        **({"search_path": config.database_schema} if config.database_schema else {}),
    }


def limit_waits(connection: Connection, seconds: float, cancel_after: float = math.inf) -> None:
    """Limit all further waits of a connection. Only GeventConnection can."""
    if hasattr(connection, "limit_waits"):  # GeventConnection has it
        connection.limit_waits(seconds, cancel_after)


def _set(connection: Connection, settings: Mapping[str, str], is_local: bool) -> None:
    values = {"names": list(settings), "values": list(settings.values()), "is_local": is_local}
    statement.run(connection, _CONFIGURE, _CONFIGURE.bind(values))


def is_server_verified(url: str) -> bool:
    """Return whether connections do not leave this machine, or check the server's certificate and its name."""
    options = [*pq.Conninfo.get_defaults(), *pq.Conninfo.parse(url.encode())]
    given = {option.keyword: option.val.decode() for option in options if option.val}
    hosts = given.get(b"hostaddr", given.get(b"host", "")).split(",")
    local = ("/", "@", "127.", "::1", "localhost")
    return given.get(b"sslmode") == "verify-full" or all(not host or host.startswith(local) for host in hosts)


def cancel_when(connection: Connection, is_unneeded: Callable[[], bool] | None) -> None:
    """Cancel the statements of a connection when `is_unneeded` returns true. Only GeventConnection can."""
    if hasattr(connection, "is_unneeded"):
        connection.is_unneeded = is_unneeded


def give_up_when(connection: Connection, is_server_lost: Callable[[], bool]) -> None:
    """Let waits of a connection fail when `is_server_lost` returns true. Only GeventConnection can."""
    if hasattr(connection, "is_server_lost"):
        connection.is_server_lost = is_server_lost


def is_alive(connection: Connection) -> bool:
    """Return whether an idle connection is open, as far as can be seen without a round trip.

    A healthy one has nothing to read. On a closed one the first read may return the server's last message; the second
    then finds the end of the stream.
    """
    try:
        for _ in range(2):
            connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return False
    return connection.pgconn.status == pq.ConnStatus.OK


def _waiting() -> tuple[type[Connection], Callable[[], object]]:
    """Return the class of connections, and what a batch of writes does to gather those that have arrived."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("select"):
        return psycopg.Connection, lambda: None
    from ticketsvc.store.postgres.gevent_connection import GeventConnection, gather

    return GeventConnection, gather
