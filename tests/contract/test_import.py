"""POST /api/tickets/import/"""

from __future__ import annotations

import csv
import http.client
import io
import json
import random
import signal
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.conftest import serve
from tests.support.bodies import MALFORMED, NOT_A_CHOICE, NOT_TEXT, VALID
from tests.support.locks import in_background, locked_tickets, wait_until, wait_until_blocked
from tests.support.postgres import guest
from tests.support.tickets import LABELS, TICKET, URL, file_ticket, problem, titles
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.files.lines import split
from ticketsvc.store.postgres import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service
    from tests.support.tickets import Connection

IMPORT = f"{URL}import/"
NDJSON = "application/x-ndjson"
OURS = (
    "FROM pg_stat_activity WHERE application_name = 'ticketsvc' AND query LIKE 'COPY%' AND datname = current_database()"
)
SORT_IN = queries.load("files.index").text
NO_AUTOVACUUM = "ALTER TABLE ticket_texts SET (autovacuum_enabled = off)"
"""It would sort them in too."""

NOT_A_TIME: list[object] = [
    *("yesterday", "2025-02-30", "2025-01-01T24:00:00Z", "2025-01-01T00:00:00", "infinity", "-infinity", "now"),
    *(0, 1.5, True, [], {}, "\0", "\ud800"),
]


def ndjson(*tickets: object) -> bytes:
    """A file with these, one a line."""
    return "".join(json.dumps(ticket) + "\n" for ticket in tickets).encode()


def table(*records: Iterable[str]) -> bytes:
    """A CSV file with these."""
    text = io.StringIO()
    csv.writer(text).writerows(records)
    return text.getvalue().encode()


def send(client: FlaskClient, body: bytes, content_type: str = NDJSON) -> TestResponse:
    return client.post(IMPORT, data=body, content_type=content_type)


def imported(client: FlaskClient, body: bytes, content_type: str = NDJSON) -> int:
    answer = send(client, body, content_type)
    assert answer.status_code == 200, answer.text
    assert list(answer.get_json()) == ["imported"]
    number: int = answer.get_json()["imported"]
    return number


def line_faults(answer: TestResponse) -> list[tuple[int, str, str]]:
    """Line, pointer and code of each fault."""
    found = problem(answer, 400)
    for fault in found["errors"]:
        assert list(fault) == ["line", "pointer", "detail", "code"]
        assert fault["detail"].endswith(".")
    return [(fault["line"], fault["pointer"], fault["code"]) for fault in found["errors"]]


def stored(client: FlaskClient) -> list[dict[str, Any]]:
    tickets: list[dict[str, Any]] = client.get(f"{URL}?sort=created_at&limit=500").get_json()
    return tickets


def test_it_works(client: FlaskClient) -> None:
    given = {
        **TICKET,
        "category": "Billing",
        "priority": "HIGH",
        "status": "Resolved",
        "created_at": "2025-03-01T12:00:00.123+01:00",
        "updated_at": "2025-03-02",
        "id": "taken for nothing",
        "colour": {"unknown": [1, 2.5e3]},
    }
    assert imported(client, ndjson(given)) == 1
    (ticket,) = stored(client)
    assert {name: ticket[name] for name in (*TICKET, *LABELS, "status", "created_at", "updated_at", "version")} == {
        **TICKET,
        "category": "billing",
        "priority": "high",
        "status": "resolved",
        "created_at": "2025-03-01T11:00:00.123Z",
        "updated_at": "2025-03-02T00:00:00.000Z",
        "version": 1,
    }
    assert ticket["triage"] == {"category": {"source": "caller"}, "priority": {"source": "caller"}}


def test_it_works_under_gunicorn_too(service: Service) -> None:
    answer = service.call("POST", IMPORT, ndjson(*[TICKET] * 5000), {"Content-Type": NDJSON})
    assert (answer.status, answer.json) == (200, {"imported": 5000})
    assert service.call("GET", f"{URL}stats/").json["total_tickets"] == 5000


