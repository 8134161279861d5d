"""GET /api/tickets/export/."""

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
from tests.support.tickets import TICKET, URL, field_errors, file_ticket, insert, insert_many, problem
from ticketsvc.store.exports import CSV_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service
    from tests.support.tickets import Connection

EXPORT = f"{URL}export/"
FIELDS = ("title", "description", "category", "priority", "status", "created_at", "updated_at", "resolved_at")

RUNNING = """
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'ticketsvc' AND state = 'active' AND query LIKE 'SELECT CASE%'
"""


def exported(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    """Return the tickets of an NDJSON export, without what lists leave out."""
    tickets = complete(client, query)
    for ticket in tickets:
        ticket["triage"] = {
            field: {name: value for name, value in decision.items() if value is not None}
            for field, decision in ticket["triage"].items()
        }
    return tickets


def complete(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    """Return the tickets of an NDJSON export."""
    response = client.get(EXPORT + query)
    assert (response.status_code, response.content_type) == (200, "application/x-ndjson")
    assert response.data == b"" or response.data.endswith(b"\n")
    return [json.loads(line) for line in response.data.splitlines()]


def records(data: bytes) -> list[dict[str, str]]:
    """Return the tickets of a CSV export."""
    assert data.startswith(CSV_HEADER)
    assert data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def test_it_works(client: FlaskClient) -> None:
    first, second = file_ticket(client, title="first"), file_ticket(client, title="second")
    assert exported(client) == [first, second]
    response = client.get(EXPORT)
    assert response.headers["Content-Disposition"] == 'attachment; filename="tickets.ndjson"'
    assert response.headers["Cache-Control"] == "no-store"


def test_it_works_under_gunicorn(service: Service, database: Connection) -> None:
    insert_many(database, 1000)
    response = service.call("GET", EXPORT)
    assert response.headers["Transfer-Encoding"] == "chunked"
    found = [json.loads(line)["title"] for line in response.body.splitlines()]
    assert found == [f"Ticket {number}" for number in range(1, 1001)]
    assert service.call("GET", f"{EXPORT}?format=csv").body.count(b"\r\n") == 1001


def test_only_line_feeds_end_a_line(client: FlaskClient) -> None:
    ticket = file_ticket(
        client, title="\x85Next\u2028line\u2029", description="a\x0bb\x0cc\x1cd\x1ee\x85f\u2028g\rh\ni"
    )
    (line,) = client.get(EXPORT).get_data(as_text=True).splitlines()
    assert [json.loads(line)[name] for name in TICKET] == [ticket[name] for name in TICKET]


def test_csv_works(client: FlaskClient) -> None:
    text = 'He said "no, never"\r\nand\nleft,, 🎫\\ =1+1\t'
    ticket = file_ticket(client, title='"quoted"', description=f"={text}.")
    response = client.get(f"{EXPORT}?format=csv")
    assert response.content_type == "text/csv; charset=utf-8; header=present"
    assert response.headers["Content-Disposition"] == 'attachment; filename="tickets.csv"'
    (record,) = records(response.data)
    cells = {name: str(value or "") for name, value in ticket.items() if name != "triage"}
    assert record == cells


PEOPLE: list[dict[str, Any]] = [
    {},
    {"requester": 'Kim "K." Lee, kim@example.com', "assignee": "ana"},
    {"tags": ["vat", "wrong address"], "metadata": {"order": "17"}},
    {"tags": ["a,b", "c"], "metadata": {"a.b": 'x,"y"', "empty": "", "line": "1\r\n2\u2028"}},
    {"tags": ["[urgent"]},
    {"tags": ['say "no"', "\\", "{}", "null"]},
]


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_an_import_of_an_export_keeps_all_fields(client: FlaskClient, database: Connection, file_format: str) -> None:
    for number, people in enumerate(PEOPLE):
        file_ticket(client, title=f"Ticket {number}", **people)
    late = "'2024-03-01T10:00:00.500Z'::timestamptz"
    database.execute(
        f"UPDATE tickets SET created_at = {late} - '1 day'::interval, first_response_at = {late}, resolved_at = {late}"
        " WHERE tags IS NOT NULL".encode()
    )
    before, response = complete(client), client.get(f"{EXPORT}?format={file_format}")
    assert [set(ticket) for ticket in before] == [set(before[0])] * len(PEOPLE)
    for ticket in before:
        assert client.delete(URL + ticket["id"]).status_code == 204
    sent = client.post(f"{URL}import/", data=response.data, content_type=response.content_type)
    assert sent.status_code == 200, sent.text
    lost = {"id", "version", "triage"}
    after = [{name: value for name, value in ticket.items() if name not in lost} for ticket in complete(client)]
    expected = [{name: value for name, value in ticket.items() if name not in lost} for ticket in before]
    assert sorted(after, key=lambda ticket: ticket["title"]) == expected
    found = client.get(f"{URL}?metadata[order]=17&tags=vat").get_json()
    assert [ticket["title"] for ticket in found] == ["Ticket 2"]


def test_ndjson_has_the_members_of_a_ticket_in_its_order(client: FlaskClient) -> None:
    ticket = file_ticket(client, requester="kim", tags=["b", "a"])
    assert [list(line) for line in complete(client)] == [list(ticket)]


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_an_export_without_tickets_is_empty(client: FlaskClient, file_format: str) -> None:
    response = client.get(f"{EXPORT}?format={file_format}")
    assert (response.status_code, response.data) == (200, CSV_HEADER if file_format == "csv" else b"")


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
        ("text/csv, */*", "text/csv; charset=utf-8; header=present"),
        ("application/json", "application/x-ndjson"),
        ("application/problem+json", "application/x-ndjson"),
        ("text/csv, application/problem+json", "text/csv; charset=utf-8; header=present"),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/x-ndjson"),
        ("x", "application/x-ndjson"),
    ],
)
def test_accept_chooses_the_format(client: FlaskClient, accept: str | None, content_type: str) -> None:
    response = client.get(EXPORT, headers={"Accept": accept} if accept else {})
    assert (response.status_code, response.content_type) == (200, content_type)
    assert response.headers["Vary"] == "Accept, Accept-Encoding"


