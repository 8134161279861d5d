"""Callers who mean no good: slow, silent, endless, huge, deep."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import serve
from tests.faults.conftest import takes_long
from tests.support.locks import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

    from tests.support.http import Service

URL = "/api/tickets/"
TICKET = {"title": "In time", "description": "It was.", "category": "general", "priority": "low"}
HEAD = b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GIGABYTE = 1 << 30
MANY_KEYS = b'{"title": "t", "description": "d", ' + b", ".join(b'"k%d": 1' % n for n in range(1_000_000)) + b"}"
GROWTH_KB = 100_000
"""How much the worker's memory may grow by a body that it refuses."""


@pytest.fixture(scope="module")
def short(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with one worker whose patience with a silent caller is 3 s, not 95."""
    log = tmp_path_factory.mktemp("clients") / "log"
    with serve(database_url, log, WEB_CONCURRENCY="1", GUNICORN_CMD_ARGS="--keep-alive 3") as service:
        yield service


@pytest.fixture
def impatient(short: Service, clean: None) -> Service:
    return short


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), 30)


def memory(service: Service) -> int:
    """The most that its worker has had in memory, in KB."""
    (worker,) = service.workers
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{worker}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0])


def send_until_refused(connection: socket.socket, chunk: bytes) -> int:
    """Send a gigabyte of chunks, or as much of it as the service lets one; return how much that was."""
    sent = 0
    with suppress(ConnectionError):
        while sent < GIGABYTE:
            connection.sendall(chunk)
            sent += len(chunk)
    return sent


def is_ended(connection: socket.socket) -> bool:
    """Whether the service has closed it; reads what it said before."""
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
def test_callers_who_drip_are_cut_off_and_hold_nobody_up(impatient: Service, start: bytes) -> None:
    """Slow loris: a byte now and then keeps no connection, in a head or in a body."""
    drips = [connect(impatient) for _ in range(100)]
    for connection in drips:
        connection.sendall(start)
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.2):
            for connection in drips:
                try:
                    connection.send(b"a")
                except OSError:
                    continue

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert [impatient.call("POST", URL, TICKET).status for _ in range(5)] == [201] * 5
        wait_until(lambda: all(map(is_ended, drips)), 30)
    finally:
        over.set()
        thread.join()
        for connection in drips:
            connection.close()


def test_five_hundred_idle_connections_hold_nobody_up(impatient: Service) -> None:
    idle = [connect(impatient) for _ in range(500)]
    assert [impatient.call("POST", URL, TICKET).status for _ in range(5)] == [201] * 5
    wait_until(lambda: all(map(is_ended, idle)), 30)
    for connection in idle:
        connection.close()


def test_chunks_without_an_end_are_refused(impatient: Service) -> None:
    """Until the service closes the connection, not until the sender is done."""
    before, chunk = memory(impatient), b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with closing(connect(impatient)) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        assert send_until_refused(connection, chunk) < GIGABYTE / 4
    assert memory(impatient) - before < GROWTH_KB
    assert impatient.call("POST", URL, TICKET).status == 201


def test_a_gigabyte_is_refused_by_its_length(impatient: Service) -> None:
    before = memory(impatient)
    with closing(connect(impatient)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % GIGABYTE + b" " * 1000)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert send_until_refused(connection, b" " * 65_536) < GIGABYTE / 4
    assert memory(impatient) - before < GROWTH_KB


@pytest.mark.parametrize("length", [1, 10_000_000])
def test_a_body_that_lies_about_its_length_makes_no_ticket(impatient: Service, length: int) -> None:
    body = b'{"title": "In time", "description": "It was."}'
    answer = impatient.raw(HEAD + b"Content-Length: %d\r\n\r\n" % length + body)
    assert answer.split(b" ", 2)[1] in (b"400", b"413")
    assert impatient.call("GET", URL).json == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, id="deep arrays"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, id="deep objects"),
        pytest.param(b'{"title": 1' + b"0" * 1_000_000 + b"}", 400, id="a million digits"),
        pytest.param(MANY_KEYS, 201, id="a million keys", marks=takes_long),
    ],
)
def test_bodies_of_strange_shapes_are_no_defect(make_app: Callable[..., Flask], body: bytes, status: int) -> None:
    client = make_app(max_body_bytes=30_000_000).test_client()
    started = time.process_time()
    assert client.post(URL, data=body, content_type="application/json").status_code == status
    print(f"{time.process_time() - started:.1f} s of CPU time")
    assert client.post(URL, json=TICKET).status_code == 201