def test_csv_works(client: FlaskClient) -> None:
    body = table(
        ["status", "title", "colour", "description", "created_at", "priority"],
        ["closed", " One ", "red", 'He said "no, never"\r\nand\nleft, 🎫', "2025-01-01", "LOW"],
        ["", "Two", "", "=1+1", "", ""],
    )
    assert imported(client, body, "text/csv") == 2
    first, second = stored(client)
    assert (first["title"], first["description"]) == ("One", 'He said "no, never"\r\nand\nleft, 🎫')
    assert (first["status"], first["priority"], first["category"]) == ("closed", "low", "general")
    assert (second["description"], second["status"], second["priority"]) == ("=1+1", "open", "medium")


@pytest.mark.parametrize("content_type", [NDJSON, "application/jsonl", "application/ndjson; charset=UTF-8"])
@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"", 0),
        (b"\n \r\n\t\n", 0),
        (VALID, 1),
        (VALID + b"\r\n\r\n" + VALID + b"\r\n", 2),
        (b"\xef\xbb\xbf" + VALID + b"\n" + VALID, 2),
        (b"\xef\xbb\xbf", 0),
    ],
)
def test_lines_may_end_and_begin_in_any_way(client: FlaskClient, content_type: str, body: bytes, count: int) -> None:
    assert imported(client, body, content_type) == count
    assert len(stored(client)) == count


@pytest.mark.parametrize(
    "body",
    [
        b"title,description\na,b",
        b"\xef\xbb\xbftitle,description\r\na,b\r\n",
        b'\xef\xbb\xbf"title","description"\r\n\r\n"a","b"\r\n',
        b"\r\ntitle,description,\na,b,c\n\n",
    ],
)
def test_csv_may_be_written_in_any_way(client: FlaskClient, body: bytes) -> None:
    assert imported(client, body, "text/csv") == 1
    assert titles(client) == ["a"]


def test_a_header_alone_is_no_fault(client: FlaskClient) -> None:
    assert imported(client, b"title,description", "text/csv; charset=utf-8; header=present") == 0


def test_left_out_labels_are_general_and_medium_without_a_suggestion(client: FlaskClient, database: Connection) -> None:
    text = {"title": "Refund", "description": "I was charged twice on my invoice."}
    imported(client, ndjson({**text, "category": None, "priority": "", "status": None, "created_at": ""}))
    (ticket,) = stored(client)
    assert (ticket["category"], ticket["priority"], ticket["status"]) == ("general", "medium", "open")
    assert ticket["updated_at"] == ticket["created_at"]
    suggested = "SELECT count(*) FROM tickets WHERE suggested_by IS NOT NULL"
    assert database.execute(suggested).fetchone() == (0,)


def test_imported_tickets_teach_nothing(client: FlaskClient, database: Connection) -> None:
    imported(client, ndjson(*[{**TICKET, **LABELS, "status": status} for status in STATUSES]))
    assert database.execute("SELECT count(*) FROM triage_texts").fetchone() == (0,)


def test_thousands_may_have_the_same_time(client: FlaskClient, database: Connection) -> None:
    imported(client, ndjson(*[{**TICKET, "created_at": "2025-06-01T00:00:00Z"}] * 5000))
    row = database.execute("SELECT count(DISTINCT id), min(id::text), max(id::text) FROM tickets").fetchone()
    assert row
    assert row[0] == 5000
    assert str(row[1])[:18] == str(row[2])[:18]


def test_without_a_time_they_are_new(client: FlaskClient) -> None:
    before = file_ticket(client, title="before")
    imported(client, ndjson({**TICKET, "title": "imported"}))
    file_ticket(client, title="after")
    assert titles(client) == ["after", "imported", before["title"]]


