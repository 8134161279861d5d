"""Slow statements of one client: what the others notice, and what happens when the client leaves."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import serve
from tests.support import postgres
from tests.support.locks import WAITING, in_background, locked_tickets, wait_until, wait_until_blocked
from tests.support.tickets import TICKET, URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http import Response, Service

# The statistics of resolution times wait for the advisory lock that the test holds.
SLOW = """
CREATE OR REPLACE FUNCTION times_json(tickets bigint, seconds double precision[]) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1);
    RETURN '"count":0,"median_seconds":null,"p90_seconds":null';
END
$$
"""
HELD_UP = f"SELECT count(*) FROM ({WAITING} AND locktype = 'advisory') AS found"
LONG = {"DB_STATEMENT_TIMEOUT": "300", "DB_LOCK_TIMEOUT": "300", "WEB_CONCURRENCY": "1"}


@pytest.fixture
def slow_service(own_url: str, tmp_path: Path) -> Iterator[Service]:
    """Run one worker with the default pool of 8, on a database where resolution times take until `held` ends."""
    postgres.execute(own_url, SLOW)
    with serve(own_url, tmp_path / "log", **LONG) as service:
        yield service


@contextmanager
def held(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(1)")
        yield holder
        holder.execute("SELECT pg_advisory_unlock_all()")


def waiting(holder: psycopg.Connection[tuple[object, ...]]) -> int:
    [count] = holder.execute(HELD_UP.encode()).fetchone() or [None]
    assert isinstance(count, int)
    return count


def slow(service: Service, client: str, number: int) -> Response:
    path = f"{URL}stats/resolution?created_since={2000 + number}-01-01"
    return service.call("GET", path, headers={"X-Forwarded-For": client})


def send(service: Service, client: str, path: str) -> socket.socket:
    """Send a request and return its connection."""
    connection = socket.create_connection(("127.0.0.1", service.port), 60)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n".encode())
    return connection


def test_one_client_cannot_take_the_pool_with_slow_statements(slow_service: Service, own_url: str) -> None:
    with held(own_url) as holder, in_background() as threads:
        calls = [threads.submit(slow, slow_service, "192.0.2.1", number) for number in range(12)]
        wait_until(lambda: sum(call.done() for call in calls) == 10)
        assert waiting(holder) == 2
        refused = [call.result() for call in calls if call.done()]
        assert {response.status for response in refused} == {503}
        assert {int(response.headers["Retry-After"]) > 0 for response in refused} == {True}

        other = {"X-Forwarded-For": "192.0.2.2"}
        created = slow_service.call("POST", URL, TICKET, other)
        assert created.status == 201
        for path in (
            URL,
            created.headers["Location"],
            f"{URL}?search=log&count=true",
            f"{URL}stats",
            "/readyz",
            "/livez",
        ):
            assert slow_service.call("GET", path, headers=other).status == 200

        more = [threads.submit(slow, slow_service, "192.0.2.2", number) for number in range(2)]
        wait_until(lambda: waiting(holder) == 4)
        assert slow(slow_service, "192.0.2.3", 0).status == 503  # half the pool is for statements that are not slow
        assert slow_service.call("GET", URL).status == 200
        holder.execute("SELECT pg_advisory_unlock_all()")
        assert sorted(call.result().status for call in [*calls, *more]) == [200] * 4 + [503] * 10


def test_a_statement_ends_when_its_client_leaves(slow_service: Service, own_url: str) -> None:
    with held(own_url) as holder:
        with closing(send(slow_service, "192.0.2.1", f"{URL}stats/resolution")):
            wait_until(lambda: waiting(holder) == 1)
        wait_until(lambda: waiting(holder) == 0)
        for number in range(2):  # all places are free again
            with closing(send(slow_service, "192.0.2.1", f"{URL}stats/resolution?created_since=200{number}-01-01")):
                wait_until(lambda: waiting(holder) == 1)
            wait_until(lambda: waiting(holder) == 0)
    assert slow(slow_service, "192.0.2.1", 0).status == 200


def test_a_shared_statement_ends_when_all_its_clients_have_left(slow_service: Service, own_url: str) -> None:
    path = f"{URL}stats/resolution"
    with held(own_url) as holder, in_background() as threads:
        first = threads.submit(slow_service.call, "GET", path)
        wait_until(lambda: waiting(holder) == 1)
        with closing(send(slow_service, "192.0.2.1", path)):  # this and the next wait for a second run
            second = threads.submit(slow_service.call, "GET", path, headers={"X-Forwarded-For": "192.0.2.2"})
            wait_until(lambda: waiting(holder) == 2)
        with closing(send(slow_service, "192.0.2.3", f"{path}?created_since=2000-01-01")):
            wait_until(lambda: waiting(holder) == 3)
        wait_until(lambda: waiting(holder) == 2)  # the service has noticed that both left
        holder.execute("SELECT pg_advisory_unlock_all()")
        assert [first.result().status, second.result().status] == [200, 200]


def test_an_export_ends_when_its_client_leaves_before_the_first_line(own_url: str, tmp_path: Path) -> None:
    with serve(own_url, tmp_path / "log", **LONG, BULK_CALLS="1") as service:
        with locked_tickets(own_url) as holder:
            with closing(send(service, "192.0.2.1", f"{URL}export")):
                wait_until_blocked(holder)
            wait_until_blocked(holder, 0)
        wait_until(lambda: service.call("GET", f"{URL}export").status == 200)


def test_the_first_line_of_an_export_must_come_as_soon_as_other_responses(own_url: str, tmp_path: Path) -> None:
    settings = {**LONG, "DB_STATEMENT_TIMEOUT": "1"}
    with serve(own_url, tmp_path / "log", **settings) as service:
        with locked_tickets(own_url) as holder, in_background() as threads:
            call = threads.submit(service.call, "GET", f"{URL}export")
            wait_until_blocked(holder)
            response = call.result()
            assert (response.status, b"took too long" in response.body) == (503, True)
        assert service.call("GET", f"{URL}export").status == 200
