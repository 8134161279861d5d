"""POST /api/tickets/import/."""

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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.conftest import serve
from tests.support.bodies import MALFORMED, NOT_A_CHOICE, NOT_TEXT, VALID
from tests.support.locks import in_background, locked_tickets, wait_until, wait_until_blocked
from tests.support.postgres import guest
from tests.support.tickets import LABELS, TICKET, URL, count_rows, file_ticket, problem, titles
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.files import csv_reader, ndjson_reader
from ticketsvc.files.lines import split
from ticketsvc.files.options import Options
from ticketsvc.files.rows import Rows
from ticketsvc.problems import InvalidFile, LineError, Unavailable
from ticketsvc.store import imports
from ticketsvc.store.history import NO_AUTHOR
from ticketsvc.store.imports import StagedTicket
from ticketsvc.store.postgres import queries, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service
    from tests.support.tickets import Connection
    from ticketsvc.store.imports import Line

IMPORT = f"{URL}import/"
NDJSON = "application/x-ndjson"
RUNNING_COPY = (
    "FROM pg_stat_activity WHERE application_name = 'ticketsvc' AND query LIKE 'COPY%' AND datname = current_database()"
)
COPIED = """
SELECT coalesce(sum(tuples_processed), 0)::int FROM pg_stat_progress_copy WHERE datname = current_database()
"""
INDEX_PENDING = queries.load("tickets.index_pending").text
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()

NOT_A_TIME: list[object] = [
    *("yesterday", "2025-02-30", "2025-01-01T24:00:00Z", "2025-01-01T00:00:00", "infinity", "-infinity", "now"),
    *(0, 1.5, True, [], {}, "\0", "\ud800"),
]


def ndjson(*tickets: object) -> bytes:
    """Return an NDJSON file with one object per line."""
    return "".join(json.dumps(ticket) + "\n" for ticket in tickets).encode()


def table(*records: Iterable[str]) -> bytes:
    """Return a CSV file with these records."""
    text = io.StringIO()
    csv.writer(text).writerows(records)
    return text.getvalue().encode()


def send(client: FlaskClient, body: bytes, content_type: str = NDJSON) -> TestResponse:
    return client.post(IMPORT, data=body, content_type=content_type)


def imported(client: FlaskClient, body: bytes, content_type: str = NDJSON) -> int:
    response = send(client, body, content_type)
    assert response.status_code == 200, response.text
    assert list(response.get_json()) == ["imported", "ignored"]
    number: int = response.get_json()["imported"]
    return number


def line_errors(response: TestResponse) -> list[tuple[int, str, str]]:
    """Check the errors of a response and return the line, pointer and code of each."""
    found = problem(response, 400)
    for error in found["errors"]:
        assert list(error) == ["line", "pointer", "detail", "code"]
        assert error["detail"].endswith(".")
    return [(error["line"], error["pointer"], error["code"]) for error in found["errors"]]


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
        "id": "ignored",
        "colour": {"unknown": [1, 2.5e3]},
    }
    assert imported(client, ndjson(given)) == 1
    (ticket,) = stored(client)
    names = (*TICKET, *LABELS, "status", "created_at", "updated_at", "version")
    assert {name: ticket[name] for name in names} == {
        **TICKET,
        "category": "billing",
        "priority": "high",
        "status": "resolved",
        "created_at": "2025-03-01T11:00:00.123Z",
        "updated_at": "2025-03-02T00:00:00.000Z",
        "version": 1,
    }
    assert ticket["triage"] == {"category": {"source": "caller"}, "priority": {"source": "caller"}}


def test_it_works_under_gunicorn(service: Service) -> None:
    response = service.call("POST", IMPORT, ndjson(*[TICKET] * 5000), {"Content-Type": NDJSON})
    assert (response.status, response.json) == (200, {"imported": 5000, "ignored": []})
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
def test_ndjson_accepts_bom_blank_lines_and_line_endings(
    client: FlaskClient, content_type: str, body: bytes, count: int
) -> None:
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
def test_csv_accepts_bom_quotes_and_line_endings(client: FlaskClient, body: bytes) -> None:
    assert imported(client, body, "text/csv") == 1
    assert titles(client) == ["a"]