@pytest.mark.parametrize("space", [" ", "\t\r\n", "\u00a0\u2003\u3000", "\u2028\u0085\u001c", "\u1680\u205f\u202f"])
def test_it_trims_as_create_does(client: FlaskClient, space: str) -> None:
    text = {"title": f"{space}a{space}b{space}", "description": f"{space}c{space}"}
    created = file_ticket(client, **text)
    imported(client, ndjson(text))
    first, second = stored(client)
    assert (first["title"], first["description"]) == (second["title"], second["description"])
    assert first["id"] == created["id"]


@pytest.mark.parametrize("character", ["x", "字", "🎫", "\u0301"])
def test_a_title_has_at_most_200_code_points(client: FlaskClient, character: str) -> None:
    assert imported(client, ndjson({**TICKET, "title": f" {character * 200}\u3000"})) == 1
    answer = send(client, ndjson({**TICKET, "title": character * 201}))
    assert line_faults(answer) == [(1, "#/title", "too_long")]


@pytest.mark.parametrize("change", [str.upper, str.title, str.swapcase])
def test_enums_are_taken_in_any_letter_case(client: FlaskClient, change: Callable[[str], str]) -> None:
    labels = zip(CATEGORIES, PRIORITIES, STATUSES, strict=True)
    given = [{**TICKET, "category": change(c), "priority": change(p), "status": change(s)} for c, p, s in labels]
    imported(client, ndjson(*given))
    found = {(ticket["category"], ticket["priority"], ticket["status"]) for ticket in stored(client)}
    assert found == set(zip(CATEGORIES, PRIORITIES, STATUSES, strict=True))


# --- faults


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_it_rejects_a_malformed_line(client: FlaskClient, body: bytes) -> None:
    """Those that have no line break in them, between two good lines; a blank line is none."""
    if b"\n" in body or not body.strip():
        return
    answer = send(client, VALID + b"\n" + body + b"\n" + VALID)
    assert line_faults(answer) == [(2, "#", "unreadable")]
    assert stored(client) == []


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
def test_it_rejects_what_is_no_text_as_create_does(client: FlaskClient, field: str, value: object) -> None:
    answer = send(client, ndjson(TICKET, {**TICKET, field: value}))
    created = client.post(URL, data=json.dumps({**TICKET, field: value}), content_type="application/json")
    (fault,) = created.get_json()["errors"]
    assert line_faults(answer) == [(2, f"#/{field}", fault["code"])]
    assert field in answer.get_json()["errors"][0]["detail"]


@pytest.mark.parametrize("field", ["category", "priority", "status"])
@pytest.mark.parametrize("value", NOT_A_CHOICE)
def test_it_rejects_what_is_no_choice(client: FlaskClient, field: str, value: object) -> None:
    answer = send(client, ndjson({**TICKET, field: value}))
    assert line_faults(answer) == [(1, f"#/{field}", "not_allowed")]
    allowed = {"category": CATEGORIES, "priority": PRIORITIES, "status": STATUSES}[field]
    assert all(word in answer.get_json()["errors"][0]["detail"] for word in allowed)


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((value, "not_allowed") for value in NOT_A_TIME),
        ("10000-01-01T00:00:00Z", "not_allowed"),
        ("0001-01-01T00:00:00+01:00", "not_allowed"),
        ("1969-12-31T23:59:59.999Z", "out_of_range"),
        ("0001-01-01", "out_of_range"),
    ],
)
def test_it_rejects_a_bad_time(client: FlaskClient, field: str, value: object, code: str) -> None:
    assert line_faults(send(client, ndjson({**TICKET, field: value}))) == [(1, f"#/{field}", code)]


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
def test_it_takes_the_first_and_the_last_time(client: FlaskClient, time: str) -> None:
    imported(client, ndjson({**TICKET, "created_at": time}))
    assert stored(client)[0]["created_at"][:19] == time[:19]


