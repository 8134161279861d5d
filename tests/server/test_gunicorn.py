"""gunicorn with the service's own worker: what is not HTTP, bodies of all shapes, connections and signals."""

from __future__ import annotations

import http.client
import io
import os
import signal
import socket
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.conftest import serve
from tests.support.http import Response
from tests.support.locks import in_background, locked_tickets, wait_until, wait_until_blocked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http import Service

URL = "/api/tickets/"
TICKET = {"title": "Printer on fire", "description": "Smoke comes out of it."}
POST = b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b'{"title": "Printer on fire", "description": "Smoke comes out of it."}'
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def alone(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with one worker, where what blocks it blocks everything; it trusts no proxy."""
    log = tmp_path_factory.mktemp("alone") / "log"
    settings = {"WEB_CONCURRENCY": "1", "DB_LOCK_TIMEOUT": "30", "DB_POOL_SIZE": "2", "FORWARDED_ALLOW_IPS": ""}
    with serve(database_url, log, **settings) as service:
        yield service


def answers(data: bytes) -> list[Response]:
    """Every answer in what came over one connection."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, _, fields = head.partition(b"\r\n")
        headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
        length = int(headers["Content-Length"] or 0)
        found.append(Response(int(status.split()[1]), headers, data[:length]))
        data = data[length:]
    return found


def assert_problem(answer: Response, status: int) -> None:
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json["status"] == status
    assert answer.json["error"] == answer.json["detail"]
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Date"]
    assert b"<" not in answer.body


# --- what is not HTTP


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"get /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /livez\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (POST + b"Content-Length: two\r\n\r\n{}", 400),
        (POST + b"Content-Length: -2\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else None,
)
def test_it_rejects_what_is_not_http(service: Service, request_bytes: bytes, status: int) -> None:
    (answer,) = answers(service.raw(request_bytes))
    assert_problem(answer, status)
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "request_bytes",
    [
        CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"ffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2\r\n{}",
        CHUNKED + b"45\r\n" + BODY + b"XX",
        CHUNKED + b"45\r\n" + BODY + b"\r\n",
        CHUNKED + b"45\r\n" + BODY + b"\r\n0\r\nbad trailer\r\n\r\n",
        POST + b"Content-Length: 100\r\n\r\n" + BODY,
        POST + b"Content-Length: 100\r\n\r\n" + BODY + b" ",
    ],
)
def test_it_rejects_a_body_that_breaks_off_or_has_bad_chunks(service: Service, request_bytes: bytes) -> None:
    assert_problem(answers(service.raw(request_bytes))[0], 400)
    assert service.call("GET", URL).json == []


# --- bodies


