"""The session that migrates: its connection, its lock, its checksums, and its errors as sentences without passwords.

The lock belongs to the session that does the work. On a connection of its own it would be released as soon as the
process is killed, while the server still runs what that process sent. It needs a connection whose session nobody else
uses: through a PgBouncer in transaction mode each statement may reach another session, and no lock or setting lasts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ticketsvc.store.postgres import pooler

OnStep = Callable[[str], None]

# "ticketsv" in ASCII: all programs that use a database share the numbers of its advisory locks.
LOCK_NUMBER = 0x7469636B65747376

# These statements are not in sql/: they run before there is a schema, and no request runs them.
_OF_DATABASE, _OF_SCHEMA = "%s", "%s + coalesce(hashtext(nullif(current_schema(), 'public')), 0)"
"""The numbers of locks: schemas other than the usual one can be migrated at the same time."""
_HAS_SCHEMA = """
    SELECT to_regnamespace(%s) IS NOT NULL AND count(*) = 2
    FROM pg_extension WHERE extname IN ('pg_trgm', 'btree_gin')"""
_CREATE_SCHEMA = """
    CREATE SCHEMA IF NOT EXISTS "{}";
    CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
    CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public"""
_EXTENSION_SCHEMA = "SELECT quote_ident(extnamespace::regnamespace::text) FROM pg_extension WHERE extname = 'pg_trgm'"
_CREATE = "CREATE TABLE IF NOT EXISTS _migration_content (migration_id text PRIMARY KEY, sha256 text NOT NULL)"
_EXISTS = "SELECT to_regclass('{0}_yoyo_migration') IS NOT NULL AND to_regclass('{0}_migration_content') IS NOT NULL"
_APPLIED = "SELECT migration_id FROM {}_yoyo_migration ORDER BY applied_at_utc, migration_id"
_CHECKSUMS = "SELECT migration_id, sha256 FROM {}_migration_content"
_RECORD = """
    INSERT INTO _migration_content (migration_id, sha256)
    VALUES (%s, %s)
    ON CONFLICT (migration_id) DO UPDATE SET sha256 = excluded.sha256"""


class MigrationError(Exception):
    """The database could not be migrated; the message says why and what to do next."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Timeouts in seconds, and the number of attempts."""

    lock_timeout: float = 4.0  # for a table, by one statement
    attempts: int = 5
    backoff: float = 2.0  # between two attempts
    lock_wait: float = 600.0  # for another process that is migrating


class _Cursor(psycopg.Cursor[Any]):
    """Qualifies what migrations use of an extension, whose schema may have another service's tables in addition.

    So the search path can consist of the one schema that is migrated: `DROP INDEX IF EXISTS` must find no other.
    """

    extension_schema = ""

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        """Run a statement."""
        if self.extension_schema and isinstance(query, str):
            query = re.sub(r"\bgin_trgm_ops\b", f"{self.extension_schema}.gin_trgm_ops", query)
        return super().execute(query, *args, **options)


@contextmanager
def migration_lock(url: str, schema: str, policy: RetryPolicy, on_step: OnStep) -> Iterator[Any]:
    """Yield yoyo's backend, whose session holds the lock of all migration runs, with the bookkeeping's tables created.

    Raises MigrationError when another run does not end in time, psycopg.Error for an error of the database.
    """
    from yoyo import get_backend  # type: ignore[import-untyped]  # web workers do without it

    if pooler.detect(partial(psycopg.connect, **connection_parameters(url), autocommit=True)).is_shared:
        raise MigrationError(
            f"Cannot migrate {_target(url)}: a connection pooler shares its sessions between clients, so that nothing"
            " would keep two migrations apart. Set MIGRATE_DATABASE_URL to a URL of the server itself."
        )

    parameters = connection_parameters(url)
    if schema:
        extension_schema = _prepare(url, schema, policy, on_step)
        parameters["options"] = f"{parameters.get('options', '')} -csearch_path={schema}"
    # All parameters go into the query part of yoyo's kind of URL, where no character of a password is special.
    with get_backend(f"postgresql+psycopg://?{urlencode(parameters)}") as backend:
        settings = {
            # While a statement waits for its lock, all later queries on that table wait behind it.
            "lock_timeout": f"{round(policy.lock_timeout * 1000)}ms",
            # Building an index may take long, whatever limit the role has for requests.
            "statement_timeout": "0",
            # The server ends the statement of a killed run, and with it the lock, without finishing it first.
            "client_connection_check_interval": "1s",
        }
        backend.connection.add_notice_handler(
            # Migrations report their progress with RAISE INFO. PostgreSQL's own are others: "does not exist, skipping".
            lambda notice: on_step(f"  {notice.message_primary}") if notice.severity_nonlocalized == "INFO" else None
        )
        for setting in settings.items():
            backend.connection.execute("SELECT set_config(%s, %s, false)", setting)
        if schema:
            backend.connection.cursor_factory = type("_Cursor", (_Cursor,), {"extension_schema": extension_schema})
        _acquire_lock(backend.connection, url, policy, on_step, _OF_SCHEMA)
        backend.connection.execute(_CREATE)
        # yoyo's own lock is a row, which a killed run leaves behind. While we hold ours, it can only be such a row.
        backend.break_lock()
        backend.ensure_internal_schema_updated()
        yield backend