def test_nothing_is_updated_before_it_was_created(client: FlaskClient) -> None:
    body = ndjson({**TICKET, "created_at": "2025-01-02", "updated_at": "2025-01-01T23:59:59.999999Z"})
    assert line_faults(send(client, body)) == [(1, "#/updated_at", "out_of_range")]


def test_it_tells_all_faults_of_all_lines_at_once(client: FlaskClient) -> None:
    body = ndjson(
        TICKET,
        {"title": " ", "description": 5, "category": "x", "priority": [], "status": "new", "created_at": "x"},
        {},
        TICKET,
        {"title": None, "description": "\0"},
    )
    answer = send(client, body + b"[\n")
    assert line_faults(answer) == [
        (2, "#/title", "empty"),
        (2, "#/description", "wrong_type"),
        (2, "#/category", "not_allowed"),
        (2, "#/priority", "not_allowed"),
        (2, "#/status", "not_allowed"),
        (2, "#/created_at", "not_allowed"),
        (3, "#/title", "required"),
        (3, "#/description", "required"),
        (5, "#/title", "wrong_type"),
        (5, "#/description", "bad_character"),
        (6, "#", "unreadable"),
    ]
    document = answer.get_json()
    assert (document["total_errors"], document["faulty_lines"]) == (11, 4)
    assert stored(client) == []


def test_it_tells_the_first_thousand_and_the_total(client: FlaskClient) -> None:
    answer = send(client, ndjson(*[TICKET, {"title": ""}] * 3000))
    found = line_faults(answer)
    assert found[:2] == [(2, "#/title", "empty"), (2, "#/description", "required")]
    assert (len(found), found[-1]) == (1000, (1000, "#/description", "required"))
    document = answer.get_json()
    assert (document["total_errors"], document["faulty_lines"]) == (6000, 3000)
    assert "1,000" in document["error"]


def test_one_bad_line_undoes_all(client: FlaskClient) -> None:
    file_ticket(client, title="here before")
    answer = send(client, ndjson(*[TICKET] * 20_000, {**TICKET, "priority": "urgent"}))
    assert line_faults(answer) == [(20_001, "#/priority", "not_allowed")]
    assert titles(client) == ["here before"]


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        ([b"a,b", b"c"], [(3, "#", "unreadable")]),
        ([b"a,b,c", b"d,e"], [(2, "#", "unreadable")]),
        ([b'"a\nb",c', b'"d"e,f', b"g,h"], [(4, "#", "unreadable")]),
        ([b'a,"b', b"c,d"], [(2, "#", "unreadable")]),
        ([b"a,b", b"\xff,c", b"d,e"], [(3, "#", "unreadable")]),
        ([b"a\rb,c"], [(2, "#", "unreadable")]),
        ([b"a,", b" ,b"], [(2, "#/description", "empty"), (3, "#/title", "empty")]),
        ([b"a\0,b"], [(2, "#/title", "bad_character")]),
        ([b'"a\n\n\nb",c', b","], [(6, "#/title", "empty"), (6, "#/description", "empty")]),
    ],
)
def test_it_rejects_bad_csv(client: FlaskClient, lines: list[bytes], faults: list[tuple[int, str, str]]) -> None:
    answer = send(client, b"\n".join([b"title,description", *lines]), "text/csv")
    assert line_faults(answer) == faults
    assert stored(client) == []


@pytest.mark.parametrize(
    "header",
    [b"", b"\n", b"a,b", b"title", b"description;title", b"title,description,title", b"Title,description", b"\xff"],
)
def test_it_rejects_a_header_without_the_columns(client: FlaskClient, header: bytes) -> None:
    answer = send(client, header + b"\na,b\nc", "text/csv")
    assert [(pointer, code) for _, pointer, code in line_faults(answer)] == [("#", "unreadable")]