def test_the_parameter_overrides_accept(client: FlaskClient) -> None:
    response = client.get(f"{EXPORT}?format=csv", headers={"Accept": "application/json"})
    assert response.mimetype == "text/csv"


@pytest.mark.parametrize("accept", ["text/html", "text/csv;q=0", "image/*, text/plain"])
def test_it_is_406_if_no_format_is_acceptable(client: FlaskClient, accept: str) -> None:
    assert "text/csv" in problem(client.get(EXPORT, headers={"Accept": accept}), 406)["error"]


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("format=xml", {"format": "not_allowed"}),
        ("format=CSV", {"format": "not_allowed"}),
        ("format=csv&format=csv", {"format": "repeated"}),
        ("status=new&created_since=x", {"status": "not_allowed", "created_since": "not_allowed"}),
        ("sort=created_at", {"sort": "unknown"}),
        ("limit=5&cursor=x&count=true", {"limit": "unknown", "cursor": "unknown", "count": "unknown"}),
    ],
)
def test_it_rejects_invalid_parameters(client: FlaskClient, query: str, errors: dict[str, str]) -> None:
    assert field_errors(client.get(f"{EXPORT}?{query}")) == errors


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
def test_it_supports_the_filters_of_the_list(client: FlaskClient, database: Connection, query: str) -> None:
    insert_many(database, 300)
    assert exported(client, f"?{query}") == client.get(f"{URL}?{query}&sort=created_at&limit=500").get_json()


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_an_export_can_be_imported(client: FlaskClient, database: Connection, file_format: str) -> None:
    texts = ['"', '""', "a,b\r\nc\n\nd\re", "🎫 字 e\u0301 \u202e", "'; --\n\\", "=1+1", "x\u2028x", "\u0001\u001f"]
    for number, text in enumerate(texts):
        ticket_id = insert(database, f"{text}.", f"2026-01-0{number + 1}T10:00:00.123Z", "2026-02-01T00:00:00Z")
        change = [f"-{text}-", ticket_id]
        database.execute("UPDATE tickets SET description = %s, status = 'closed', version = 5 WHERE id = %s", change)
    database.execute("UPDATE tickets SET resolved_at = created_at + interval '90 minutes 1 millisecond'")
    insert_many(database, 200)
    before = client.get(f"{EXPORT}?format={file_format}")
    content = before.data  # the export's transaction ends when it has been read
    tickets = complete(client)
    database.execute("TRUNCATE tickets")
    response = client.post(f"{URL}import/", data=content, content_type=before.content_type)
    ignored = ["id", "version", *(["triage"] if file_format == "ndjson" else []), "duplicate_of"]
    assert response.get_json() == {"imported": 208, "ignored": ignored}
    again = complete(client)
    assert [{name: ticket[name] for name in FIELDS} for ticket in again] == [
        {name: ticket[name] for name in FIELDS} for ticket in tickets
    ]