def test_a_header_without_records_is_valid(client: FlaskClient) -> None:
    assert imported(client, b"title,description", "text/csv; charset=utf-8; header=present") == 0


def test_missing_labels_become_general_and_medium(client: FlaskClient, database: Connection) -> None:
    text = {"title": "Refund", "description": "I was charged twice on my invoice."}
    imported(client, ndjson({**text, "category": None, "priority": "", "status": None, "created_at": ""}))
    (ticket,) = stored(client)
    assert (ticket["category"], ticket["priority"], ticket["status"]) == ("general", "medium", "open")
    assert ticket["updated_at"] == ticket["created_at"]
    suggested = "SELECT count(*) FROM tickets WHERE suggested_by IS NOT NULL"
    assert database.execute(suggested).fetchone() == (0,)


def test_imported_tickets_are_no_training_examples(client: FlaskClient, database: Connection) -> None:
    imported(client, ndjson(*[{**TICKET, **LABELS, "status": status} for status in STATUSES]))
    assert database.execute("SELECT count(*) FROM triage_text_counts").fetchone() == (0,)


def test_thousands_of_tickets_may_have_the_same_time(client: FlaskClient, database: Connection) -> None:
    imported(client, ndjson(*[{**TICKET, "created_at": "2025-06-01T00:00:00Z"}] * 5000))
    row = database.execute("SELECT count(DISTINCT id), min(id::text), max(id::text) FROM tickets").fetchone()
    assert row
    assert row[0] == 5000
    assert str(row[1])[:18] == str(row[2])[:18]


def test_batches_are_stored_in_order_of_creation_and_counted_once(
    client: FlaskClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 100)
    days = [*range(1, 29)] * 10
    database.execute("CREATE TABLE counting (deferred boolean)")
    database.execute(
        "CREATE FUNCTION note_counting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO counting VALUES (current_setting('ticketsvc.counting') = 'deferred'); RETURN NULL; END $$"
    )
    database.execute("CREATE TRIGGER note AFTER INSERT ON tickets EXECUTE FUNCTION note_counting()")
    try:
        body = ndjson({**TICKET}, *[{**TICKET, "created_at": f"2025-06-{day:02}T00:00:00Z"} for day in days])
        imported(client, body)
        noted = database.execute("SELECT array_agg(deferred) FROM counting").fetchone()
    finally:
        database.execute("DROP TRIGGER note ON tickets; DROP FUNCTION note_counting(); DROP TABLE counting")
    assert noted == ([True, True, False],)
    stored_in_order = (
        "SELECT array_agg(created_at ORDER BY ctid) = array_agg(created_at ORDER BY created_at) FROM tickets"
    )
    assert database.execute(stored_in_order).fetchone() == (True,)
    total = "SELECT count(*), (SELECT sum(tickets) FROM counted_tickets(NULL, NULL)) FROM tickets"
    assert database.execute(total).fetchone() == (281, 281)


def test_tickets_without_a_time_are_created_now(client: FlaskClient) -> None:
    before = file_ticket(client, title="before")
    imported(client, ndjson({**TICKET, "title": "imported"}))
    file_ticket(client, title="after")
    assert titles(client) == ["after", "imported", before["title"]]


@pytest.mark.parametrize("space", [" ", "\t\r\n", "\u00a0\u2003\u3000", "\u2028\u0085\u001c", "\u1680\u205f\u202f"])
def test_it_trims_texts_as_create_does(client: FlaskClient, space: str) -> None:
    text = {"title": f"{space}a{space}b{space}", "description": f"{space}c{space}"}
    created = file_ticket(client, **text)
    imported(client, ndjson(text))
    first, second = stored(client)
    assert (first["title"], first["description"]) == (second["title"], second["description"])
    assert first["id"] == created["id"]