@pytest.mark.parametrize("content_type", [NDJSON, "text/csv"])
def test_a_line_has_at_most_the_size_of_a_body(make_app: Callable[..., Flask], content_type: str) -> None:
    client = make_app(max_body_bytes=2000).test_client()
    long = "x" * 1900
    if content_type == NDJSON:
        good, bad = ndjson({**TICKET, "description": long}), ndjson({**TICKET, "description": long * 200})
        faults = [(2, "#", "unreadable")]
    else:
        good, bad = table(["title", "description"], ["a", long]), table(["a", long + "\n" + long], ["b", long])
        faults = [(3, "#", "unreadable")]
    assert imported(client, good, content_type) == 1
    answer = send(client, good + bad + good.splitlines()[-1], content_type)
    assert line_faults(answer) == faults
    assert "2,000 bytes" in answer.get_json()["errors"][0]["detail"]


def test_lines_are_the_same_however_they_arrive() -> None:
    data = b"\xef\xbb\xbfone\n\ntwo\r\n" + b"three" * 50 + b"\nfour"
    whole = list(split([data], 300))
    assert whole == [b"one", b"", b"two\r", b"three" * 50, b"four"]
    for size in (1, 2, 3, 7, 100):
        assert list(split([data[at : at + size] for at in range(0, len(data), size)], 300)) == whole


# --- requests


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "text/plain", "application/x-ndjson; charset=latin-1", "csv"]
)
def test_it_rejects_other_media_types(client: FlaskClient, content_type: str | None) -> None:
    answer = client.post(IMPORT, data=VALID, content_type=content_type)
    assert "application/x-ndjson" in problem(answer, 415)["error"]
    assert "text/csv" in answer.headers["Accept-Post"]


def test_it_rejects_an_encoding(client: FlaskClient) -> None:
    answer = client.post(IMPORT, data=VALID, content_type=NDJSON, headers={"Content-Encoding": "gzip"})
    problem(answer, 415)
    assert answer.headers["Accept-Encoding"] == "identity"
    identity = client.post(IMPORT, data=VALID, content_type=NDJSON, headers={"Content-Encoding": "identity"})
    assert identity.status_code == 200


def test_it_rejects_parameters(client: FlaskClient) -> None:
    assert problem(client.post(f"{IMPORT}?dry=1", data=VALID, content_type=NDJSON), 400)["errors"]


def test_the_limit_is_one_of_its_own(make_app: Callable[..., Flask]) -> None:
    client = make_app(max_body_bytes=1024, max_import_bytes=10_000).test_client()
    body = ndjson(*[TICKET] * 100)
    assert 1024 < len(body) < 10_000
    assert imported(client, body) == 100
    assert "10,000" in problem(send(client, body * 2), 413)["error"]
    assert len(stored(client)) == 100


def test_the_limit_holds_for_chunks_too(database_url: str, tmp_path: Path, clean: None) -> None:
    with serve(database_url, tmp_path / "log", MAX_IMPORT_BYTES="100000") as service:
        for count, status in [(1000, 200), (2000, 413)]:
            with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as connection:
                parts = iter([ndjson(TICKET)] * count)
                connection.request("POST", IMPORT, parts, {"Content-Type": NDJSON}, encode_chunked=True)
                assert connection.getresponse().status == status
        assert service.call("GET", f"{URL}stats/").json["total_tickets"] == 1000


# --- callers who stall, break off, or are too many


