"""GET /api/tickets/export/"""

from __future__ import annotations

import csv
import http.client
import io
import json
import signal
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import serve
from tests.support.locks import in_background, locked_tickets, wait_until
from tests.support.tickets import TICKET, URL, faults, file_ticket, insert, insert_many, problem
from ticketsvc.store.exports import CSV_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service
    from tests.support.tickets import Connection

EXPORT = f"{URL}export/"
MAX_ENTRIES = ("title", "description", "category", "priority", "status", "created_at", "updated_at")

RUNNING = """
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'ticketsvc' AND state = 'active' AND query LIKE 'SELECT CASE%'
"""


def exported(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    """The tickets of an export as NDJSON."""
    answer = client.get(EXPORT + query)
    assert (answer.status_code, answer.content_type) == (200, "application/x-ndjson")
    assert answer.data == b"" or answer.data.endswith(b"\n")
    return [json.loads(line) for line in answer.data.splitlines()]


def records(data: bytes) -> list[dict[str, str]]:
    """The tickets of an export as CSV."""
    assert data.startswith(CSV_HEADER)
    assert data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_it_works(client: FlaskClient) -> None:
    first, second = file_ticket(client, title="first"), file_ticket(client, title="second")
    assert exported(client) == [first, second]
    answer = client.get(EXPORT)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tickets.ndjson"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_works_under_gunicorn_too(service: Service, database: Connection) -> None:
    insert_many(database, 1000)
    answer = service.call("GET", EXPORT)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    found = [json.loads(line)["title"] for line in answer.body.splitlines()]
    assert found == [f"Ticket {number}" for number in range(1, 1001)]
    assert service.call("GET", f"{EXPORT}?format=csv").body.count(b"\r\n") == 1001


def test_csv_works(client: FlaskClient) -> None:
    text = 'He said "no, never"\r\nand\nleft,, 🎫\\ =1+1\t'
    ticket = file_ticket(client, title='"quoted"', description=f"={text}.")
    answer = client.get(f"{EXPORT}?format=csv")
    assert answer.content_type == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tickets.csv"'
    (record,) = records(answer.data)
    assert record == {name: str(value) for name, value in ticket.items() if name != "triage"}


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_without_tickets_it_is_empty(client: FlaskClient, file_format: str) -> None:
    answer = client.get(f"{EXPORT}?format={file_format}")
    assert (answer.status_code, answer.data) == (200, CSV_HEADER if file_format == "csv" else b"")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/x-ndjson"),
        ("*/*", "application/x-ndjson"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/jsonl", "application/x-ndjson"),
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        ("text/html, text/csv;q=0.5", "text/csv; charset=utf-8; header=present"),
        ("text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"),
    ],
)
def test_accept_chooses_the_format(client: FlaskClient, accept: str | None, content_type: str) -> None:
    answer = client.get(EXPORT, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert answer.headers["Vary"] == "Accept"


def test_the_parameter_outweighs_accept(client: FlaskClient) -> None:
    answer = client.get(f"{EXPORT}?format=csv", headers={"Accept": "application/json"})
    assert answer.mimetype == "text/csv"


@pytest.mark.parametrize("accept", ["text/html", "application/json", "text/csv;q=0", "x"])
def test_it_says_so_when_it_has_no_acceptable_format(client: FlaskClient, accept: str) -> None:
    assert "text/csv" in problem(client.get(EXPORT, headers={"Accept": accept}), 406)["error"]


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("format=xml", {"format": "not_allowed"}),
        ("format=CSV", {"format": "not_allowed"}),
        ("format=csv&format=csv", {"format": "repeated"}),
        ("status=new&created_since=x", {"status": "not_allowed", "created_since": "not_allowed"}),
        ("sort=created_at", {"sort": "unknown"}),
        ("limit=5&cursor=x&count=true", {"limit": "unknown", "cursor": "unknown", "count": "unknown"}),
    ],
)
def test_it_rejects_bad_parameters(client: FlaskClient, query: str, wrong: dict[str, str]) -> None:
    assert faults(client.get(f"{EXPORT}?{query}")) == wrong