@pytest.mark.parametrize("character", ["x", "字", "🎫", "\u0301"])
def test_a_title_has_at_most_200_code_points(client: FlaskClient, character: str) -> None:
    assert imported(client, ndjson({**TICKET, "title": f" {character * 200}\u3000"})) == 1
    response = send(client, ndjson({**TICKET, "title": character * 201}))
    assert line_errors(response) == [(1, "#/title", "too_long")]


def test_a_description_has_at_most_65536_code_points(client: FlaskClient) -> None:
    assert imported(client, ndjson({**TICKET, "description": f" {'x' * 65_536} "})) == 1
    response = send(client, ndjson({**TICKET, "description": "x" * 65_537}))
    assert line_errors(response) == [(1, "#/description", "too_long")]


@pytest.mark.parametrize("change", [str.upper, str.title, str.swapcase])
def test_enums_are_case_insensitive(client: FlaskClient, change: Callable[[str], str]) -> None:
    labels = zip(CATEGORIES, PRIORITIES, STATUSES, strict=True)
    given = [{**TICKET, "category": change(c), "priority": change(p), "status": change(s)} for c, p, s in labels]
    imported(client, ndjson(*given))
    found = {(ticket["category"], ticket["priority"], ticket["status"]) for ticket in stored(client)}
    assert found == set(zip(CATEGORIES, PRIORITIES, STATUSES, strict=True))


# --- invalid files


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_it_rejects_a_malformed_line(client: FlaskClient, body: bytes) -> None:
    """A malformed body between two valid lines. Bodies with line breaks and blank ones are no single line."""
    if b"\n" in body or not body.strip():
        return
    response = send(client, VALID + b"\n" + body + b"\n" + VALID)
    assert line_errors(response) == [(2, "#", "unreadable")]
    assert stored(client) == []


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
def test_it_rejects_invalid_texts_as_create_does(client: FlaskClient, field: str, value: object) -> None:
    response = send(client, ndjson(TICKET, {**TICKET, field: value}))
    created = client.post(URL, data=json.dumps({**TICKET, field: value}), content_type="application/json")
    (error,) = created.get_json()["errors"]
    assert line_errors(response) == [(2, f"#/{field}", error["code"])]
    assert field in response.get_json()["errors"][0]["detail"]


@pytest.mark.parametrize("field", ["category", "priority", "status"])
@pytest.mark.parametrize("value", NOT_A_CHOICE)
def test_it_rejects_invalid_enum_values(client: FlaskClient, field: str, value: object) -> None:
    response = send(client, ndjson({**TICKET, field: value}))
    assert line_errors(response) == [(1, f"#/{field}", "not_allowed")]
    allowed = {"category": CATEGORIES, "priority": PRIORITIES, "status": STATUSES}[field]
    assert all(word in response.get_json()["errors"][0]["detail"] for word in allowed)


@pytest.mark.parametrize("field", ["created_at", "updated_at", "resolved_at", "first_response_at"])
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
def test_it_rejects_an_invalid_time(client: FlaskClient, field: str, value: object, code: str) -> None:
    assert line_errors(send(client, ndjson({**TICKET, field: value}))) == [(1, f"#/{field}", code)]


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=datetime.now(UTC).toordinal() - EPOCH)])
def test_it_accepts_the_earliest_and_the_latest_time(client: FlaskClient, ago: timedelta) -> None:
    """All times are those of a ticket that was resolved at once. The clocks of two systems differ a little."""
    time = max(datetime.now(UTC) - ago, datetime(1970, 1, 1, tzinfo=UTC)).isoformat()
    imported(client, ndjson({**TICKET, "created_at": time, "updated_at": time, "resolved_at": time}))
    assert stored(client)[0]["created_at"][:19] == time[:19]


@pytest.mark.parametrize("field", ["created_at", "updated_at", "resolved_at", "first_response_at"])
@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(days=1), timedelta(days=365_000)])
def test_it_rejects_a_time_in_the_future(client: FlaskClient, field: str, ahead: timedelta) -> None:
    ticket = {**TICKET, "created_at": "2025-01-01", field: (datetime.now(UTC) + ahead).isoformat()}
    assert line_errors(send(client, ndjson(TICKET, ticket))) == [(2, f"#/{field}", "out_of_range")]
    assert stored(client) == []