def test_a_chunked_body_works(service: Service) -> None:
    chunks = b"".join(b"%x;ignored=1\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:]))
    (answer,) = answers(service.raw(CHUNKED + chunks + b"0\r\nX-Checksum: y\r\n\r\n"))
    assert (answer.status, answer.json["title"]) == (201, TICKET["title"])


def test_it_rejects_a_huge_body_of_known_length(service: Service) -> None:
    assert_problem(service.call("POST", URL, b"a" * 10_000_000), 413)
    assert service.call("GET", "/livez").status == 200


def test_it_rejects_a_huge_chunked_body(service: Service) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as connection:
        parts = (b"a" * 65_536 for _ in range(160))
        connection.request("POST", URL, parts, {"Content-Type": "application/json"}, encode_chunked=True)
        response = connection.getresponse()
        assert_problem(Response(response.status, response.headers, response.read()), 413)
    assert service.call("GET", "/livez").status == 200


def test_a_client_that_asks_before_it_sends_works(service: Service) -> None:
    with closing(socket.create_connection(("127.0.0.1", service.port), 30)) as connection:
        length = b"Content-Length: %d\r\n" % len(BODY)
        connection.sendall(POST + length + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        (answer,) = answers(b"".join(iter(lambda: connection.recv(65536), b"")))
    assert answer.status == 201


@pytest.mark.parametrize("path", ["/livez", URL, "/api/tickets/nothing", "/api/tickets/stats/"])
def test_head_is_get_without_the_body(service: Service, path: str) -> None:
    request = f"HEAD {path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: same\r\nConnection: close\r\n\r\n"
    head, _, body = service.raw(request.encode()).partition(b"\r\n\r\n")
    got = service.raw(request.replace("HEAD", "GET").encode()).partition(b"\r\n\r\n")[0]

    def without_date(fields: bytes) -> list[bytes]:
        return [line for line in fields.split(b"\r\n") if not line.startswith(b"Date:")]

    assert body == b""
    assert without_date(head) == without_date(got)


# --- connections


def test_a_connection_serves_many_requests(service: Service) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as connection:
        statuses = []
        for method, path in [("GET", URL), ("GET", "/nothing"), ("DELETE", URL), ("HEAD", URL), ("GET", "/livez")] * 3:
            connection.request(method, path)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
            assert connection.sock is not None, "it was closed"
    assert statuses == [200, 404, 405, 200, 200] * 3


def test_pipelined_requests_are_answered_in_order(service: Service) -> None:
    create = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    found = answers(service.raw(LIVE + create + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + LIVE))
    assert [answer.status for answer in found] == [200, 201, 404, 200]


def test_an_older_client_is_answered_and_the_connection_closed(service: Service) -> None:
    with closing(socket.create_connection(("127.0.0.1", service.port), 30)) as connection:
        connection.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        (answer,) = answers(b"".join(iter(lambda: connection.recv(65536), b"")))
    assert (answer.status, answer.headers["Connection"]) == (200, "close")


@pytest.mark.parametrize("trusted", [True, False])
def test_forwarded_headers_change_no_answer(service: Service, alone: Service, trusted: bool) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example"}
    asked = service if trusted else alone
    created = asked.call("POST", URL, TICKET, forged)
    asked.call("POST", URL, TICKET)
    page = asked.call("GET", f"{URL}?limit=1", headers=forged)
    assert created.headers["Location"] == f"{URL}{created.json['id']}"
    assert page.headers["Link"].startswith(f"<{URL}?")


def test_a_statement_that_waits_does_not_hold_up_others(alone: Service, database_url: str) -> None:
    with locked_tickets(database_url) as holder, in_background() as threads:
        blocked = threads.submit(alone.call, "GET", URL)
        wait_until_blocked(holder)
        started = time.monotonic()
        assert alone.call("GET", "/livez").status == 200
        assert alone.call("GET", "/readyz").status == 200
        assert alone.call("GET", "/nothing").status == 404
        assert time.monotonic() - started < 2
        assert not blocked.done()
        holder.rollback()
        assert blocked.result().status == 200


def test_who_shares_a_query_that_waits_does_not_hold_up_others(alone: Service, database_url: str) -> None:
    with locked_tickets(database_url) as holder, in_background() as threads:
        sharing = [threads.submit(alone.call, "GET", URL) for _ in range(4)]
        wait_until_blocked(holder, 2)
        assert alone.call("GET", "/livez").status == 200
        assert not any(call.done() for call in sharing)
        holder.rollback()
        assert [call.result().status for call in sharing] == [200] * 4


# --- signals


def test_what_is_under_way_is_finished_at_the_end(database_url: str, tmp_path: Path) -> None:
    with (
        serve(database_url, tmp_path / "log", DB_LOCK_TIMEOUT="30") as service,
        locked_tickets(database_url) as holder,
        in_background() as threads,
    ):
        under_way = [threads.submit(service.call, "POST", URL, TICKET) for _ in range(4)]
        wait_until_blocked(holder, 4)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        assert service.process.poll() is None
        holder.rollback()
        assert [call.result().status for call in under_way] == [201] * 4
        assert service.process.wait(60) == 0


def test_a_worker_that_makes_room_answers_who_comes_when_there_is_no_successor(
    database_url: str, tmp_path: Path
) -> None:
    settings = {"WEB_CONCURRENCY": "1", "MAX_REQUESTS": "10", "DB_LOCK_TIMEOUT": "30"}
    with (
        serve(database_url, tmp_path / "log", **settings) as service,
        locked_tickets(database_url) as holder,
        in_background() as threads,
    ):
        under_way = threads.submit(service.call, "POST", URL, TICKET)
        wait_until_blocked(holder)
        while "Autorestarting" not in service.log.read_text():
            assert service.call("GET", "/livez").status == 200
        time.sleep(1.5)
        late = threads.submit(service.call, "GET", "/livez")
        time.sleep(0.5)
        assert not late.done()
        service.process.send_signal(signal.SIGTERM)
        assert late.result().status == 200
        holder.rollback()
        assert under_way.result().status == 201
        assert service.process.wait(60) == 0


@pytest.mark.parametrize("requests", [b"", LIVE, b"POST /api/tickets/ HTTP/1.1\r\nHo"])
def test_idle_connections_do_not_delay_the_end(database_url: str, tmp_path: Path, requests: bytes) -> None:
    settings = {"WEB_CONCURRENCY": "1", "GUNICORN_CMD_ARGS": "--graceful-timeout 120"}
    with serve(database_url, tmp_path / "log", **settings) as service:
        connections = [socket.create_connection(("127.0.0.1", service.port), 30) for _ in range(5)]
        for connection in connections:
            connection.sendall(requests)
            if requests == LIVE:
                assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert service.call("GET", URL).status == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
        for connection in connections:
            connection.close()
    assert all(line.startswith("{") for line in service.log.read_text().splitlines())


def test_a_killed_worker_is_replaced(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service:
        master = str(service.process.pid)
        (worker,) = subprocess.check_output(["ps", "-o", "pid=", "--ppid", master], text=True).split()
        os.kill(int(worker), signal.SIGKILL)

        def serves() -> bool:
            try:
                return service.call("GET", URL, timeout=2).status == 200
            except OSError:
                return False

        wait_until(serves)