@pytest.mark.parametrize(
    "query",
    [
        "category=billing",
        "priority=low,high&status=open",
        "category=billing&category=account",
        "created_since=2026-01-01T03:00:00Z",
        "created_before=2026-01-01T03:00:00Z&status=resolved",
        "updated_since=2026-01-01T02:00:00Z&updated_before=2026-01-01T03:00:00%2B00:00",
        "search=number+7",
        "search=ticket+20&priority=medium",
        "search=%25",
        "search=",
    ],
)
def test_it_has_the_filters_of_the_list(client: FlaskClient, database: Connection, query: str) -> None:
    insert_many(database, 300)
    assert exported(client, f"?{query}") == client.get(f"{URL}?{query}&sort=created_at&limit=500").get_json()


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_what_was_exported_can_be_imported(client: FlaskClient, database: Connection, file_format: str) -> None:
    texts = ['"', '""', "a,b\r\nc\n\nd\re", "🎫 字 e\u0301 \u202e", "'; --\n\\", "=1+1", "x\u2028x", "\u0001\u001f"]
    for number, text in enumerate(texts):
        ticket_id = insert(database, f"{text}.", f"2026-01-0{number + 1}T10:00:00.123Z", "2026-02-01T00:00:00Z")
        change = [f"-{text}-", ticket_id]
        database.execute("UPDATE tickets SET description = %s, status = 'closed', version = 5 WHERE id = %s", change)
    insert_many(database, 200)
    before = client.get(f"{EXPORT}?format={file_format}")
    tickets = exported(client)
    database.execute("TRUNCATE tickets")
    answer = client.post(f"{URL}import/", data=before.data, content_type=before.content_type)
    assert answer.get_json() == {"imported": 208}
    again = exported(client)
    assert [{name: ticket[name] for name in MAX_ENTRIES} for ticket in again] == [
        {name: ticket[name] for name in MAX_ENTRIES} for ticket in tickets
    ]


def test_head_runs_no_query(client: FlaskClient, database_url: str) -> None:
    with locked_tickets(database_url):
        answer = client.head(f"{EXPORT}?format=csv")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", "text/csv")
    assert "Content-Length" not in answer.headers
    assert client.head(f"{EXPORT}?format=xml").status_code == 400


def test_head_works_under_gunicorn_too(service: Service) -> None:
    request = f"HEAD {EXPORT} HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    first, second = service.raw(request.encode()).split(b"\r\n\r\n", 1)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 200 ")
    assert second.endswith(b'{"status":"alive"}')


def test_it_is_503_when_the_database_fails_at_first(make_app: Callable[..., Flask], database_url: str) -> None:
    client = make_app(lock_timeout=0.3).test_client()
    with locked_tickets(database_url):
        problem(client.get(EXPORT), 503)
    problem(make_app(database_url="postgresql://127.0.0.1:1/x").test_client().get(EXPORT), 503)
    assert client.get(EXPORT).status_code == 200


# --- callers who read slowly, go away, or are too many; each export here has far more than sockets hold