@pytest.mark.parametrize("field", ["updated_at", "resolved_at", "first_response_at"])
@pytest.mark.parametrize("created", [{"created_at": "2025-01-02"}, {}])
def test_no_time_may_precede_created_at(client: FlaskClient, field: str, created: dict[str, str]) -> None:
    body = ndjson({**TICKET, **created, field: "2025-01-01T23:59:59.999999Z"})
    assert line_errors(send(client, body)) == [(1, f"#/{field}", "out_of_range")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("requester", "a" * 256, "too_long"),
        ("assignee", {"id": 1}, "wrong_type"),
        ("tags", {"a": 1}, "wrong_type"),
        ("tags", ["a" * 51], "not_allowed"),
        ("tags", ",".join(f"tag{number}" for number in range(21)), "too_long"),
        ("tags", "[not JSON", "wrong_type"),
        ("metadata", "a=b", "wrong_type"),
        ("metadata", ["a"], "wrong_type"),
        ("metadata", {"a b": "c"}, "not_allowed"),
        ("metadata", '{"a": 1}', "wrong_type"),
    ],
)
def test_it_rejects_invalid_people_tags_and_metadata(client: FlaskClient, field: str, value: object, code: str) -> None:
    assert line_errors(send(client, ndjson({**TICKET, field: value}))) == [(1, f"#/{field}", code)]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"requester": " Kim ", "assignee": ""}, ("Kim", None, [], {})),
        ({"tags": " VAT, address,,vat ", "metadata": ""}, (None, None, ["address", "vat"], {})),
        ({"tags": '["a,b", "C"]', "metadata": '{"k": "v"}'}, (None, None, ["a,b", "c"], {"k": "v"})),
        ({"tags": ["B", "a"], "metadata": {"k": "v", "gone": None}}, (None, None, ["a", "b"], {"k": "v"})),
        ({"tags": None, "metadata": None, "requester": None}, (None, None, [], {})),
    ],
)
def test_it_stores_people_tags_and_metadata(
    client: FlaskClient, cells: dict[str, object], expected: tuple[object, ...]
) -> None:
    imported(client, ndjson({**TICKET, **cells}))
    (ticket,) = stored(client)
    assert tuple(ticket[field] for field in ("requester", "assignee", "tags", "metadata")) == expected