def test_head_runs_no_query(client: FlaskClient, database_url: str) -> None:
    with locked_tickets(database_url):
        response = client.head(f"{EXPORT}?format=csv")
    assert (response.status_code, response.data, response.mimetype) == (200, b"", "text/csv")
    assert "Content-Length" not in response.headers
    assert client.head(f"{EXPORT}?format=xml").status_code == 400


def test_head_works_under_gunicorn(service: Service) -> None:
    request = f"HEAD {EXPORT} HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    first, second = service.raw(request.encode()).split(b"\r\n\r\n", 1)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 200 ")
    assert second.endswith(b'{"status":"alive"}\n')


def test_it_is_503_if_the_database_fails_before_the_first_part(
    make_app: Callable[..., Flask], database_url: str
) -> None:
    client = make_app(lock_timeout=0.3).test_client()
    with locked_tickets(database_url):
        problem(client.get(EXPORT), 503)
    problem(make_app(database_url="postgresql://127.0.0.1:1/x").test_client().get(EXPORT), 503)
    assert client.get(EXPORT).status_code == 200


# --- clients that read slowly or disconnect, and too many clients. Each export is larger than the socket buffers.


@pytest.fixture(scope="module")
def short_timeouts(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run one worker with a stall timeout of 3 s."""
    settings = {"WEB_CONCURRENCY": "1", "BULK_STALL_TIMEOUT": "3"}
    with serve(database_url, tmp_path_factory.mktemp("short_timeouts") / "log", **settings) as service:
        yield service


@pytest.fixture
def large(database: Connection, clean: None) -> None:
    """Insert 4,000 tickets of 7,500 bytes, without triggers: most of the time goes to search texts."""
    database.execute(
        """
        SET session_replication_role = replica;
        INSERT INTO tickets (id, title, description, created_at, updated_at)
        SELECT uuid_v7(created), 'Ticket ' || n, repeat('x', 7500), created, created
        FROM generate_series(1, 4000) AS n, LATERAL (SELECT '2026-01-01Z'::timestamptz + n * interval '5 minutes')
            AS made (created);
        RESET session_replication_role
        """
    )


class Reader:
    """An export whose body is read on request."""

    def __init__(self, service: Service, client: str = "127.0.0.1") -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", service.port))
        head = f"GET {EXPORT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: {client}\r\n\r\n"
        self.socket.sendall(head.encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        assert self.response.status == 200

    def rest(self) -> list[bytes]:
        """Return the remaining lines. Raises http.client.IncompleteRead or OSError if the body is incomplete."""
        return self.response.read().splitlines()

    def close(self) -> None:
        self.response.close()
        self.socket.close()


def running_exports(database: Connection) -> int:
    row = database.execute(f"SELECT count(*) {RUNNING}".encode()).fetchone()
    assert row
    return int(str(row[0]))


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_it_is_one_snapshot(database_url: str, tmp_path: Path, database: Connection) -> None:
    """The client does not read while the changes run, so the stall timeout must be longer than they take."""
    with (
        serve(database_url, tmp_path / "log", BULK_STALL_TIMEOUT="600") as service,
        closing(Reader(service)) as reader,
    ):
        wait_until(lambda: running_exports(database) == 1)
        database.execute("UPDATE tickets SET status = 'closed'")
        database.execute("DELETE FROM tickets WHERE created_at > '2026-01-02'")
        insert(database, "new", "2026-01-01T12:00:00Z")
        found = [json.loads(line) for line in reader.rest()]
    assert [ticket["title"] for ticket in found] == [f"Ticket {number}" for number in range(1, 4_001)]
    assert {ticket["status"] for ticket in found} == {"open"}


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_client_that_does_not_read_is_disconnected(short_timeouts: Service, database: Connection) -> None:
    with closing(Reader(short_timeouts)) as reader:
        wait_until(lambda: running_exports(database) == 1)
        assert short_timeouts.call("GET", "/livez").status == 200
        wait_until(lambda: running_exports(database) == 0)
        with pytest.raises((http.client.IncompleteRead, OSError)):
            reader.rest()
    wait_until(lambda: "an export broke off" in short_timeouts.log.read_text())


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_disconnected_client_frees_the_database_connection(service: Service, database: Connection) -> None:
    reader = Reader(service)
    wait_until(lambda: running_exports(database) == 1)
    reader.close()
    wait_until(lambda: running_exports(database) == 0)


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_exports_above_the_limit_are_503(database_url: str, tmp_path: Path, database: Connection) -> None:
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1", BULK_CALLS="2") as service:
        with closing(Reader(service)):
            response = service.call("GET", EXPORT)
            assert (response.status, response.headers["Retry-After"]) == (503, "30")
            with closing(Reader(service, "192.0.2.1")):  # one client cannot take the other's place
                other = {"X-Forwarded-For": "192.0.2.2"}
                assert service.call("GET", EXPORT, headers=other).status == 503
            assert service.call("GET", URL).status == 200
        wait_until(lambda: running_exports(database) == 0)
        wait_until(lambda: service.call("GET", EXPORT).status == 200)


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_later_failure_breaks_the_connection(service: Service, database: Connection) -> None:
    with closing(Reader(service)) as reader:
        wait_until(lambda: running_exports(database) == 1)
        database.execute(f"SELECT pg_terminate_backend(pid) {RUNNING}".encode())
        with pytest.raises((http.client.IncompleteRead, OSError)):
            reader.rest()


@pytest.mark.slow
@pytest.mark.usefixtures("large")
def test_a_long_export_does_not_block_other_requests(short_timeouts: Service) -> None:
    with in_background() as threads:
        call = threads.submit(short_timeouts.call, "GET", EXPORT)
        served = 0
        while not call.done():
            assert short_timeouts.call("GET", "/livez").status == 200
            served += not call.done()
        assert call.result().body.count(b"\n") == 4_000
    assert served >= 5


@pytest.mark.slow
@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("graceful_timeout", [10, 1])
def test_an_export_during_a_shutdown(
    database_url: str, tmp_path: Path, database: Connection, graceful_timeout: int
) -> None:
    """The export is finished within the graceful timeout, and aborted after it."""
    with (
        serve(database_url, tmp_path / "log", GUNICORN_CMD_ARGS=f"--graceful-timeout {graceful_timeout}") as service,
        closing(Reader(service)) as reader,
    ):
        wait_until(lambda: running_exports(database) == 1)
        service.process.send_signal(signal.SIGTERM)
        if graceful_timeout > 1:
            assert len(reader.rest()) == 4_000
        else:
            assert service.process.wait(60) == 0
            with pytest.raises((http.client.IncompleteRead, OSError)):
                reader.rest()
        assert service.process.wait(60) == 0
    wait_until(lambda: running_exports(database) == 0)


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
    response = service.call("GET", EXPORT)

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in service.log.read_text().splitlines()]
        return [line for line in found if line["request_id"] == response.headers["X-Request-Id"]]

    wait_until(lambda: "exported" in [line["message"] for line in lines()])
    (line,) = [line for line in lines() if line["message"] == "exported"]
    assert line["tickets"] == 1