@pytest.fixture(scope="module")
def impatient(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One worker, which runs two imports at once, waits a second for each part, and four for all of a file."""
    settings = {"WEB_CONCURRENCY": "1", "BULK_CALLS": "2", "BULK_STALL_TIMEOUT": "1", "BULK_TIMEOUT": "4"}
    with serve(database_url, tmp_path_factory.mktemp("impatient") / "log", **settings) as service:
        yield service


def begin(service: Service, body: bytes, length: int = 1_000_000) -> socket.socket:
    """Begin an upload that announces more than it sends."""
    connection = socket.create_connection(("127.0.0.1", service.port), 30)
    head = f"POST {IMPORT} HTTP/1.1\r\nHost: x\r\nContent-Type: {NDJSON}\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def copies(database: Connection) -> int:
    row = database.execute(f"SELECT count(*) {OURS}".encode()).fetchone()
    assert row
    return int(str(row[0]))


@pytest.mark.usefixtures("clean")
def test_a_caller_who_goes_away_leaves_nothing(impatient: Service, database: Connection) -> None:
    connection = begin(impatient, ndjson(*[TICKET] * 2000))
    wait_until(lambda: copies(database) == 1)
    connection.close()
    wait_until(lambda: copies(database) == 0)
    assert impatient.call("GET", URL).json == []


@pytest.mark.usefixtures("clean")
def test_a_caller_who_stalls_is_cut_off(impatient: Service, database: Connection) -> None:
    with closing(begin(impatient, ndjson(*[TICKET] * 2000))) as connection:
        wait_until(lambda: copies(database) == 1)
        assert impatient.call("GET", "/livez").status == 200
        wait_until(lambda: copies(database) == 0)
        while connection.recv(65536):
            pass
    assert impatient.call("GET", URL).json == []
    assert "cut off a caller" in impatient.log.read_text()


@pytest.mark.usefixtures("clean")
def test_a_caller_who_drips_is_cut_off(impatient: Service, database: Connection) -> None:
    with closing(begin(impatient, ndjson(*[TICKET] * 10))) as connection:
        wait_until(lambda: copies(database) == 1)

        def drip() -> bool:
            try:
                connection.sendall(b" ")
            except OSError:
                return True
            return copies(database) == 0

        wait_until(drip)
    assert impatient.call("GET", URL).json == []


@pytest.mark.usefixtures("clean")
def test_more_imports_than_may_run_are_turned_away(impatient: Service, database: Connection) -> None:
    with closing(begin(impatient, VALID)), closing(begin(impatient, VALID)):
        wait_until(lambda: copies(database) == 2)
        answer = impatient.call("POST", IMPORT, VALID, {"Content-Type": NDJSON})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert impatient.call("POST", URL, TICKET).status == 201
        wait_until(lambda: copies(database) == 0)
    wait_until(lambda: impatient.call("POST", IMPORT, VALID, {"Content-Type": NDJSON}).status == 200)


@pytest.mark.slow
def test_a_long_import_does_not_hold_up_others(database_url: str, tmp_path: Path, clean: None) -> None:
    """Its data is always there, so it never waits: others have to get their turn all the same."""
    body = ndjson(*[{**TICKET, "description": "x" * 50, "n": list(range(100))}] * 20_000)
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service, in_background() as threads:
        call = threads.submit(service.call, "POST", IMPORT, body, {"Content-Type": NDJSON})
        meanwhile = 0
        while not call.done():
            assert service.call("GET", "/livez").status == 200
            meanwhile += not call.done()
        assert call.result().json == {"imported": 20_000}
    assert meanwhile >= 5


@pytest.mark.slow
def test_memory_is_flat(database_url: str, tmp_path: Path, clean: None) -> None:
    lines = [ndjson({**TICKET, "description": "x" * size}) for size in range(300, 700)]
    random.Random(1).shuffle(lines)
    part = b"".join(lines)

    def worker_kilobytes(service: Service) -> int:
        pid = service.process.pid
        (worker,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        (line,) = [line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1])

    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service:

        def send_parts(count: int) -> None:
            with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=300)) as connection:
                headers = {"Content-Type": NDJSON, "Content-Length": str(len(part) * count)}
                connection.request("POST", IMPORT, iter([part] * count), headers)
                response = connection.getresponse()
                assert (response.status, json.loads(response.read())) == (200, {"imported": 400 * count})

        send_parts(10)
        before = worker_kilobytes(service)
        send_parts(500)  # 200,000 lines, some 110 MB
        assert worker_kilobytes(service) - before < 8_000


# --- beside other work


@pytest.mark.slow
def test_the_end_of_the_service_undoes_an_import(database_url: str, tmp_path: Path, database: Connection) -> None:
    database.execute("TRUNCATE tickets")
    with serve(database_url, tmp_path / "log", GUNICORN_CMD_ARGS="--graceful-timeout 1") as service:
        with closing(begin(service, ndjson(*[TICKET] * 2000))):
            wait_until(lambda: copies(database) == 1)
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(60) == 0
        wait_until(lambda: copies(database) == 0)
    assert database.execute("SELECT count(*) FROM tickets").fetchone() == (0,)


@pytest.mark.slow
def test_an_import_under_way_is_finished_at_the_end(database_url: str, tmp_path: Path, database: Connection) -> None:
    database.execute("TRUNCATE tickets")
    body = ndjson(*[TICKET] * 2000)
    with (
        serve(database_url, tmp_path / "log") as service,
        closing(begin(service, body[:-100], len(body))) as connection,
    ):
        wait_until(lambda: copies(database) == 1)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        connection.sendall(body[-100:])
        assert b'{"imported": 2000}' in b"".join(iter(lambda: connection.recv(65536), b""))
        assert service.process.wait(60) == 0


def test_its_texts_are_in_the_index_when_it_ends(client: FlaskClient, database: Connection) -> None:
    """Else whoever creates the next ticket would sort them in."""
    imported(client, ndjson(*[TICKET] * 3000))
    assert database.execute(SORT_IN).fetchone() == (0,)


def test_the_only_connection_of_a_pool_is_left_to_the_calls(make_app: Callable[..., Flask], own_url: str) -> None:
    client = make_app(database_url=own_url, pool_size=1).test_client()
    with psycopg.connect(own_url, autocommit=True) as owner:
        owner.execute(NO_AUTOVACUUM)
        assert imported(client, ndjson(*[TICKET] * 3000)) == 3000
        assert owner.execute(SORT_IN).fetchone() != (0,)


def test_who_does_not_own_the_index_can_import_too(make_app: Callable[..., Flask], own_url: str) -> None:
    client = make_app(database_url=guest(own_url)).test_client()
    with psycopg.connect(own_url, autocommit=True) as owner:
        owner.execute(NO_AUTOVACUUM)
        assert imported(client, ndjson(*[TICKET] * 3000)) == 3000
        assert owner.execute(SORT_IN).fetchone() != (0,)


def test_tickets_are_stored_in_the_order_of_creation(client: FlaskClient, database: Connection) -> None:
    days = random.sample(range(1, 29), 28)
    imported(client, ndjson(*[{**TICKET, "created_at": f"2025-02-{day:02}"} for day in days]))
    rows = database.execute("SELECT id FROM ticket_texts ORDER BY ctid").fetchall()
    assert rows == sorted(rows)


def test_a_failing_database_is_503_and_leaves_nothing(make_app: Callable[..., Flask], database_url: str) -> None:
    client = make_app(bulk_timeout=0.5).test_client()
    with locked_tickets(database_url):
        assert problem(send(client, ndjson(TICKET)), 503)
    assert stored(client) == []
    away = make_app(database_url="postgresql://127.0.0.1:1/x").test_client()
    assert problem(send(away, ndjson(TICKET)), 503)


def test_it_waits_for_locks_only_at_its_end(client: FlaskClient, database_url: str, database: Connection) -> None:
    """While the lines arrive nobody waits for an import, and it for nobody; so no deadlock can come of it."""
    ticket = file_ticket(client)
    with locked_tickets(database_url) as holder, in_background() as threads:
        call = threads.submit(imported, client, ndjson(*[TICKET] * 3000))
        wait_until_blocked(holder)
        holder.execute("UPDATE tickets SET status = 'closed'")
        holder.commit()
        assert call.result() == 3000
    assert client.get(URL + ticket["id"]).get_json()["status"] == "closed"