def test_it_reports_all_errors_of_all_lines(client: FlaskClient) -> None:
    body = ndjson(
        TICKET,
        {"title": " ", "description": 5, "category": "x", "priority": [], "status": "new", "created_at": "x"},
        {},
        TICKET,
        {"title": None, "description": "\0"},
    )
    response = send(client, body + b"[\n")
    assert line_errors(response) == [
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
    document = response.get_json()
    assert (document["total_errors"], document["faulty_lines"]) == (11, 4)
    assert stored(client) == []


def test_it_reports_the_first_1000_errors_and_the_total(client: FlaskClient) -> None:
    response = send(client, ndjson(*[TICKET, {"title": ""}] * 3000))
    found = line_errors(response)
    assert found[:2] == [(2, "#/title", "empty"), (2, "#/description", "required")]
    assert (len(found), found[-1]) == (1000, (1000, "#/description", "required"))
    document = response.get_json()
    assert (document["total_errors"], document["faulty_lines"]) == (6000, 3000)
    assert "1,000" in document["error"]


def test_one_invalid_line_rolls_back_the_import(client: FlaskClient) -> None:
    file_ticket(client, title="existing")
    response = send(client, ndjson(*[TICKET] * 20_000, {**TICKET, "priority": "urgent"}))
    assert line_errors(response) == [(20_001, "#/priority", "not_allowed")]
    assert titles(client) == ["existing"]


@pytest.mark.parametrize(
    ("lines", "errors"),
    [
        ([b"a,b", b"c"], [(3, "#", "unreadable")]),
        ([b"a,b,c", b"d,e"], [(2, "#", "unreadable")]),
        ([b'"a\nb",c', b'"d"e,f', b"g,h"], [(4, "#", "unreadable")]),
        ([b'a,"b', b"c,d"], [(2, "#", "unreadable")]),
        ([b"a,b", b"\xff,c", b"d,e"], [(3, "#", "unreadable")]),
        ([b"a\rb,c"], [(2, "#", "unreadable")]),
        ([b"a,", b" ,b"], [(2, "#/description", "empty"), (3, "#/title", "empty")]),
        ([b"a\0,b"], [(2, "#/title", "bad_character")]),
        ([b'"a\n\n\nb",c', b"x,"], [(6, "#/description", "empty")]),
    ],
)
def test_it_rejects_invalid_csv(client: FlaskClient, lines: list[bytes], errors: list[tuple[int, str, str]]) -> None:
    response = send(client, b"\n".join([b"title,description", *lines]), "text/csv")
    assert line_errors(response) == errors
    assert stored(client) == []


@pytest.mark.parametrize(
    "header",
    [
        *(b"", b"\n", b"a,b", b"title", b"description|title", b"title,description,title", b"title,TITLE ,description"),
        *(b"title,description;x;y", b"\xff", b'title,"description', b"title,desc ription"),
    ],
)
def test_it_rejects_a_header_without_the_columns(client: FlaskClient, header: bytes) -> None:
    response = send(client, header + b"\na,b\nc", "text/csv")
    assert [(pointer, code) for _, pointer, code in line_errors(response)] == [("#", "unreadable")]


@pytest.mark.parametrize("content_type", [NDJSON, "text/csv"])
def test_a_line_is_limited_to_the_size_of_a_body(make_app: Callable[..., Flask], content_type: str) -> None:
    client = make_app(max_body_bytes=2000).test_client()
    long = "x" * 1900
    if content_type == NDJSON:
        good, bad = ndjson({**TICKET, "description": long}), ndjson({**TICKET, "description": long * 200})
        errors = [(2, "#", "unreadable")]
    else:
        good, bad = table(["title", "description"], ["a", long]), table(["a", long + "\n" + long], ["b", long])
        errors = [(3, "#", "unreadable")]
    assert imported(client, good, content_type) == 1
    response = send(client, good + bad + good.splitlines()[-1], content_type)
    assert line_errors(response) == errors
    assert "2,000 bytes" in response.get_json()["errors"][0]["detail"]


def test_lines_do_not_depend_on_the_chunk_size() -> None:
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
    response = client.post(IMPORT, data=VALID, content_type=content_type)
    assert "application/x-ndjson" in problem(response, 415)["error"]
    assert "text/csv" in response.headers["Accept-Post"]


def test_it_rejects_a_content_encoding(client: FlaskClient) -> None:
    response = client.post(IMPORT, data=VALID, content_type=NDJSON, headers={"Content-Encoding": "gzip"})
    problem(response, 415)
    assert response.headers["Accept-Encoding"] == "identity"
    identity = client.post(IMPORT, data=VALID, content_type=NDJSON, headers={"Content-Encoding": "identity"})
    assert identity.status_code == 200


def test_it_rejects_parameters(client: FlaskClient) -> None:
    assert problem(client.post(f"{IMPORT}?dry=1", data=VALID, content_type=NDJSON), 400)["errors"]


def test_imports_have_a_separate_size_limit(make_app: Callable[..., Flask]) -> None:
    client = make_app(max_body_bytes=1024, max_import_bytes=10_000).test_client()
    body = ndjson(*[TICKET] * 100)
    assert 1024 < len(body) < 10_000
    assert imported(client, body) == 100
    assert "10,000" in problem(send(client, body * 2), 413)["error"]
    assert len(stored(client)) == 100


def test_the_size_limit_applies_to_chunked_bodies(database_url: str, tmp_path: Path, clean: None) -> None:
    with serve(database_url, tmp_path / "log", MAX_IMPORT_BYTES="100000") as service:
        for count, status in [(1000, 200), (2000, 413)]:
            with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)) as connection:
                parts = iter([ndjson(TICKET)] * count)
                connection.request("POST", IMPORT, parts, {"Content-Type": NDJSON}, encode_chunked=True)
                assert connection.getresponse().status == status
        assert service.call("GET", f"{URL}stats/").json["total_tickets"] == 1000


