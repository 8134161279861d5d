"""Waiting for events under gunicorn: long polling and server-sent events, and what their listeners take and leave."""

from __future__ import annotations

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.conftest import serve
from tests.support import metrics
from tests.support.http import TIMEOUT
from tests.support.locks import wait_until
from tests.support.streams import Stream
from tests.support.tickets import TICKET, URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http import Response, Service

EVENTS = "/api/events/"
LISTENERS = 40
"""The limit of the service of these tests, which has room for far fewer other connections."""
CONNECTIONS = 16
SETTINGS = {
    "WEB_CONCURRENCY": "1",
    "EVENT_LISTENERS": str(LISTENERS),
    "BULK_STALL_TIMEOUT": "1",
    "GUNICORN_CMD_ARGS": f"--worker-connections {CONNECTIONS}",
}


@pytest.fixture(scope="module")
def service(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serve(url, tmp_path_factory.mktemp("events") / "log", **SETTINGS) as service:
        yield service


def create(service: Service, title: str = "New") -> str:
    response = service.call("POST", URL, {**TICKET, "title": title})
    assert response.status == 201
    return str(response.json["id"])


def latest(service: Service) -> str:
    return str(service.call("GET", f"{EVENTS}?after=latest").headers["X-Last-Event-Id"])


def listeners(service: Service) -> float:
    return metrics.value(metrics.read(service.call("GET", "/metrics").body.decode()), "event_listeners")


def test_a_stream_sends_what_is_committed(service: Service) -> None:
    create(service)
    old = latest(service)
    first = create(service, "First")
    with Stream(service, Accept_Encoding="gzip").start() as new:
        for field in ("HTTP/1.1 200 OK", "text/event-stream", "X-Accel-Buffering: no", "no-cache, no-transform"):
            assert field in new.head
        assert "Content-Encoding" not in new.head
        second = create(service, "Second")
        event = new.event()
        assert (event["ticket_id"], event["id"]) == (second, latest(service))
        with Stream(service, f"?after={new.position}", Last_Event_ID=old).start() as again:
            assert again.position == old
            events = [again.event(), again.event()]
            assert [event["ticket_id"] for event in events] == [first, second]
            service.call("PATCH", URL + first, {"status": "closed"})
            assert again.event() == new.event()


def test_a_stream_without_a_position_starts_with_the_oldest_event(service: Service) -> None:
    create(service)
    oldest = service.call("GET", f"{EVENTS}?limit=1").json[0]
    with Stream(service, "").start() as stream:
        assert stream.event() == oldest


def test_a_stream_cannot_continue_after_a_lost_position(service: Service) -> None:
    for last, status in (("ffffffff-1", 410), ("nonsense", 400)):
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
        response = service.call("GET", EVENTS, headers=headers)
        assert (response.status, response.headers["Content-Type"]) == (status, "application/problem+json")


def test_long_polls_end_with_the_next_event(service: Service) -> None:
    end = latest(service)

    def poll(number: int) -> Response:
        return service.call("GET", f"{EVENTS}?after={end}&wait=25&limit={number}")

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(poll, number) for number in range(1, 9)]
        wait_until(lambda: listeners(service) == 8)
        ticket = create(service)
        responses = [each.result(TIMEOUT) for each in waiting]
    for response in responses:
        (event,) = response.json
        assert (response.status, event["ticket_id"]) == (200, ticket)
        assert response.headers["X-Last-Event-Id"] == event["id"]
    wait_until(lambda: listeners(service) == 0)


def test_a_long_poll_without_an_event_returns_where_it_was(service: Service) -> None:
    end = latest(service)
    response = service.call("GET", f"{EVENTS}?after={end}&wait=1")
    assert (response.status, response.json, response.headers["X-Last-Event-Id"]) == (200, [], end)
    assert service.call("HEAD", f"{EVENTS}?after={end}&wait=25").status == 200
    assert service.call("HEAD", EVENTS, headers={"Accept": "text/event-stream"}).body == b""


