"""GET /api/tickets/: limit, cursor, Link and count."""

from __future__ import annotations

import threading
from base64 import urlsafe_b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert, insert_many, next_page, pages, titles
from ticketsvc.application import create_app
from ticketsvc.config import Config
from ticketsvc.store.postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service
    from tests.support.tickets import Connection

SORTS = ["-created_at", "created_at", "-updated_at", "-priority"]


def cursor_of(response: TestResponse) -> str:
    """Return the cursor in a response's Link header."""
    address = next_page(response)
    assert address
    return parse_qs(urlsplit(address).query)["cursor"][0]


# --- limit


def test_page_has_100_tickets_by_default(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 600)
    assert len(titles(client)) == 100
    assert len(titles(client, "?limit=1")) == 1
    assert len(titles(client, "?limit=500")) == 500
    assert len(titles(client, "?limit=007")) == 7


@pytest.mark.parametrize(
    "limit",
    [
        *("0", "-1", "501", "1000000", "2147483648", "9" * 5000, "0" * 8 + "1000000", "0" * 5000 + "1", "0" * 5000),
        *(
            "1.0",
            "1e2",
            "0x10",
            "1_0",
            "ten",
            "%201",
            "1%20",
            "%2B1",
            "+1",
            "5,5",
            "%D9%A5",
            "%EF%BC%95",
            "%C2%B2",
            "%00",
            "null",
            "NaN",
        ),
    ],
)
def test_invalid_limit_is_rejected(client: FlaskClient, limit: str) -> None:
    response = client.get(f"{URL}?limit={limit}")
    assert field_errors(response) == {"limit": "not_allowed"}
    assert "500" in response.get_json()["error"]


# --- Link


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (9, [9]), (10, [10]), (11, [10, 1]), (30, [10, 10, 10])])
def test_page_has_a_link_unless_it_is_the_last(
    client: FlaskClient, database: Connection, sort: str, count: int, sizes: list[int]
) -> None:
    insert_many(database, count)
    assert [len(page) for page in pages(client, f"?limit=10&sort={sort}")] == sizes


def test_link_keeps_filters_and_is_relative(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 200)
    query = "?status=open,closed&status=resolved&search=%22T%26%23+%F0%9F%8E%AB&limit=1&sort=-priority&created_since="
    file_ticket(client, title='"T&# 🎫')
    file_ticket(client, title='"T&# 🎫')
    address = next_page(client.get(URL + query))
    assert address
    assert urlsplit(address).path == URL
    given, kept = (parse_qs(urlsplit(part).query, keep_blank_values=True) for part in (query, address))
    assert kept.pop("cursor")
    assert kept == given
    assert titles(client, "?" + urlsplit(address).query) == ['"T&# 🎫']


def test_link_is_ascii_on_one_line(client: FlaskClient, database: Connection) -> None:
    file_ticket(client, title="a\r\nX-Evil: 1>, <ü")
    file_ticket(client, title="a\r\nX-Evil: 1>, <ü")
    link = client.get(f"{URL}?limit=1&search=%0D%0AX-Evil:%201%3E,%20%3C%C3%BC").headers["Link"]
    assert link.isascii()
    assert link.isprintable()
    assert link.count(">") == 1


def test_pages_work_under_gunicorn(service: Service) -> None:
    for number in range(3):
        service.call("POST", URL, {"title": f"Ticket {number}", "description": "x", "category": "general"})
    first = service.call("GET", f"{URL}?limit=2&count=true")
    assert first.headers["X-Total-Count"] == "3"
    address = first.headers["Link"].split(">")[0].removeprefix("<")
    rest = service.call("GET", address)
    assert [ticket["title"] for ticket in first.json + rest.json] == ["Ticket 2", "Ticket 1", "Ticket 0"]
    assert rest.headers["Link"] is None


