"""gunicorn with the service's own worker: malformed HTTP, bodies of all shapes, connections and signals."""

from __future__ import annotations

import http.client
import io
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import wait
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.conftest import serve
from tests.support.http import Response
from tests.support.locks import TIMEOUT, in_background, locked_tickets, wait_until, wait_until_blocked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http import Service

URL = "/api/tickets/"
TICKET = {"title": "Printer on fire", "description": "Smoke comes out of it."}
POST = b"POST /api/tickets/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ID = "0192a3b4-c5d6-7e8f-9012-3456789abcde"
BODY = b'{"title": "Printer on fire", "description": "Smoke comes out of it."}'
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

LONG_TIMEOUTS = {
    "DB_LOCK_TIMEOUT": "300",
    "DB_STATEMENT_TIMEOUT": "300",
    "GUNICORN_CMD_ARGS": "--graceful-timeout 240 --timeout 300",
}
"""Settings with which no timeout ends what a test holds up on purpose, however slow the machine is."""


@pytest.fixture(scope="module")
def alone(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with a single worker, so that blocking it blocks every request. It trusts no proxy."""
    log = tmp_path_factory.mktemp("alone") / "log"
    settings = {**LONG_TIMEOUTS, "WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "2", "FORWARDED_ALLOW_IPS": ""}
    with serve(database_url, log, **settings) as service:
        yield service


def responses(data: bytes) -> list[Response]:
    """Return all responses in the bytes that one connection received."""
    result = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, _, fields = head.partition(b"\r\n")
        headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
        length = int(headers["Content-Length"] or 0)
        result.append(Response(int(status.split()[1]), headers, data[:length]))
        data = data[length:]
    return result


def assert_problem(response: Response, status: int) -> None:
    assert (response.status, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert response.json["status"] == status
    assert response.json["error"] == response.json["detail"]
    assert response.headers["X-Request-Id"]
    assert response.headers["Date"]
    assert b"<" not in response.body


# --- malformed HTTP


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
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n X: y\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: zstd, chunked\r\n\r\n0\r\n\r\n", 501),
        (POST + b"Content-Length: two\r\n\r\n{}", 400),
        (POST + b"Content-Length: -2\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + (b"X: " + b"a" * 7_000 + b"\r\n") * 5 + b"\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else None,
)
def test_malformed_http_gets_a_problem_document(service: Service, request_bytes: bytes, status: int) -> None:
    (response,) = responses(service.raw(request_bytes))
    assert_problem(response, status)
    assert response.headers["Connection"] == "close"


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
def test_an_incomplete_or_badly_chunked_body_is_400(service: Service, request_bytes: bytes) -> None:
    assert_problem(responses(service.raw(request_bytes))[0], 400)
    assert service.call("GET", URL).json == []


# --- bodies


def test_a_chunked_body_creates_a_ticket(service: Service) -> None:
    chunks = b"".join(b"%x;ignored=1\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:]))
    (response,) = responses(service.raw(CHUNKED + chunks + b"0\r\nX-Checksum: y\r\n\r\n"))
    assert (response.status, response.json["title"]) == (201, TICKET["title"])


def test_a_huge_body_with_content_length_is_413(service: Service) -> None:
    assert_problem(service.call("POST", URL, b"a" * 10_000_000), 413)
    assert service.call("GET", "/livez").status == 200


def test_a_huge_chunked_body_is_413(service: Service) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as connection:
        parts = (b"a" * 65_536 for _ in range(160))
        connection.request("POST", URL, parts, {"Content-Type": "application/json"}, encode_chunked=True)
        response = connection.getresponse()
        assert_problem(Response(response.status, response.headers, response.read()), 413)
    assert service.call("GET", "/livez").status == 200


def test_expect_100_continue_gets_100_before_the_body(service: Service) -> None:
    with closing(socket.create_connection(("127.0.0.1", service.port), 30)) as connection:
        length = b"Content-Length: %d\r\n" % len(BODY)
        connection.sendall(POST + length + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        (response,) = responses(b"".join(iter(lambda: connection.recv(65536), b"")))
    assert response.status == 201


@pytest.mark.parametrize(
    ("line", "fields", "status"),
    [
        ("POST /nothing", "", 404),
        ("PUT /api/tickets/", "", 405),
        ("POST /api/tickets/", "Content-Type: text/plain\r\n", 415),
        ("POST /api/tickets/", "Content-Encoding: gzip\r\n", 415),
        ("POST /api/tickets/", "Sec-Fetch-Site: cross-site\r\n", 403),
        ("POST /api/tickets/", "Content-Length: 9999999\r\n", 413),
    ],
)
def test_a_refused_request_gets_no_100_continue(service: Service, line: str, fields: str, status: int) -> None:
    length = "" if "Content-Length" in fields else "Content-Length: 10\r\n"
    head = f"{line} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{length}{fields}\r\n"
    (response,) = responses(service.raw(head.encode()))
    assert (response.status, response.headers["Connection"]) == (status, "close")


@pytest.mark.parametrize(
    "path",
    [
        *("//livez", "///livez", "/%2flivez", "/%2Flivez", "/%6civez", "/livez%2f", "//metrics", "/%2fmetrics"),
        *("/api%2ftickets", "/api//tickets", "/api/tickets//", "/api/%74ickets", "/./livez", "/x/../livez", "/livez;a"),
    ],
)
def test_a_path_has_no_other_spelling(service: Service, path: str) -> None:
    (response,) = responses(service.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()))
    assert_problem(response, 404)
    assert response.json["instance"] == "/" + path.lstrip("/").replace(";", "%3B")


@pytest.mark.parametrize("encoding", ["gzip", "br", "x", "gzip, identity"])
@pytest.mark.parametrize("method_and_path", ["POST /api/tickets/", "POST /api/tickets/classify/", f"PATCH {URL}{ID}"])
def test_a_compressed_body_is_415(service: Service, method_and_path: str, encoding: str) -> None:
    method, path = method_and_path.split()
    response = service.call(method, path, TICKET, {"Content-Encoding": encoding})
    assert_problem(response, 415)
    assert response.headers["Accept-Encoding"] == "identity"
    assert service.call("POST", URL, TICKET, {"Content-Encoding": "Identity"}).status == 201


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


def test_pipelined_requests_get_responses_in_order(service: Service) -> None:
    create = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    received = responses(service.raw(LIVE + create + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + LIVE))
    assert [response.status for response in received] == [200, 201, 404, 200]


def test_an_http_1_0_request_gets_no_100_continue(service: Service) -> None:
    request = POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(BODY)
    (response,) = responses(service.raw(request + BODY))
    assert response.status == 201


def test_an_http_1_0_request_closes_the_connection(service: Service) -> None:
    with closing(socket.create_connection(("127.0.0.1", service.port), 30)) as connection:
        connection.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        (response,) = responses(b"".join(iter(lambda: connection.recv(65536), b"")))
    assert (response.status, response.headers["Connection"]) == (200, "close")


@pytest.mark.parametrize("trusted", [True, False])
def test_forwarded_headers_do_not_change_responses(service: Service, alone: Service, trusted: bool) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example"}
    asked = service if trusted else alone
    created = asked.call("POST", URL, TICKET, forged)
    asked.call("POST", URL, TICKET)
    page = asked.call("GET", f"{URL}?limit=1", headers=forged)
    assert created.headers["Location"] == f"{URL}{created.json['id']}"
    assert page.headers["Link"].startswith(f"<{URL}?")


def test_host_is_the_address_to_listen_on(service: Service, database_url: str, tmp_path: Path) -> None:
    socket.create_connection(("127.0.0.2", service.port), TIMEOUT).close()  # by default on all addresses
    with serve(database_url, tmp_path / "log", HOST="127.0.0.1", CORS_ORIGINS="*") as local:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", local.port), TIMEOUT)
        assert "CORS_ORIGINS is *" in local.log.read_text()
    assert "CORS_ORIGINS is *" not in service.log.read_text()


def test_a_blocked_statement_does_not_block_other_requests(alone: Service, database_url: str) -> None:
    with locked_tickets(database_url) as holder, in_background() as threads:
        blocked = threads.submit(alone.call, "GET", URL)
        wait_until_blocked(holder)
        assert alone.call("GET", "/livez").status == 200
        assert alone.call("GET", "/readyz").status == 200
        assert alone.call("GET", "/nothing").status == 404
        assert not blocked.done()
        holder.rollback()
        assert blocked.result().status == 200


def test_clients_of_a_blocked_shared_query_do_not_block_others(alone: Service, database_url: str) -> None:
    with locked_tickets(database_url) as holder, in_background() as threads:
        sharing = [threads.submit(alone.call, "GET", URL) for _ in range(4)]
        wait_until_blocked(holder, 2)
        assert alone.call("GET", "/livez").status == 200
        assert not any(call.done() for call in sharing)
        holder.rollback()
        assert [call.result().status for call in sharing] == [200] * 4


# --- signals


def test_sigterm_waits_for_requests_in_progress(database_url: str, tmp_path: Path) -> None:
    with (
        serve(database_url, tmp_path / "log", **LONG_TIMEOUTS) as service,
        locked_tickets(database_url) as holder,
        in_background() as threads,
    ):
        in_progress = [threads.submit(service.call, "GET", f"{URL}?limit={n}", timeout=300) for n in range(1, 4)]
        in_progress.append(threads.submit(service.call, "POST", URL, TICKET, timeout=300))
        wait_until_blocked(holder, 4)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        assert service.process.poll() is None
        holder.rollback()
        assert [call.result().status for call in in_progress] == [200, 200, 200, 201]
        assert service.process.wait(TIMEOUT) == 0


def test_a_recycled_worker_serves_its_backlog_on_sigterm(database_url: str, tmp_path: Path) -> None:
    settings = {**LONG_TIMEOUTS, "WEB_CONCURRENCY": "1", "MAX_REQUESTS": "10"}
    with (
        serve(database_url, tmp_path / "log", **settings) as service,
        locked_tickets(database_url) as holder,
        in_background() as threads,
    ):
        in_progress = threads.submit(service.call, "POST", URL, TICKET, timeout=300)
        wait_until_blocked(holder)
        while "Autorestarting" not in service.log.read_text():
            assert service.call("GET", "/livez").status == 200
        while True:  # until the worker no longer accepts
            late = threads.submit(service.call, "GET", "/livez", timeout=300)
            if not wait([late], timeout=2).done:
                break
            assert late.result().status == 200
        service.process.send_signal(signal.SIGTERM)
        assert late.result().status == 200
        holder.rollback()
        assert in_progress.result().status == 201
        assert service.process.wait(TIMEOUT) == 0


@pytest.mark.parametrize("requests", [b"", LIVE, b"POST /api/tickets/ HTTP/1.1\r\nHo"])
def test_idle_connections_do_not_delay_shutdown(database_url: str, tmp_path: Path, requests: bytes) -> None:
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1", **LONG_TIMEOUTS) as service:
        connections = [socket.create_connection(("127.0.0.1", service.port), 30) for _ in range(5)]
        for connection in connections:
            connection.sendall(requests)
            if requests == LIVE:
                assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert service.call("GET", URL).status == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(TIMEOUT) == 0
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
                return service.call("GET", URL).status == 200
            except OSError:
                return False

        wait_until(serves)
