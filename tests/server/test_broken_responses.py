"""Responses that break off: not even a client of HTTP/1.0 can take them for complete."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import free_port, serve
from tests.support import programs
from tests.support.locks import TIMEOUT, wait_until
from tests.support.postgres import execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.http import Service
    from tests.support.tickets import Connection

EXPORT = "/api/tickets/export/"
TICKETS = 4_000
RUNNING = """
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'ticketsvc' AND state = 'active' AND query LIKE 'SELECT CASE%'
"""

NGINX = """
daemon off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"""
"""nginx as a beginner configures it: it speaks HTTP/1.0 to the service, which then ends a body by closing."""


@pytest.fixture(scope="module")
def url(migrated_database: Callable[[], str]) -> str:
    """Return a database with more tickets than fit into all socket buffers."""
    url = migrated_database()
    execute(
        url,
        f"""
        INSERT INTO tickets (title, description, created_at)
        SELECT 'Ticket ' || n, repeat('x', 8000), '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 minute'
        FROM generate_series(1, {TICKETS}) AS n
        """,
    )
    return url


@pytest.fixture
def database(url: str) -> Iterator[Connection]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


@pytest.fixture(scope="module")
def service(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serve(url, tmp_path_factory.mktemp("service") / "log") as service:
        yield service


class Reader:
    """An export of which only the head has been read."""

    def __init__(self, port: int, version: str = "1.0") -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {EXPORT} HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        assert self.response.status == 200

    def lines(self) -> int:
        """Return the number of lines of the rest. Raises an exception if the connection tells that it is incomplete."""
        return self.response.read().count(b"\n")

    def close(self) -> None:
        self.response.close()
        self.socket.close()


def end_export(service: Service, database: Connection) -> None:
    database.execute(f"SELECT pg_terminate_backend(pid) {RUNNING}".encode())


def stall(service: Service, database: Connection) -> None:
    wait_until(lambda: "an export broke off" in service.log.read_text())


def kill_worker(service: Service, database: Connection) -> None:
    (worker,) = service.workers
    os.kill(worker, signal.SIGKILL)


def stop_service(service: Service, database: Connection) -> None:
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(TIMEOUT) == 0


def is_running(database: Connection) -> bool:
    return database.execute(f"SELECT 1 {RUNNING}".encode()).fetchone() is not None


SETTINGS = {"WEB_CONCURRENCY": "1", "BULK_STALL_TIMEOUT": "2", "GUNICORN_CMD_ARGS": "--graceful-timeout 1"}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("cause", [end_export, stall, kill_worker, stop_service], ids=lambda cause: cause.__name__)
def test_the_connection_is_reset(
    url: str,
    tmp_path: Path,
    database: Connection,
    cause: Callable[[Service, Connection], None],
    version: str,
) -> None:
    with (
        serve(url, tmp_path / "log", **SETTINGS) as service,
        closing(Reader(service.port, version)) as reader,
    ):
        wait_until(lambda: is_running(database))
        cause(service, database)
        with pytest.raises(ConnectionResetError):
            reader.lines()


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_complete_response_is_not_reset(service: Service, version: str) -> None:
    with closing(Reader(service.port, version)) as reader:
        assert reader.lines() == TICKETS


@contextmanager
def nginx(upstream: int, directory: Path) -> Iterator[int]:
    """Run nginx in front of a port; yields its own."""
    port = free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(NGINX.format(directory=directory, port=port, upstream=upstream))
    command = ["nginx", "-e", f"{directory}/error.log", "-c", str(configuration)]
    with programs.running(command, directory / "output", lambda: programs.listens(port)):
        yield port


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed (Debian: nginx-light)")
def test_nginx_passes_the_failure_on(service: Service, database: Connection, tmp_path: Path) -> None:
    with nginx(service.port, tmp_path) as port:
        with closing(Reader(port, "1.1")) as reader:
            wait_until(lambda: is_running(database))
            end_export(service, database)
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                reader.lines()
        with closing(Reader(port, "1.1")) as reader:
            assert reader.lines() == TICKETS