# --- walks


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 7])
@pytest.mark.parametrize("filters", ["", "&status=open,closed", "&search=e", "&created_since=2026-01-01T00:20:00Z"])
def test_pages_together_are_the_list(
    client: FlaskClient, database: Connection, sort: str, limit: int, filters: str
) -> None:
    insert_many(database, 42)
    expected = client.get(f"{URL}?limit=500&sort={sort}{filters}").get_json()
    walked = [ticket for page in pages(client, f"?limit={limit}&sort={sort}{filters}") for ticket in page]
    assert walked == expected
    assert len(walked) >= 15


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("filters", ["", "&search=Ticket"])
def test_tickets_with_equal_times_appear_once(
    client: FlaskClient, database: Connection, sort: str, filters: str
) -> None:
    insert_many(database, 1000, step="0")
    walked = [ticket["id"] for page in pages(client, f"?limit=99&sort={sort}{filters}") for ticket in page]
    assert len(walked) == len(set(walked)) == 1000
    if sort == "-created_at":
        assert walked == sorted(walked, reverse=True)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("filters", ["", "&category=account,billing,general,technical", "&search=e"])
def test_writes_between_pages_lose_and_repeat_nothing(
    client: FlaskClient, database: Connection, sort: str, filters: str
) -> None:
    """A third stays as it is; others are changed or deleted between pages, among them the last one of each page."""
    insert_many(database, 300)
    lasting = [ticket["id"] for page in pages(client, f"?sort={sort}") for ticket in page if _number(ticket) % 3 == 0]
    walked = []
    for page in pages(client, f"?limit=7&sort={sort}{filters}"):
        walked += [ticket["id"] for ticket in page]
        for ticket in page[-3:]:
            if _number(ticket) % 3 == 1:
                client.delete(URL + ticket["id"])
            if _number(ticket) % 3 == 2:
                client.patch(URL + ticket["id"], json={"status": "closed", "priority": "low", "title": "Ticket 2"})
        insert(database, "Ticket 1", "2026-01-01T02:30:00Z")
    assert [ticket_id for ticket_id in walked if ticket_id in set(lasting)] == lasting


@pytest.mark.parametrize("sort", SORTS)
def test_concurrent_writers_lose_and_repeat_nothing(
    app: Flask, client: FlaskClient, database: Connection, sort: str
) -> None:
    insert_many(database, 400)
    lasting = [ticket["id"] for page in pages(client, f"?sort={sort}") for ticket in page if _number(ticket) % 2]
    passing = [ticket["id"] for page in pages(client, f"?sort={sort}") for ticket in page if _number(ticket) % 2 == 0]
    done = threading.Event()

    def write() -> None:
        writer = app.test_client()
        while passing and not done.is_set():
            file_ticket(writer, title="Ticket 0")
            writer.patch(URL + passing[0], json={"priority": "critical", "title": "Ticket 0"})
            writer.delete(URL + passing.pop())

    thread = threading.Thread(target=write)
    thread.start()
    walked = [ticket["id"] for page in pages(client, f"?limit=5&sort={sort}") for ticket in page]
    done.set()
    thread.join()
    assert [ticket_id for ticket_id in walked if ticket_id in set(lasting)] == lasting


def test_creation_order_is_stable_while_tickets_change(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 60)
    expected = titles(client)
    walked = []
    for page in pages(client, "?limit=7"):
        walked += [ticket["title"] for ticket in page]
        database.execute("UPDATE tickets SET updated_at = now(), version = version + 1")
    assert walked == expected


def _number(ticket: dict[str, str]) -> int:
    return int(ticket["title"].split()[1])


# --- cursors


@pytest.mark.parametrize("sort", SORTS)
def test_cursor_of_another_order_is_rejected(client: FlaskClient, database: Connection, sort: str) -> None:
    insert_many(database, 20)
    cursor = cursor_of(client.get(f"{URL}?limit=5&sort={sort}"))
    assert client.get(f"{URL}?sort={sort}&cursor={cursor}").status_code == 200
    for other in set(SORTS) - {sort}:
        assert field_errors(client.get(f"{URL}?sort={other}&cursor={cursor}")) == {"cursor": "not_allowed"}


