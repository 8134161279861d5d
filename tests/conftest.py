"""The fixtures of most tests: a database, the application, a client, and the service under gunicorn."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from tests.support import masters
from tests.support.http import Service
from tests.support.locks import TIMEOUT
from ticketsvc.application import create_app
from ticketsvc.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

pytest_plugins = ("tests.support.postgres", "tests.support.emptying", "tests.support.cast")

ROOT = Path(__file__).parents[1]

# Each process collects 8,000 tests, and none is garbage: with the default of 700, looking for it takes a fifth of that.
gc.set_threshold(20_000, 50, 50)
# On a busy machine an example may take long.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


@pytest.fixture(scope="session")
def database_url(migrated_database: Callable[[], str]) -> str:
    """The migrated database that most tests share; `clean` empties it for each test."""
    return migrated_database()


@pytest.fixture
def own_url(migrated_database: Callable[[], str]) -> str:
    """A migrated database that only this test uses."""
    return migrated_database()


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the test, to inspect the database or to block the service."""
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        yield connection


@pytest.fixture(scope="session")
def shared_app(database_url: str) -> Iterator[Flask]:
    app = create_app(Config(database_url=database_url))
    yield app
    app.extensions["ticketsvc"].database.close()


@pytest.fixture
def app(shared_app: Flask, clean: None) -> Flask:
    """The application with default settings, on an empty table."""
    return shared_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of `app`."""
    return app.test_client()


@pytest.fixture
def make_app(database_url: str, clean: None) -> Iterator[Callable[..., Flask]]:
    """A function that creates an application with the given settings of Config."""
    made: list[Flask] = []

    def make(**settings: object) -> Flask:
        made.append(create_app(Config(**{"database_url": database_url, **settings})))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for app in made:
        app.extensions["ticketsvc"].database.close()


@pytest.fixture(scope="session")
def shared_service(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serve(database_url, tmp_path_factory.mktemp("service") / "log") as service:
        yield service


@pytest.fixture
def service(shared_service: Service, clean: None) -> Service:
    """The service under gunicorn, as in production, on an empty table."""
    return shared_service


READ_AT_IMPORT = {"PYTHONPATH", "FORWARDED_ALLOW_IPS"}
"""Variables that the interpreter and gunicorn read before there is a configuration."""


@contextmanager
def serve(database_url: str, log: Path, **environment: str) -> Iterator[Service]:
    """Run the service under gunicorn on a free port of loopback, with its log in a file, until the block ends.

    With a variable of READ_AT_IMPORT it is a new interpreter.
    """
    port = free_port()
    variables = {"DATABASE_URL": database_url, "PORT": str(port), "PATH": os.environ["PATH"], **environment}
    start = masters.starter().start if READ_AT_IMPORT.isdisjoint(environment) else start_gunicorn
    process = start(variables, log)
    service = Service(port, process, log)
    try:
        _wait_until_alive(service)
        yield service
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(TIMEOUT)


def start_gunicorn(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start gunicorn as on a server, with its output in a file."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", "gunicorn", "app:app"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)


_FIRST_PORT = 10_000 + os.getpid() * 100 % 22_000
_ports = itertools.chain(range(_FIRST_PORT, 32_000), itertools.cycle(range(10_000, 32_000)))


def free_port() -> int:
    """Return a port of loopback that nothing listens on.

    It lies below the ports that Linux gives to clients, and each test process starts elsewhere: between this check and
    the start of a server no other process takes it.
    """
    for port in _ports:
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port
    raise AssertionError("unreachable: the ports are cycled")


def _wait_until_alive(service: Service) -> None:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and service.process.poll() is None:
        try:
            if service.call("GET", "/livez").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not start:\n{service.log.read_text()}")