def _prepare(url: str, schema: str, policy: RetryPolicy, on_step: OnStep) -> str:
    """Create a schema, and the extensions outside of it, unless they exist. Return the quoted schema of pg_trgm."""
    with psycopg.connect(**connection_parameters(url), autocommit=True) as connection:
        if connection.execute(_HAS_SCHEMA, (schema,)).fetchone() != (True,):
            _acquire_lock(connection, url, policy, on_step, _OF_DATABASE)  # two that create the same would fail
            connection.execute(_CREATE_SCHEMA.format(schema).encode())
        return str(next(connection.execute(_EXTENSION_SCHEMA))[0])


def _acquire_lock(
    connection: psycopg.Connection[Any], url: str, policy: RetryPolicy, on_step: OnStep, number: str
) -> None:
    # Polls instead of calling pg_advisory_lock(): a waiting statement holds a snapshot, for which the holder's CREATE
    # INDEX CONCURRENTLY would wait in turn: a deadlock.
    deadline = time.monotonic() + policy.lock_wait
    for attempt in count():
        query = f"SELECT pg_try_advisory_lock({number})".encode()
        if connection.execute(query, (LOCK_NUMBER,)).fetchone() == (True,):
            return
        if time.monotonic() > deadline:
            raise MigrationError(
                f"Another process has been migrating {_target(url)} for {policy.lock_wait:.0f} s. Let it finish, or end"
                " its session (pg_locks shows it with locktype = 'advisory'), then run it again."
            )
        if attempt == 0:
            on_step("waiting for another process that is migrating")
        time.sleep(0.2)


def applied(connection: psycopg.Connection[Any], schema: str) -> tuple[list[str], dict[str, str]]:
    """Return the ids of the applied migrations, oldest first, and the checksums of all applied files by name."""
    prefix = schema and f'"{schema}".'
    if connection.execute(_EXISTS.format(prefix).encode()).fetchone() != (True,):
        return [], {}
    ids = [row[0] for row in connection.execute(_APPLIED.format(prefix).encode())]
    return ids, dict(connection.execute(_CHECKSUMS.format(prefix).encode()).fetchall())


def record(connection: psycopg.Connection[Any], name: str, sha256: str) -> None:
    """Store the checksum of a file, by which a later run notices an edit: yoyo marks a migration by its name only."""
    connection.execute(_RECORD, (name, sha256))


def connection_parameters(url: str) -> dict[str, Any]:
    """Return libpq's parameters from a URL, with a connect timeout of 10 s by default. Raises MigrationError."""
    try:
        given = {name: value for name, value in conninfo_to_dict(url).items() if value not in (None, "")}
    except psycopg.ProgrammingError:
        # libpq's own message quotes the part that it could not read, which is often a part of the password.
        raise MigrationError(
            "DATABASE_URL is no connection URL like postgresql://user:password@host:5432/database"
            " (special characters in a password are written %40 for @, %2F for /, %25 for %)."
        ) from None
    return {"connect_timeout": "10", "fallback_application_name": "ticketsvc migrations"} | given


@contextmanager
def translate_errors(url: str, verb: str = "migrate") -> Iterator[None]:
    """Raise MigrationError in place of psycopg's errors; its message says that it could not `verb` the database."""
    try:
        yield
    except psycopg.Error as error:
        reason = (error.diag.message_primary or str(error)).split("\n", 1)[0].rstrip(".")
        message = (
            f"Cannot {verb} {_target(url)}: {reason}."
            " Check that the server is up and that DATABASE_URL is right, then run it again."
        )
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            message = (
                f"{_target(url)} may not change the schema ({reason}):"
                " run the migrations with a DATABASE_URL of the role that owns the tables."
            )
        raise MigrationError(message) from error


def _target(url: str) -> str:
    given = connection_parameters(url)
    host = given.get("host", given.get("hostaddr", "the default host"))
    return f'database "{given.get("dbname", "")}" on {host} as "{given.get("user", "")}"'
