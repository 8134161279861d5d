"""A real PostgreSQL for the tests: one server a session, an empty database for whoever asks.

TEST_POSTGRES_BIN names the directory of another PostgreSQL's programs (/usr/lib/postgresql/15/bin); without
it the embedded ones are used. Either server runs on a Unix socket in a temporary directory, under root too.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ticketsvc import migrations
from ticketsvc.dev.embedded.account import prepare
from ticketsvc.dev.embedded.cluster import Cluster
from ticketsvc.dev.embedded.programs import find_program_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The tests that need durability start a server of their own (test_embedded.py).
NOT_DURABLE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"

_numbers = itertools.count(1)


def program_files() -> Path:
    """The directory with initdb, pg_ctl and postgres that the tests use."""
    chosen = os.environ.get("TEST_POSTGRES_BIN")
    return Path(chosen) if chosen else find_program_files()


@contextmanager
def server(settings: str = NOT_DURABLE) -> Iterator[Cluster]:
    """A running server in a temporary directory; stopped and removed at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as temporary:
        directory = Path(temporary) / "server"
        cluster = Cluster(directory, program_files(), prepare(directory, program_files()), directory)
        try:
            cluster.start(settings)
            yield cluster
        finally:
            cluster.stop()


def guest(url: str, connections: int = -1) -> str:
    """The address of a database for a new role that may use its tables but owns nothing; -1: any number at once."""
    role = f"guest_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections}".encode())
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}".encode())
    return url.replace("user=postgres", f"user={role}")


def create_database(cluster: Cluster, template: str = "template1") -> str:
    """Create a database, a copy of `template` (which nobody may be connected to), and return its URL."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(command)
    return cluster.url(name)


def name_of(url: str) -> str:
    """Return the name of the database that a URL leads to."""
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The session's server."""
    with server() as cluster:
        yield cluster


@pytest.fixture
def new_database(postgres: Cluster) -> Callable[[], str]:
    """A function that creates an empty database and returns its URL."""
    return lambda: create_database(postgres)


@pytest.fixture(scope="session")
def migrated_database(postgres: Cluster) -> Callable[[], str]:
    """A function that creates a database with all migrations and returns its URL.

    The migrations run once a session; each database is a copy of the result, which takes a tenth of a second.
    """
    template = create_database(postgres)
    migrations.apply(template)
    return lambda: create_database(postgres, name_of(template))
