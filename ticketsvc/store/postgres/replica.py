"""Reads on a replica of the database, with what the client has written before: READ_DATABASE_URL.

A client sends the position that its last write returned (`positions`). A read runs on the replica if that has replayed
the position, or does within MAX_WAIT_SECONDS, otherwise on the primary. One greenlet of each process watches the
replica; without its word no request uses it, so that none waits for a server that is gone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from itertools import chain, repeat
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import ConnectionPool

from ticketsvc import background
from ticketsvc.config import Config
from ticketsvc.problems import Problem
from ticketsvc.server import metrics
from ticketsvc.store import single_flight
from ticketsvc.store.postgres import errors, positions, statement
from ticketsvc.store.postgres.database import Connection, Database, give_up_when, is_alive, limit_waits
from ticketsvc.store.postgres.queries import Query
from ticketsvc.store.shares import Client

MAX_WAIT_SECONDS = 0.05
"""The time that a read waits for the replica to replay a position."""
PAUSES = (0.001, 0.002, 0.004, 0.008)
"""The pauses between looks at the position of the replica, in seconds. The last one is repeated."""
NO_WAIT_SECONDS = 1.0
"""After a wait in vain no read waits for this long: a replica that lags would hold every read up."""
MAX_LAG_SECONDS = 10.0
"""A replica that is further behind serves no reads at all, not even those without a position."""
CHECK_SECONDS = 0.5
"""Interval at which the replica is looked at."""
FIRST_CHECK_SECONDS = 0.05
"""The interval until it can be used."""
CLOSE_SECONDS = 0.1
"""The time for the threads of a pool to end, in seconds. One that connects to a dead server may take longer."""
CHECK_TIMEOUT = 2.0
"""The time within which it must respond then, in seconds."""

logger = logging.getLogger(__name__)

metrics.start_at_zero(metrics.REPLICA_READS, ["replica", "behind", "failed", "away"])

_IN_USE, _LAGS = "the replica is used", "the replica is not used: it lags"


class _AnotherDatabaseError(Exception):
    """The server has another database than the primary."""


class _BehindError(Exception):
    """The replica has not replayed the position in time."""


class Replica(Database):
    """A replica that responded when the object was created. What it cannot run now, the primary runs."""

    connect_timeout = 2

    def __init__(self, config: Config, primary: Database) -> None:
        super().__init__(replace(config, database_url=config.read_database_url, read_database_url=""))
        self.client, self.trace = lambda: primary.client(), lambda name: primary.trace(name)
        self.is_lost = False
        self.is_lagging = True
        """Means that the replica serves no reads until it has reached where the primary was."""
        self._primary = primary
        self._bulk_shares = primary._bulk_shares  # of the process, wherever its exports run
        self._execute = self._run_after_position
        self._reached: WeakKeyDictionary[Connection, str] = WeakKeyDictionary()
        self._no_wait_until = 0.0

    def open(self, seconds: float) -> None:
        """Open the pool. Raises psycopg.Error if there is no connection in time."""
        self.pool.open(wait=True, timeout=seconds)

    def close(self) -> None:
        """Close the pools at once. Statements under way fail, and the primary runs them."""
        self.is_lost = True
        for pool in (self.pool, self._reserve):
            pool.close(CLOSE_SECONDS)

    @contextmanager
    def dedicated_connection(self, seconds: float, **settings: str) -> Iterator[Connection]:
        """Open a connection outside the pool, as `Database` does, or one to the primary if that fails."""
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(super().dedicated_connection(seconds, **settings))
                self._wait_for(connection, self._wanted())
                metrics.REPLICA_READS.labels("replica").inc()
            except (_BehindError, Problem, psycopg.Error) as error:
                stack.close()
                self._fall_back(error)
                connection = stack.enter_context(self._primary.dedicated_connection(seconds, **settings))
            yield connection

    def _configure(self, connection: Connection) -> None:
        super()._configure(connection)
        give_up_when(connection, lambda: self.is_lost)

    def _connection(self, pool: ConnectionPool[Connection]) -> Connection:
        """Return a connection. A dead one means that the replica is gone: the pool would wait for another."""
        connection = pool.getconn(self._wait)
        if is_alive(connection):
            return connection
        pool.putconn(connection)
        raise psycopg.OperationalError

    def _result(self, query: Query[Any], values: Mapping[str, object], is_costly: bool = False) -> statement.Result:
        if not self.is_lost:
            try:
                return super()._result(query, values, is_costly)
            except (_BehindError, Problem) as error:
                self._fall_back(error)
        return self._primary._result(query, values, is_costly)

    def _fall_back(self, error: Exception) -> None:
        """Raise an error again unless the primary may do better."""
        if isinstance(error, _BehindError):
            metrics.REPLICA_READS.labels("behind").inc()
            return
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        if not errors.is_about_server(cause):
            raise error
        self.is_lost = self.is_lost or errors.is_server_lost(cause)
        metrics.REPLICA_READS.labels("failed").inc()

    def _run_after_position(
        self, connection: Connection, query: Query[Any], parameters: list[bytes | None]
    ) -> statement.Result:
        """Run a query when the replica has replayed the position of its clients. Raises _BehindError.

        A query that costs little is sent together with the question for the position; the result rarely comes too soon.
        """
        wanted = self._wanted()
        if not (self._has(connection, wanted) or query.is_costly(parameters)):
            self._reached[connection], result = positions.run_on_replica(connection, query, parameters)
            if self._has(connection, wanted):
                metrics.REPLICA_READS.labels("replica").inc()
                return result
        self._wait_for(connection, wanted)
        result = statement.run(connection, query, parameters)
        metrics.REPLICA_READS.labels("replica").inc()
        return result

    def _wanted(self) -> str:
        """Return the position of the clients that wait for the result of this query."""
        clients: Sequence[Client] = single_flight.clients.get() or [self.client()]
        return max(positions.parse(client.position) for client in clients)

    def _has(self, connection: Connection, wanted: str) -> bool:
        """Return whether the server of a connection is known to have a position. There may be several replicas."""
        return positions.includes(self._reached.get(connection, positions.NONE), wanted)

    def _wait_for(self, connection: Connection, wanted: str) -> None:
        """Wait until the replica has replayed a position. Raises _BehindError."""
        if self._has(connection, wanted):
            return
        started = now = time.monotonic()
        until = started + (0.0 if started < self._no_wait_until else MAX_WAIT_SECONDS)
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            self._reached[connection] = positions.replayed(connection)
            now = time.monotonic()
            if self._has(connection, wanted):
                break
            if now >= until:
                if until > started:
                    self._no_wait_until = now + NO_WAIT_SECONDS
                raise _BehindError
            time.sleep(pause)
        metrics.REPLICA_WAIT.observe(now - started)


class Replicas:
    """Chooses where a process reads: on the replica of READ_DATABASE_URL if that can be used, or on the primary."""

    def __init__(self, config: Config, primary: Database) -> None:
        self._config = config
        self._primary = primary
        self._replica: Replica | None = None
        self._lock = threading.Lock()
        self._is_watching = False
        self._ended = threading.Event()
        self._reported = ""

    @property
    def reader(self) -> Database:
        """The database for a read of the current request. The first use starts the watcher."""
        if not self._is_watching:
            self._start()
        replica = self._replica
        if replica is None or replica.is_lost or replica.is_lagging:
            metrics.REPLICA_READS.labels("away").inc()
        elif positions.parse(self._primary.client().position) == positions.UNREACHABLE:
            metrics.REPLICA_READS.labels("behind").inc()
        else:
            return replica
        return self._primary

    def close(self) -> None:
        """End the watcher and close the connections to the replica."""
        self._ended.set()
        if self._replica:
            self._replica.close()

    def _start(self) -> None:
        with self._lock:
            is_first, self._is_watching = not self._is_watching, True
        if is_first:
            background.run_in_background(self._watch)

    def _watch(self) -> None:
        try:
            while not self._ended.is_set():
                try:
                    self._follow()
                except _AnotherDatabaseError:
                    self._report("the replica is not used: it has another database")
                except (psycopg.Error, Problem) as error:
                    self._report(f"the replica is not used: {type(error).__name__}")
                self._ended.wait(CHECK_SECONDS)
        finally:  # after a defect the next read starts another watcher
            self._is_watching = False

    def _follow(self) -> None:
        """Let reads use the replica as long as it responds. Raises psycopg.Error, Problem and _AnotherDatabaseError."""
        replica = Replica(self._config, self._primary)
        try:
            with closing(replica.connect()) as connection:
                limit_waits(connection, CHECK_TIMEOUT)
                [found] = positions.SERVER.decode(statement.run(connection, positions.SERVER, []))
                if found.identity != positions.server(self._primary).identity:
                    raise _AnotherDatabaseError
                replica.open(CHECK_TIMEOUT)
                self._replica = replica
                self._measure_lag(replica, connection)
        finally:
            self._replica = None
            metrics.REPLICAS.set(0)
            replica.close()

    def _measure_lag(self, replica: Replica, connection: Connection) -> None:
        """Look where the replica is until it is lost. Raises psycopg.Error if it does not respond, and Problem."""
        goal, since = self._position_of_primary(), time.monotonic()
        while not replica.is_lost:
            now = time.monotonic()
            if positions.includes(positions.replayed(connection), goal):
                self._set_lagging(replica, False)
                with suppress(Problem):  # without the primary, the replica serves what it can
                    goal, since = self._position_of_primary(), now
            elif now - since > MAX_LAG_SECONDS:
                self._set_lagging(replica, True)
            if self._ended.wait(FIRST_CHECK_SECONDS if replica.is_lagging else CHECK_SECONDS):
                return

    def _set_lagging(self, replica: Replica, is_lagging: bool) -> None:
        replica.is_lagging = is_lagging
        metrics.REPLICAS.set(not is_lagging)
        self._report(_LAGS if is_lagging else _IN_USE)

    def _position_of_primary(self) -> str:
        """Return the position that the primary has reached. Raises Problem.

        One that is lower than before belongs to another database: those that clients have are of no use then.
        """
        before = self._primary.position
        found = positions.of_server(self._primary)
        if found < before:
            self._primary.position = found
        return found

    def _report(self, message: str) -> None:
        """Write a line to the log when something has changed."""
        if message != self._reported:
            self._reported = message
            logger.log(logging.INFO if message == _IN_USE else logging.WARNING, message)
