"""Hostile clients: slow, silent, endless, with huge and deeply nested bodies."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import serve
from tests.faults.conftest import slow
from tests.support.locks import TIMEOUT, wait_until
from tests.support.tickets import LABELS, TICKET, URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

    from tests.support.http import Service

CREATE = TICKET | LABELS
HEAD = b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GIGABYTE = 1 << 30
GROWTH_KB = 100_000
"""The most that a rejected body may add to the worker's memory."""


@pytest.fixture(scope="module")
def shared(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("clients") / "log"
    with serve(database_url, log, WEB_CONCURRENCY="1", GUNICORN_CMD_ARGS="--keep-alive 3") as service:
        yield service


@pytest.fixture
def service(shared: Service, clean: None) -> Service:
    """The service with one worker that closes a silent connection after 3 s instead of 95."""
    return shared


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), TIMEOUT)


def peak_memory(service: Service) -> int:
    """Return the peak resident memory of its worker, in KB."""
    (worker,) = service.workers
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{worker}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0])


def send_until_rejected(connection: socket.socket, chunk: bytes) -> int:
    """Send chunks until the service closes the connection, a gigabyte at most; return the bytes sent."""
    sent = 0
    with suppress(ConnectionError):
        while sent < GIGABYTE:
            connection.sendall(chunk)
            sent += len(chunk)
    return sent


def is_closed(connection: socket.socket) -> bool:
    """Return whether the service has closed the connection, after reading what it sent before."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.parametrize("start", [b"GET /livez HTTP/1.1\r\nX: ", HEAD + b"Content-Length: 1000\r\n\r\n"])
def test_slow_loris_connections_are_closed(service: Service, start: bytes) -> None:
    """A byte now and then keeps no connection open, in a head or in a body, and delays no other client."""
    connections = [connect(service) for _ in range(100)]
    for connection in connections:
        connection.sendall(start)
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.2):
            for connection in connections:
                with suppress(OSError):
                    connection.send(b"a")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert [service.call("POST", URL, CREATE).status for _ in range(5)] == [201] * 5
        wait_until(lambda: all(map(is_closed, connections)))
    finally:
        over.set()
        thread.join()
        for connection in connections:
            connection.close()


def test_five_hundred_idle_connections_delay_nobody(service: Service) -> None:
    idle = [connect(service) for _ in range(500)]
    assert [service.call("POST", URL, CREATE).status for _ in range(5)] == [201] * 5
    wait_until(lambda: all(map(is_closed, idle)))
    for connection in idle:
        connection.close()


def test_endless_chunks_are_rejected(service: Service) -> None:
    """The service closes the connection; it does not read until the client is done."""
    before, chunk = peak_memory(service), b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with closing(connect(service)) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        assert send_until_rejected(connection, chunk) < GIGABYTE / 4
    assert peak_memory(service) - before < GROWTH_KB
    assert service.call("POST", URL, CREATE).status == 201


def test_a_gigabyte_is_rejected_by_its_length(service: Service) -> None:
    before = peak_memory(service)
    with closing(connect(service)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % GIGABYTE + b" " * 1000)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert send_until_rejected(connection, b" " * 65_536) < GIGABYTE / 4
    assert peak_memory(service) - before < GROWTH_KB


@pytest.mark.parametrize("length", [1, 10_000_000])
def test_a_body_of_another_length_makes_no_ticket(service: Service, length: int) -> None:
    body = b'{"title": "In time", "description": "It was."}'
    response = service.raw(HEAD + b"Content-Length: %d\r\n\r\n" % length + body)
    assert response.split(b" ", 2)[1] in (b"400", b"413")
    assert service.call("GET", URL).json == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(lambda: b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, id="deep arrays"),
        pytest.param(lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, id="deep objects"),
        pytest.param(lambda: b'{"title": 1' + b"0" * 1_000_000 + b"}", 400, id="a million digits"),
        pytest.param(
            lambda: b'{"title": "t", "description": "d"' + b"".join(b', "k%d": 1' % n for n in range(1_000_000)) + b"}",
            201,
            id="a million keys",
            marks=slow,
        ),
    ],
)
def test_a_huge_or_deep_body_leaves_the_service_usable(
    make_app: Callable[..., Flask], body: Callable[[], bytes], status: int
) -> None:
    client = make_app(max_body_bytes=30_000_000).test_client()
    data = body()
    started = time.process_time()
    assert client.post(URL, data=data, content_type="application/json").status_code == status
    print(f"{time.process_time() - started:.1f} s of CPU time")
    assert client.post(URL, json=CREATE).status_code == 201
