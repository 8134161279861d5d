"""Clients that request large pages and read nothing: they cannot fill a worker's memory."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import serve
from tests.support.locks import TIMEOUT
from tests.support.tickets import insert_many

if TYPE_CHECKING:
    from tests.support.http import Service
    from tests.support.tickets import Connection

GROWTH_KB = 90_000
"""The page of each client has four megabytes."""


def memory(service: Service) -> int:
    """Return the peak resident memory of its worker, in KB."""
    (worker,) = service.workers
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{worker}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0])


def request_page(service: Service, source: str, limit: int) -> socket.socket:
    """Request a page from an address of loopback, and read only the first byte of the response."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(TIMEOUT)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", service.port))
    connection.sendall(b"GET /api/tickets/?limit=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % limit)
    assert connection.recv(1) == b"H"
    return connection


def read_response(connection: socket.socket) -> bytes:
    """Read the rest of a response, or what comes before the connection is closed."""
    received = b""
    try:
        while not received.endswith(b"}]\n") and (data := connection.recv(1_000_000)):
            received += data
    except ConnectionResetError:
        pass
    return received


@pytest.mark.usefixtures("clean")
def test_clients_that_read_nothing_do_not_fill_the_memory(
    database_url: str, database: Connection, tmp_path: Path
) -> None:
    insert_many(database, 100)
    database.execute("UPDATE tickets SET description = repeat(md5(title), 2000)")
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service, ExitStack() as stack:
        other = stack.enter_context(closing(request_page(service, "127.0.0.2", 100)))
        before = memory(service)
        connections = [stack.enter_context(closing(request_page(service, "127.0.0.1", 100 - n))) for n in range(40)]
        assert memory(service) - before < GROWTH_KB
        assert not read_response(connections[0]).endswith(b"}]\n")
        assert read_response(connections[-1]).endswith(b"}]\n")
        assert read_response(other).endswith(b"}]\n"), "another client lost its response"