@pytest.mark.parametrize("sort", SORTS)
def test_tampered_cursor_is_rejected(client: FlaskClient, database: Connection, sort: str) -> None:
    insert_many(database, 20)
    cursor = cursor_of(client.get(f"{URL}?limit=5&sort={sort}"))
    tampered = [cursor[:-1], cursor[1:], cursor[: len(cursor) // 2], cursor + "A", cursor + "=", cursor.swapcase()]
    for text in [*tampered, cursor * 2, cursor[::-1], cursor + "%0a", "%20" + cursor, cursor[:20] + "!" + cursor[20:]]:
        assert field_errors(client.get(f"{URL}?sort={sort}&cursor={text}")) == {"cursor": "not_allowed"}, text


ID = "0192a3b4-c5d6-7e8f-9012-3456789abcde"
FORGED = [
    f"newest/{ID}/x",
    f"newest/{ID}",
    f"newest/{ID.upper()}/",
    "newest/1/",
    f"NEWEST/{ID}/",
    f"/{ID}/",
    f"updated/{ID}/",
    f"updated/{ID}/now",
    f"updated/{ID}/infinity",
    f"updated/{ID}/2026-01-01",
    f"updated/{ID}/2026-01-01 00:00:00",
    f"updated/{ID}/20260101T000000Z",
    f"updated/{ID}/2026-W01-1T00:00:00+00:00",
    f"updated/{ID}/2026-01-01 00:00:00+16:00",
    f"updated/{ID}/2026-01-01 00:00:00+00:00:30",
    f"updated/{ID}/2026-13-01 00:00:00+00",
    f"updated/{ID}/2026-01-01x00:00:00+00",
    f"updated/{ID}/2026-01-01 00:00:00." + "1" * 500 + "+00",
    f"updated/{ID}/2026-01-01 00:00:00+00'",
    f"updated/{ID}/10000-01-01 00:00:00+00",
    f"urgent/{ID}/",
    f"urgent/{ID}/HIGH",
    f"urgent/{ID}/urgent",
    f"urgent/{ID}/high\n",
    f"urgent/{ID}/high\0",
    "",
    "{}",
    "\xff\xfe",
]


@pytest.mark.parametrize("plain", FORGED)
@pytest.mark.parametrize("sort", SORTS)
def test_forged_cursor_is_rejected(client: FlaskClient, sort: str, plain: str) -> None:
    text = urlsafe_b64encode(plain.encode()).decode().rstrip("=") or "-"
    assert field_errors(client.get(f"{URL}?sort={sort}&cursor={text}")) == {"cursor": "not_allowed"}


@pytest.mark.parametrize(
    "text", ["x", "1", "null", "%00", "%F0%9F%8E%AB", "%2F", "====", "A" * 100_000, "..", "a b", ID]
)
def test_garbage_as_cursor_is_rejected(client: FlaskClient, text: str) -> None:
    assert field_errors(client.get(f"{URL}?cursor={text}")) == {"cursor": "not_allowed"}


@pytest.mark.parametrize("sort", SORTS)
def test_cursor_works_after_its_ticket_is_deleted(client: FlaskClient, database: Connection, sort: str) -> None:
    insert_many(database, 20)
    expected = titles(client, f"?sort={sort}")
    cursor = cursor_of(client.get(f"{URL}?limit=5&sort={sort}"))
    for ticket in client.get(f"{URL}?limit=5&sort={sort}").get_json():
        client.delete(URL + ticket["id"])
    assert titles(client, f"?sort={sort}&cursor={cursor}") == expected[5:]


# --- count


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ("", 128),
        ("&status=open", 32),
        ("&status=open,closed&priority=low", 16),
        ("&search=%22Ticket 12%22", 10),
        ("&search=nothing", 0),
        ("&created_since=2026-01-01T02:00:00Z", 9),
        ("&updated_before=2026-01-01T00:02:00Z", 1),
    ],
)
@pytest.mark.parametrize("sort", SORTS)
def test_count_is_exact_over_all_pages(
    client: FlaskClient, database: Connection, filters: str, count: int, sort: str
) -> None:
    insert_many(database, 128)
    response = client.get(f"{URL}?count=true&limit=2&sort={sort}{filters}")
    assert response.headers["X-Total-Count"] == str(count)
    address = next_page(response)
    if address:
        assert client.get(address).headers["X-Total-Count"] == str(count)


