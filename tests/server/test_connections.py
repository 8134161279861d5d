"""Kept connections: when there are too many, those that wait longest for their client make room for others."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.conftest import serve
from tests.support.locks import TIMEOUT, wait_until
from ticketsvc.server.connections import client_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http import Service

LIMIT = 20
SHARE = LIMIT // 2
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
SETTINGS = {"WEB_CONCURRENCY": "1", "GUNICORN_CMD_ARGS": f"--worker-connections {LIMIT}"}


@pytest.fixture(scope="module")
def trusting(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with room for 20 connections. Loopback is a trusted proxy, which may have all of them."""
    with serve(database_url, tmp_path_factory.mktemp("trusting") / "log", **SETTINGS) as service:
        yield service


@pytest.fixture(scope="module")
def distrusting(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same without trusted proxies."""
    log = tmp_path_factory.mktemp("distrusting") / "log"
    with serve(database_url, log, **SETTINGS, FORWARDED_ALLOW_IPS="192.0.2.1") as service:
        yield service


def connect(service: Service, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), TIMEOUT, (address, 0))


def is_served(connection: socket.socket, request: bytes = LIVE) -> bytes:
    """Send a request; return the response, or nothing if the connection is closed."""
    try:
        connection.sendall(request)
        return connection.recv(4096)
    except ConnectionError:
        return b""


def is_open(connection: socket.socket) -> bool:
    """Return whether the service has left the connection open."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        connection.settimeout(TIMEOUT)


def send_forever(connection: socket.socket, data: bytes) -> None:
    while True:
        connection.sendall(data)  # raises TimeoutError if the connection stays open


def live(service: Service, address: str = "127.0.0.1") -> bytes:
    """Return the response to a request on a new connection."""
    with closing(connect(service, address)) as connection:
        return is_served(connection)


@pytest.mark.parametrize("begun", [b"", LIVE[:20], BODY, LIVE[:20] + b"\r\nX: " + b"a" * 1000])
def test_a_new_client_is_served_however_many_wait(trusting: Service, begun: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(3 * LIMIT):
            connection = stack.enter_context(closing(connect(trusting)))
            connection.sendall(begun)
        for _ in range(5):
            assert live(trusting).startswith(b"HTTP/1.1 200 ")


def test_the_longest_idle_connection_is_closed_first(trusting: Service) -> None:
    with ExitStack() as stack:
        kept = [stack.enter_context(closing(connect(trusting))) for _ in range(LIMIT * 9 // 10 - 1)]
        assert all(is_served(connection).startswith(b"HTTP/1.1 200 ") for connection in kept)
        kept = [*kept[1:], kept[0]]
        assert is_served(kept[-1]).startswith(b"HTTP/1.1 200 ")  # now the first is idle for the shortest time
        silent = [stack.enter_context(closing(connect(trusting))) for _ in range(2)]
        wait_until(lambda: not is_open(kept[0]))
        assert all(is_open(connection) for connection in kept[1:] + silent)
        assert b"Connection: close" in is_served(silent[0])


def test_a_connection_in_use_is_not_closed_while_others_are_idle(trusting: Service) -> None:
    with ExitStack() as stack:
        uploading = stack.enter_context(closing(connect(trusting)))
        uploading.sendall(BODY)
        for _ in range(2 * LIMIT):
            stack.enter_context(closing(connect(trusting)))
            assert live(trusting).startswith(b"HTTP/1.1 200 ")
        assert is_served(uploading, b'{"title": ').startswith(b"HTTP/1.1 400 ")


def test_one_address_cannot_take_all_connections(distrusting: Service) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(closing(connect(distrusting, "127.0.0.2")))
        assert is_served(other).startswith(b"HTTP/1.1 200 ")
        greedy = [stack.enter_context(closing(connect(distrusting))) for _ in range(2 * LIMIT)]
        wait_until(lambda: sum(map(is_open, greedy)) <= SHARE)
        assert sum(map(is_open, greedy)) == SHARE
        assert is_served(other).startswith(b"HTTP/1.1 200 ")
        assert b"Connection: keep-alive" in live(distrusting, "127.0.0.3")


def test_room_is_given_back(distrusting: Service) -> None:
    for _ in range(3 * LIMIT):
        assert b"Connection: keep-alive" in live(distrusting)


def test_a_client_that_pipelines_and_never_reads_is_disconnected(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("pipelining") / "log"
    with (
        serve(database_url, log, WEB_CONCURRENCY="1", GUNICORN_CMD_ARGS="--keep-alive 2") as service,
        closing(connect(service)) as connection,
    ):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n" * 100
        with pytest.raises(ConnectionError):
            send_forever(connection, request)
        assert service.call("GET", "/livez").status == 200


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_address_stands_for_its_client(address: str, client: str) -> None:
    assert client_network(address) == client
