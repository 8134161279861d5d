"""A PostgreSQL server for the tests, started once for each test process, with a database for each test that needs one.

TEST_POSTGRES_BIN names the directory of another PostgreSQL's programs (/usr/lib/postgresql/15/bin); without it the
embedded ones are used. The server listens on a Unix socket in a temporary directory and also runs under root.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ticketsvc import migrations
from ticketsvc_dev.embedded.account import prepare
from ticketsvc_dev.embedded.cluster import Cluster
from ticketsvc_dev.embedded.programs import find_program_files

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

# Tests of durability start a server of their own (test_embedded.py).
NOT_DURABLE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
# Autovacuum, which empties pending lists of indexes and changes plans, is on but starts after the tests: no test may
# depend on when it comes. Tests with a load of minutes start a server without these settings. Sessions of tests compile
# no expressions, which takes longer than running them; those of the service do not anyway.
SETTINGS = f"{NOT_DURABLE} -c autovacuum_naptime=1d -c jit=off"

_numbers = itertools.count(1)


def program_files() -> Path:
    """Return the directory with the initdb, pg_ctl and postgres that the tests use."""
    chosen = os.environ.get("TEST_POSTGRES_BIN")
    return Path(chosen) if chosen else find_program_files()


class Disposable(Cluster):
    """A server whose data no test needs after a crash of the machine: nothing waits for the disk."""

    def stop(self) -> None:
        """Stop the server without a checkpoint. A later start recovers what was committed."""
        self._run("pg_ctl", "stop", "-D", "data", "-m", "immediate", "-w")

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        unsafe = ("--no-sync",) if program in ("initdb", "pg_basebackup") else ()
        return super()._run(program, *arguments, *unsafe)


@contextmanager
def server(settings: str = SETTINGS, cluster_class: type[Cluster] = Disposable) -> Iterator[Cluster]:
    """Run a server in a temporary directory; stop it and remove the directory at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as temporary:
        directory = Path(temporary) / "server"
        cluster = cluster_class(directory, program_files(), prepare(directory, program_files()), directory)
        try:
            cluster.start(settings)
            yield cluster
        finally:
            cluster.stop()


def execute(url: str, *statements: str) -> None:
    """Execute statements on a new connection, each in its own transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def query(url: str, statement: str) -> list[Any]:
    """Execute a query on a new connection and return its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def name_of(url: str) -> str:
    """Return the name of the database that a URL leads to."""
    return str(conninfo_to_dict(url)["dbname"])


def guest(url: str, connections: int = -1, privileges: str = "ALL") -> str:
    """Create a role that has privileges for the tables but owns nothing, and return the database's URL for it.

    The role may open this number of connections at once; -1 means any number.
    """
    role = f"guest_{uuid4().hex}"
    execute(
        url,
        f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections}",
        f"GRANT {privileges} ON ALL TABLES IN SCHEMA public TO {role}",
    )
    return url.replace("user=postgres", f"user={role}")


def create_database(cluster: Cluster, template: str = "template1", options: str = "") -> str:
    """Create a database as a copy of `template`, which must have no connections, and return its URL.

    `options` are SQL, such as its locale, which demands `template0`.
    """
    name = f"test_{os.getpid()}_{next(_numbers)}"
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {} ").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(command + sql.SQL(options))
    return cluster.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The server of this test process."""
    with server() as cluster:
        yield cluster


@pytest.fixture
def new_database(postgres: Cluster) -> Callable[[], str]:
    """A function that creates an empty database and returns its URL."""
    return lambda: create_database(postgres)


@pytest.fixture(scope="session")
def migrated_database(postgres: Cluster) -> Callable[[], str]:
    """A function that creates a database with all migrations and returns its URL.

    The migrations run once; each database is a copy of the result, which takes a tenth of a second.
    """
    template = create_database(postgres)
    migrations.apply(template)
    return lambda: create_database(postgres, name_of(template))