@pytest.mark.parametrize("value", ["false", "", "FALSE"])
def test_count_is_absent_by_default(client: FlaskClient, value: str) -> None:
    assert "X-Total-Count" not in client.get(f"{URL}?count={value}").headers


@pytest.mark.parametrize("value", ["2", "yes", "on", "exact", "%00", "true,true"])
def test_invalid_count_is_rejected(client: FlaskClient, value: str) -> None:
    assert field_errors(client.get(f"{URL}?count={value}")) == {"count": "not_allowed"}


# --- the size of a page

SIZES = (
    *("repeat('x ', 32768)", "repeat(chr(1), 65536)", "repeat('字', 65536)", "repeat('x', 1000)"),
    *("repeat('\"', 40000)", "repeat('x', 1000000)", "'-'"),
)
"""Descriptions, in SQL: escaped control characters take six times their size, and old tickets have no limit."""

PAGE_BYTES = 4_200_000
ORDER = {
    "-created_at": "id DESC",
    "created_at": "id",
    "-updated_at": "updated_at DESC, id DESC",
    "-priority": "priority DESC, id DESC",
}
"""The order of each value of `sort`, in SQL: ids have the order of creation."""


@pytest.fixture(scope="module")
def large_tickets(migrated_database: Callable[[], str]) -> Iterator[tuple[FlaskClient, Connection]]:
    """A client of a service with tickets 1 to 120, which have a word in common and most of which are large."""
    url = migrated_database()
    with closing(psycopg.connect(url, autocommit=True)) as database:
        insert_many(database, 120)
        database.execute(
            f"""
            UPDATE tickets AS t
            SET description = 'Number ' || (ARRAY[{", ".join(SIZES)}])[1 + numbered.n % {len(SIZES)}]
            FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM tickets) AS numbered
            WHERE t.id = numbered.id
            """.encode()
        )
        app = create_app(Config(database_url=url))
        yield app.test_client(), database
    app.extensions["ticketsvc"].database.close()


@pytest.mark.parametrize("query", ["", "&status=open,closed,resolved,in_progress&category=billing", "&search=number"])
@pytest.mark.parametrize("sort", SORTS)
def test_large_pages_end_early_and_miss_no_ticket(
    large_tickets: tuple[FlaskClient, Connection], sort: str, query: str
) -> None:
    client, database = large_tickets
    condition = "category = 'billing'" if query.endswith("billing") else "true"
    expected = database.execute(f"SELECT title FROM tickets WHERE {condition} ORDER BY {ORDER[sort]}".encode())
    found: list[str] = []
    address: str | None = URL + f"?sort={sort}&limit=500{query}"
    while address:
        response = client.get(address)
        assert 1 <= len(response.get_json()) < 100
        assert len(response.data) < PAGE_BYTES
        found += [ticket["title"] for ticket in response.get_json()]
        address = next_page(response)
    assert found == [title for (title,) in expected]
    assert len(found) == (30 if query.endswith("billing") else 120)


def test_a_page_has_at_least_one_ticket(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 2)
    database.execute("UPDATE tickets SET description = repeat(chr(1), 1000000)")
    [[first], [second]] = list(pages(client, ""))
    assert first["title"] != second["title"]
    assert len(first["description"]) == 1_000_000


def test_a_page_of_small_tickets_is_read_at_once(
    client: FlaskClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is read twice only if a ticket is larger than its share."""
    insert_many(database, 120)
    database.execute("UPDATE tickets SET description = repeat('x', 6000)")
    runs = []
    rows = Database.rows

    def counted(*arguments: Any) -> list[Any]:
        runs.append(arguments)
        return rows(*arguments)

    monkeypatch.setattr(Database, "rows", counted)
    assert len(titles(client)) == 100
    assert len(runs) == 1