# --- clients that stall or disconnect, and too many clients


@pytest.fixture(scope="module")
def short_timeouts(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run one worker with a stall timeout of 3 s and a total timeout of 6 s."""
    settings = {"WEB_CONCURRENCY": "1", "BULK_STALL_TIMEOUT": "3", "BULK_TIMEOUT": "6"}
    with serve(database_url, tmp_path_factory.mktemp("short_timeouts") / "log", **settings) as service:
        yield service


def start_upload(service: Service, body: bytes, length: int = 1_000_000, client: str = "127.0.0.1") -> socket.socket:
    """Start an upload whose Content-Length is larger than the body that is sent."""
    connection = socket.create_connection(("127.0.0.1", service.port), 60)
    head = f"POST {IMPORT} HTTP/1.1\r\nHost: x\r\nContent-Type: {NDJSON}\r\nContent-Length: {length}\r\n"
    connection.sendall(f"{head}X-Forwarded-For: {client}\r\n\r\n".encode() + body)
    return connection


def running_copies(database: Connection) -> int:
    row = database.execute(f"SELECT count(*) {RUNNING_COPY}".encode()).fetchone()
    assert row
    return int(str(row[0]))


@pytest.mark.usefixtures("clean")
def test_a_disconnected_client_leaves_no_tickets(service: Service, database: Connection) -> None:
    connection = start_upload(service, ndjson(*[TICKET] * 2000))
    wait_until(lambda: running_copies(database) == 1)
    connection.close()
    wait_until(lambda: running_copies(database) == 0)
    assert service.call("GET", URL).json == []


@pytest.mark.usefixtures("clean")
def test_a_client_that_stalls_is_disconnected(short_timeouts: Service, database: Connection) -> None:
    with closing(start_upload(short_timeouts, ndjson(*[TICKET] * 2000))) as connection:
        wait_until(lambda: running_copies(database) == 1)
        assert short_timeouts.call("GET", "/livez").status == 200
        wait_until(lambda: running_copies(database) == 0)
        while connection.recv(65536):
            pass
    assert short_timeouts.call("GET", URL).json == []
    assert "the client stalled or took too long" in short_timeouts.log.read_text()


@pytest.mark.usefixtures("clean")
def test_a_client_that_sends_too_slowly_is_disconnected(short_timeouts: Service, database: Connection) -> None:
    with closing(start_upload(short_timeouts, ndjson(*[TICKET] * 10))) as connection:
        wait_until(lambda: running_copies(database) == 1)

        def drip() -> bool:
            try:
                connection.sendall(b" ")
            except OSError:
                return True
            return running_copies(database) == 0

        wait_until(drip)
    assert short_timeouts.call("GET", URL).json == []


def test_imports_above_the_limit_are_503(database_url: str, tmp_path: Path, database: Connection, clean: None) -> None:
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1", BULK_CALLS="2") as service:
        with closing(start_upload(service, VALID)), closing(start_upload(service, VALID, client="192.0.2.1")):
            wait_until(lambda: running_copies(database) == 2)
            response = service.call("POST", IMPORT, VALID, {"Content-Type": NDJSON})
            assert (response.status, response.headers["Retry-After"]) == (503, "30")
            assert service.call("POST", URL, TICKET).status == 201
        wait_until(lambda: running_copies(database) == 0)
        wait_until(lambda: service.call("POST", IMPORT, VALID, {"Content-Type": NDJSON}).status == 200)


def test_a_long_import_does_not_block_other_requests(database_url: str, tmp_path: Path, clean: None) -> None:
    """The data is always available, so the import never waits. Other requests must be served nevertheless."""
    body = ndjson(*[{**TICKET, "description": "x" * 50, "n": list(range(100))}] * 20_000)
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service, in_background() as threads:
        call = threads.submit(service.call, "POST", IMPORT, body, {"Content-Type": NDJSON})
        served = 0
        while not call.done():
            assert service.call("GET", "/livez").status == 200
            served += not call.done()
        assert call.result().json == {"imported": 20_000, "ignored": ["n"]}
    assert served >= 5


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
            with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=600)) as connection:
                headers = {"Content-Type": NDJSON, "Content-Length": str(len(part) * count)}
                connection.request("POST", IMPORT, iter([part] * count), headers)
                response = connection.getresponse()
                assert (response.status, json.loads(response.read())) == (200, {"imported": 400 * count, "ignored": []})

        send_parts(10)
        before = worker_kilobytes(service)
        send_parts(100)  # 40,000 lines, about 22 MB
        assert worker_kilobytes(service) - before < 6_000


# --- shutdown, index and locks


def test_a_shutdown_rolls_back_an_unfinished_import(database_url: str, tmp_path: Path, database: Connection) -> None:
    database.execute("TRUNCATE tickets")
    with serve(database_url, tmp_path / "log", GUNICORN_CMD_ARGS="--graceful-timeout 1") as service:
        with closing(start_upload(service, ndjson(*[TICKET] * 2000))):
            wait_until(lambda: running_copies(database) == 1)
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(60) == 0
        wait_until(lambda: running_copies(database) == 0)
    assert database.execute("SELECT count(*) FROM tickets").fetchone() == (0,)


def test_a_running_import_is_finished_before_a_shutdown(
    database_url: str, tmp_path: Path, database: Connection
) -> None:
    database.execute("TRUNCATE tickets")
    body = ndjson(*[TICKET] * 2000)
    with (
        serve(database_url, tmp_path / "log") as service,
        closing(start_upload(service, body[:-100], len(body))) as connection,
    ):
        wait_until(lambda: running_copies(database) == 1)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        connection.sendall(body[-100:])
        assert b'{"imported":2000,' in b"".join(iter(lambda: connection.recv(65536), b""))
        assert service.process.wait(60) == 0


def test_its_texts_are_indexed_when_it_ends(client: FlaskClient, database: Connection) -> None:
    """Otherwise the next create would have to index them."""
    imported(client, ndjson(*[TICKET] * 3000))
    assert database.execute(INDEX_PENDING).fetchone() == (0,)


def test_an_import_leaves_a_pool_of_one_to_requests(make_app: Callable[..., Flask], own_url: str) -> None:
    client = make_app(database_url=own_url, pool_size=1).test_client()
    with psycopg.connect(own_url, autocommit=True) as owner:
        assert imported(client, ndjson(*[TICKET] * 3000)) == 3000
        assert owner.execute(INDEX_PENDING).fetchone() != (0,)


def test_a_role_that_does_not_own_the_index_may_fill_it(make_app: Callable[..., Flask], own_url: str) -> None:
    client = make_app(database_url=guest(own_url)).test_client()
    with psycopg.connect(own_url, autocommit=True) as owner:
        assert imported(client, ndjson(*[TICKET] * 3000)) == 3000
        assert owner.execute(INDEX_PENDING).fetchone() == (0,)


def test_tickets_are_stored_in_order_of_creation(client: FlaskClient, database: Connection) -> None:
    days = random.sample(range(1, 29), 28)
    imported(client, ndjson(*[{**TICKET, "created_at": f"2025-02-{day:02}"} for day in days]))
    rows = database.execute("SELECT id FROM ticket_texts ORDER BY ctid").fetchall()
    assert rows == sorted(rows)


def test_a_failing_database_is_503_and_stores_nothing(make_app: Callable[..., Flask], database_url: str) -> None:
    client = make_app(bulk_timeout=0.5).test_client()
    with locked_tickets(database_url):
        assert problem(send(client, ndjson(TICKET)), 503)
    assert stored(client) == []
    away = make_app(database_url="postgresql://127.0.0.1:1/x").test_client()
    assert problem(send(away, ndjson(TICKET)), 503)


def test_it_waits_for_locks_only_at_the_end(client: FlaskClient, database_url: str, database: Connection) -> None:
    """An import holds no lock while it receives lines, so it cannot cause a deadlock."""
    ticket = file_ticket(client)
    with locked_tickets(database_url) as holder, in_background() as threads:
        call = threads.submit(imported, client, ndjson(*[TICKET] * 3000))
        wait_until_blocked(holder)
        holder.execute("UPDATE tickets SET status = 'closed'")
        holder.commit()
        assert call.result() == 3000
    assert client.get(URL + ticket["id"]).get_json()["status"] == "closed"


# --- files that are invalid


@pytest.mark.parametrize(("content_type", "line"), [(NDJSON, b"{}\n"), (NDJSON, b"x\n"), ("text/csv", b"x\n")])
def test_it_stops_after_10000_invalid_lines(client: FlaskClient, content_type: str, line: bytes) -> None:
    header = b"title,description\n" if content_type == "text/csv" else b""
    end = ndjson(TICKET) if content_type == NDJSON else b"a,b\n"
    complete = send(client, header + line * 9_999 + end, content_type)
    assert complete.get_json()["faulty_lines"] == 9_999
    assert "was not read" not in complete.get_json()["detail"]
    cut = send(client, header + line * 1_000_000 + end, content_type)
    assert (len(line_errors(cut)), cut.get_json()["faulty_lines"]) == (1000, 10_000)
    assert cut.get_json()["detail"].endswith("The rest of the file was not read.")
    assert stored(client) == []


def test_the_rest_of_an_upload_is_not_read(service: Service) -> None:
    with closing(start_upload(service, b"{}\n" * 100_000, length=1_000_000_000)) as connection:
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b'"faulty_lines":10000' in response


def test_nothing_is_staged_after_an_error(make_app: Callable[..., Flask], database: Connection) -> None:
    """Otherwise a file of short invalid lines would take much disk space until the end of the upload."""
    ticket = StagedTicket("a", "b" * 1000, None, None, None, None, None)
    staged: list[int] = []

    def rows_staged() -> int:
        row = database.execute(COPIED.encode()).fetchone()
        return int(str(row and row[0]))

    def lines() -> Iterator[Line]:
        yield from [ticket] * 2000
        wait_until(lambda: rows_staged() > 1000)
        for _ in range(5000):
            yield [LineError(1, "#/title", "title is required.", "required")]
            yield ticket
        staged.append(rows_staged())

    with pytest.raises(InvalidFile):
        imports.run(make_app().extensions["ticketsvc"].database, lines(), NO_AUTHOR, 60)
    assert staged[0] <= 2000


def test_other_greenlets_run_between_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that is already there never waits, so a reader must yield between the lines of a chunk."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    for content in (b"\n" * 100_000, b'title,description\n"' + b"x\n" * 100_000):
        pauses.clear()
        list(csv_reader.read([content], 262_144, Rows(Options())))
        list(ndjson_reader.read([content], 262_144, Rows(Options())))
        assert pauses == [0] * 400


def test_a_slow_index_cannot_undo_an_import(make_app: Callable[..., Flask], database: Connection) -> None:
    """Its helper waits for a connection here. The tickets are committed before anything waits for the helper."""
    app = make_app(pool_size=2, pool_timeout=60)
    pool = app.extensions["ticketsvc"].database.pool
    pool.open()
    held = [pool.getconn() for _ in range(2)]
    with in_background() as threads:
        call = threads.submit(imported, app.test_client(), ndjson(*[TICKET] * 10))
        try:
            wait_until(lambda: count_rows(database) == 10, 30)
        finally:
            for connection in held:
                pool.putconn(connection)
        assert call.result() == 10


def test_an_ended_transaction_is_503(make_app: Callable[..., Flask], database: Connection) -> None:
    """Postgres ends a transaction that was idle for too long; psycopg counts that as an error of the program."""
    store = make_app().extensions["ticketsvc"].database
    limits = {"idle_in_transaction_session_timeout": "1ms"}
    sessions = "SELECT FROM pg_stat_activity WHERE pid = %s"

    def stage() -> None:
        with store.dedicated_connection(60, **limits) as connection:
            wait_until(lambda: database.execute(sessions, [connection.info.backend_pid]).fetchone() is None)
            statement.run(connection, queries.load("files.stage"), [])

    with pytest.raises(Unavailable):
        stage()