def test_the_log_has_a_line_at_the_end_of_a_stream(service: Service) -> None:
    with Stream(service, X_Request_Id="a-stream").start():
        assert '"a-stream"' not in service.log.read_text()
    wait_until(lambda: '"request_id": "a-stream"' in service.log.read_text())


def test_listeners_that_leave_are_noticed_without_an_event(service: Service) -> None:
    """And they take no place of other connections: there are more than the worker has for those."""
    with ExitStack() as streams, ThreadPoolExecutor(1) as pool:
        for number in range(CONNECTIONS + 2):
            streams.enter_context(Stream(service, X_Forwarded_For=f"192.0.2.{number % 4}").start())
        wait_until(lambda: listeners(service) == CONNECTIONS + 2)
        sending = socket.create_connection(("127.0.0.1", service.port))
        sending.sendall(f"GET {EVENTS}?after={latest(service)}&wait=25 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: listeners(service) == CONNECTIONS + 3)
        assert pool.submit(create, service).result(TIMEOUT)
        sending.close()
    wait_until(lambda: listeners(service) == 0)


def test_there_are_not_more_listeners_than_allowed(service: Service) -> None:
    with ExitStack() as streams:
        for number in range(LISTENERS):
            address = f"192.0.2.{number // (LISTENERS // 2)}"
            streams.enter_context(Stream(service, X_Forwarded_For=address).start())
            if number == LISTENERS // 2:  # the first client has its share
                with Stream(service, X_Forwarded_For="192.0.2.0") as another:
                    assert another.block() == {"retry": "10000"}
        refused = service.call("GET", f"{EVENTS}?after={latest(service)}&wait=25")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        with Stream(service) as stream:
            assert "HTTP/1.1 200 OK" in stream.head
            assert stream.block() == {"retry": "10000"}
        assert service.call("GET", EVENTS).status == 200
    wait_until(lambda: listeners(service) == 0)


def test_a_client_that_reads_nothing_is_dropped_and_delays_nobody(service: Service, url: str) -> None:
    with (
        Stream(service, receive_bytes=4096).start() as slow,
        Stream(service).start() as fast,
        psycopg.connect(url, autocommit=True) as database,
    ):
        large = "repeat(chr(31), 60000)"  # each character is six in JSON
        database.execute(f"INSERT INTO tickets (title, description) SELECT 't', {large} FROM generate_series(1, 40)")
        assert len({fast.event()["id"] for _ in range(40)}) == 40
        wait_until(lambda: listeners(service) == 1)
        assert not slow.end()


def test_a_feed_that_starts_over_ends_streams(service: Service, url: str) -> None:
    with Stream(service).start() as stream, psycopg.connect(url, autocommit=True) as database:
        database.execute("TRUNCATE tickets")
        assert stream.end()
        create(service)
        gone = service.call("GET", EVENTS, headers={"Accept": "text/event-stream", "Last-Event-ID": stream.position})
        assert gone.status == 410
    wait_until(lambda: listeners(service) == 0)
    with Stream(service).start() as first:
        create(service)
        assert first.event()
    wait_until(lambda: listeners(service) == 0)
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("TRUNCATE tickets")  # while nobody listens
    with Stream(service).start() as second:
        assert create(service) == second.event()["ticket_id"]


def test_at_shutdown_streams_are_complete_and_polls_return(url: str, tmp_path: Path) -> None:
    with serve(url, tmp_path / "log", WEB_CONCURRENCY="1") as service, ExitStack() as opened:
        streams: list[Any] = [opened.enter_context(Stream(service).start()) for _ in range(30)]
        end = latest(service)
        with ThreadPoolExecutor(1) as pool:
            polling = pool.submit(service.call, "GET", f"{EVENTS}?after={end}&wait=25")
            wait_until(lambda: listeners(service) == 31)
            service.process.send_signal(signal.SIGTERM)
            assert [stream.end() for stream in streams] == [True] * len(streams)
            assert (polling.result(TIMEOUT).status, polling.result().json) == (200, [])
        assert service.process.wait(TIMEOUT) == 0
        assert "graceful timeout" not in service.log.read_text()