@pytest.fixture(scope="module")
def impatient(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One worker, which runs two exports at once and waits a second for a part to be read."""
    settings = {"WEB_CONCURRENCY": "1", "BULK_CALLS": "2", "BULK_STALL_TIMEOUT": "1"}
    with serve(database_url, tmp_path_factory.mktemp("impatient") / "log", **settings) as service:
        yield service


@pytest.fixture
def large(database: Connection, clean: None) -> None:
    """20,000 tickets of 1,500 bytes."""
    database.execute(
        """
        INSERT INTO tickets (title, description, created_at)
        SELECT 'Ticket ' || n, repeat('x', 1500), '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 minute'
        FROM generate_series(1, 20000) AS n
        """
    )


class Reader:
    """Begins an export, and reads of it what it is told to."""

    def __init__(self, service: Service) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", service.port))
        self.socket.sendall(f"GET {EXPORT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        assert self.response.status == 200

    def rest(self) -> list[bytes]:
        """The remaining lines. Raises http.client.IncompleteRead or OSError when they are not all there."""
        return self.response.read().splitlines()

    def close(self) -> None:
        self.response.close()
        self.socket.close()


def running(database: Connection) -> int:
    row = database.execute(f"SELECT count(*) {RUNNING}".encode()).fetchone()
    assert row
    return int(str(row[0]))


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_it_is_one_snapshot(service: Service, database: Connection) -> None:
    with closing(Reader(service)) as reader:
        wait_until(lambda: running(database) == 1)
        database.execute("UPDATE tickets SET title = 'changed', status = 'closed'")
        database.execute("DELETE FROM tickets WHERE created_at > '2026-01-02'")
        insert(database, "new", "2026-01-01T12:00:00Z")
        found = [json.loads(line) for line in reader.rest()]
    assert [ticket["title"] for ticket in found] == [f"Ticket {number}" for number in range(1, 20_001)]
    assert {ticket["status"] for ticket in found} == {"open"}


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_caller_who_does_not_read_is_cut_off(impatient: Service, database: Connection) -> None:
    with closing(Reader(impatient)) as reader:
        wait_until(lambda: running(database) == 1)
        assert impatient.call("GET", "/livez").status == 200
        wait_until(lambda: running(database) == 0)
        with pytest.raises((http.client.IncompleteRead, OSError)):
            reader.rest()
    wait_until(lambda: "an export broke off" in impatient.log.read_text())


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_caller_who_goes_away_frees_the_connection(service: Service, database: Connection) -> None:
    reader = Reader(service)
    wait_until(lambda: running(database) == 1)
    reader.close()
    wait_until(lambda: running(database) == 0)


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_more_exports_than_may_run_are_turned_away(impatient: Service, database: Connection) -> None:
    with closing(Reader(impatient)), closing(Reader(impatient)):
        answer = impatient.call("GET", EXPORT)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert impatient.call("GET", URL).status == 200
    wait_until(lambda: running(database) == 0)
    wait_until(lambda: impatient.call("GET", EXPORT).status == 200)


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_what_fails_later_does_not_look_complete(service: Service, database: Connection) -> None:
    with closing(Reader(service)) as reader:
        wait_until(lambda: running(database) == 1)
        database.execute(f"SELECT pg_terminate_backend(pid) {RUNNING}".encode())
        with pytest.raises((http.client.IncompleteRead, OSError)):
            reader.rest()


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_long_export_does_not_hold_up_others(impatient: Service) -> None:
    with in_background() as threads:
        call = threads.submit(impatient.call, "GET", EXPORT)
        meanwhile = 0
        while not call.done():
            assert impatient.call("GET", "/livez").status == 200
            meanwhile += not call.done()
        assert call.result().body.count(b"\n") == 20_000
    assert meanwhile >= 5


@pytest.mark.slow
@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("patience", [10, 1])
def test_an_export_at_the_end_of_the_service(
    database_url: str, tmp_path: Path, database: Connection, patience: int
) -> None:
    """It is finished when there is time for it, and broken off when there is not."""
    with (
        serve(database_url, tmp_path / "log", GUNICORN_CMD_ARGS=f"--graceful-timeout {patience}") as service,
        closing(Reader(service)) as reader,
    ):
        wait_until(lambda: running(database) == 1)
        service.process.send_signal(signal.SIGTERM)
        if patience > 1:
            assert len(reader.rest()) == 20_000
        else:
            assert service.process.wait(60) == 0
            with pytest.raises((http.client.IncompleteRead, OSError)):
                reader.rest()
        assert service.process.wait(60) == 0
    wait_until(lambda: running(database) == 0)


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_memory_is_flat(database_url: str, tmp_path: Path) -> None:
    def worker_kilobytes(service: Service) -> int:
        pid = service.process.pid
        (worker,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        (line,) = [line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1])

    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service:
        assert service.call("GET", f"{EXPORT}?created_before=2026-01-02").status == 200
        before = worker_kilobytes(service)
        assert len(service.call("GET", EXPORT).body) > 30_000_000
        assert worker_kilobytes(service) - before < 4_000


def test_exports_are_logged(service: Service) -> None:
    service.call("POST", URL, TICKET)
    answer = service.call("GET", EXPORT)

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in service.log.read_text().splitlines()]
        return [line for line in found if line["request_id"] == answer.headers["X-Request-Id"]]

    wait_until(lambda: "exported" in [line["message"] for line in lines()])
    (line,) = [line for line in lines() if line["message"] == "exported"]
    assert line["tickets"] == 1
