"""Searches with the index find what a plain implementation of the syntax in Python finds."""

from __future__ import annotations

import random
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest

from tests.support.searches import FILTERS, SEARCHES, SORTS, fill, matches, with_index
from tests.support.tickets import URL, file_ticket, insert_many, pages
from ticketsvc.config import Config
from ticketsvc.filters import Filters
from ticketsvc.problems import Unavailable
from ticketsvc.store import search
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.search_index import LARGE_TEXT
from ticketsvc.validation.search_words import SearchWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection
    from ticketsvc.store.postgres.queries import Query, Row


@pytest.fixture(params=["rare", "weeks", "dense weeks", "facets", "scan"])
def step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the step that has to find most of a page, and configure the others away."""
    if request.param != "scan":
        monkeypatch.setattr(search, "SCAN_LIMIT", 2)
        monkeypatch.setattr(search, "KEY_SCAN_LIMIT", 2)
        monkeypatch.setattr(search, "KEY_SCANS", 1)
        monkeypatch.setattr(search, "MAX_KEY_SCANS", 1)
    if request.param in ("rare", "weeks", "dense weeks"):
        monkeypatch.setattr(search, "FEW_WITH_FACETS", 1)
        monkeypatch.setattr(search, "FACET_SCAN_LIMIT", 1)
        monkeypatch.setattr(search, "RARE_HITS", 1_000_000 if request.param == "rare" else 0)
    if request.param == "dense weeks":
        monkeypatch.setattr(search, "MAX_WEEK_HITS", 0)
        monkeypatch.setattr(search, "MAX_WEEK_HITS_WITH_FACETS", 0)
    return str(request.param)


@pytest.fixture
def client(make_app: Callable[..., Flask], database_url: str) -> FlaskClient:
    """Return a client of an application whose database uses the index by text wherever it can."""
    return make_app(database_url=with_index(database_url)).test_client()


@pytest.mark.parametrize("sort", SORTS)
def test_each_step_finds_what_the_syntax_means(client: FlaskClient, database: Connection, step: str, sort: str) -> None:
    fill(database, seed=SORTS.index(sort))
    choose = random.Random(step + sort)

    @cache
    def everything(labels: str) -> Any:
        return client.get(f"{URL}?limit=500&sort={sort}{labels}").get_json()

    for text in choose.sample(SEARCHES, 14):
        labels = "".join(f"&{name}={','.join(values)}" for name, values in choose.choice(FILTERS).items())
        expected = [ticket["id"] for ticket in everything(labels) if matches(ticket, text)]
        address = f"?limit={choose.choice([40, 150, 500])}&count=true&sort={sort}{labels}&search={quote(text)}"
        assert client.get(URL + address).headers["X-Total-Count"] == str(len(expected)), text
        walked = [ticket["id"] for page in pages(client, address) for ticket in page]
        assert walked == expected, address


@pytest.mark.parametrize("sort", SORTS)
def test_windows_bound_every_step(client: FlaskClient, database: Connection, step: str, sort: str) -> None:
    fill(database, seed=9)
    window = "&created_since=2026-01-09&created_before=2026-02-10&updated_since=2026-03-02&updated_before=2026-03-08"
    everything = client.get(f"{URL}?limit=500&sort={sort}{window}").get_json()
    expected = [ticket["id"] for ticket in everything if matches(ticket, "invoice -zq")]
    address = f"?limit=9&sort={sort}{window}&search=invoice+-zq"
    assert [ticket["id"] for page in pages(client, address) for ticket in page] == expected
    assert len(expected) > 30


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("sort", SORTS)
def test_far_times_are_found_in_every_step(
    client: FlaskClient, database: Connection, step: str, sort: str, moment: str
) -> None:
    fill(database, seed=3, count=40)
    for title in ("far away", "far off", "far out"):
        database.execute("INSERT INTO tickets (title, description, created_at) VALUES (%s, 'x', %s)", [title, moment])
    database.execute(
        "INSERT INTO tickets (id, title, description, updated_at) VALUES"
        " ('ffffffff-fff0-4000-8000-000000000000', 'far beyond', 'x', now() + interval '1 day')"
    )
    found = [t["title"] for page in pages(client, f"?sort={sort}&search=far&limit=1") for t in page]
    assert sorted(found) == ["far away", "far beyond", "far off", "far out"]


class Interrupted(Database):
    """The service's database, in which another client changes a ticket between the steps of a search."""

    def __init__(self, url: str, connection: Connection) -> None:
        super().__init__(Config(database_url=url))
        self.connection = connection
        self.steps = 0

    def rows(self, query: Query[Row], values: Mapping[str, object] = {}, is_costly: bool = False) -> list[Row]:
        """Run a query, the second one after a change."""
        self.steps += 1
        if self.steps == 2:
            self.connection.execute("UPDATE tickets SET priority = 'low' WHERE priority = 'critical'")
        return super().rows(query, values, is_costly)


def test_ticket_that_moves_during_a_search_is_found_once(
    client: FlaskClient, database: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "KEY_SCAN_LIMIT", 1)
    ids = [file_ticket(client, title="moving", priority=priority)["id"] for priority in ("critical", "low")]
    with closing(Interrupted(database_url, database)) as interrupted:
        filters = Filters(search=SearchWords(("moving",)))
        found = search.find(interrupted, filters, 10, Cursor.start("urgent"))
    assert [(row.id or b"").decode() for row in found] == ids[::-1]


def test_steps_of_a_search_share_the_time_of_a_statement(
    client: FlaskClient, database: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "KEY_SCAN_LIMIT", 1)
    fill(database, seed=1, count=200)
    with closing(Database(Config(database_url=database_url))) as late:
        late.statement_timeout = 0.0
        with pytest.raises(Unavailable, match="The search took too long"):
            search.find(late, Filters(search=SearchWords(("nowhere",))), 10, Cursor.start("urgent"))


# --- texts stay in step with their tickets


def texts(database: Connection) -> list[tuple[object, ...]]:
    """Return each ticket's text with the version of its row."""
    return database.execute("SELECT id::text, text, ctid::text, xmin::text FROM ticket_texts ORDER BY id").fetchall()


def missing(database: Connection) -> object:
    """Return the number of tickets whose text is missing or wrong, and of texts without a ticket."""
    row = database.execute(
        "SELECT count(*) FROM tickets AS t FULL JOIN ticket_texts AS x USING (id)"
        " WHERE x.text IS DISTINCT FROM search_text(t.title, t.description)"
    ).fetchone()
    assert row
    return row[0]


def test_change_of_other_fields_writes_no_text(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client, title="Ünder", description="Way")
    before = texts(database)
    labels = {"status": "resolved", "priority": "critical", "category": "billing"}
    for change in (labels, {"title": "Ünder", "description": "Way"}, {}):
        assert client.patch(URL + ticket["id"], json=change).status_code == 200
    assert texts(database) == before
    client.patch(URL + ticket["id"], json={"title": "Over"})
    assert texts(database) != before


def test_every_way_of_writing_keeps_the_texts_current(client: FlaskClient, database: Connection) -> None:
    fill(database, seed=1, count=50)
    with database.cursor().copy("COPY tickets (title, description) FROM STDIN") as copy:
        for number in range(50):
            copy.write_row((f"Copied {number}", "ÄÖÜ"))
    assert missing(database) == 0
    database.execute("UPDATE tickets SET title = title || ' again', status = 'closed' WHERE title LIKE 'C%'")
    database.execute("DELETE FROM tickets WHERE title LIKE '%ab%'")
    assert missing(database) == 0
    database.execute(
        "INSERT INTO tickets (id, title, description, updated_at) SELECT id, 'A', 'b', now() FROM tickets"
        " ON CONFLICT (id) DO UPDATE SET description = 'Upserted'"
    )
    assert missing(database) == 0
    assert len(client.get(f"{URL}?search=upserted&limit=500").get_json()) == len(texts(database)) > 50
    database.execute("TRUNCATE tickets")
    assert texts(database) == []


def test_rolled_back_change_is_not_found(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client, title="kept")
    with database.transaction(force_rollback=True):
        database.execute("UPDATE tickets SET title = 'dropped'")
        assert len(client.get(f"{URL}?search=kept").get_json()) == 1
    assert [t["id"] for t in client.get(f"{URL}?search=kept").get_json()] == [ticket["id"]]
    assert client.get(f"{URL}?search=dropped").get_json() == []


@pytest.mark.parametrize("character", ["é", "ß", "字", "İ", "K", "T", "t", "2", "🎫"])
def test_two_letters_are_found_next_to_any_character(client: FlaskClient, database: Connection, character: str) -> None:
    for title in (f"ab{character}", f"{character}ab", f"a{character}b", "ab", f"{character} ab."):
        database.execute("INSERT INTO tickets (title, description) VALUES (%s, 'x')", [title])
    for text in ("ab", "AB"):
        assert len(client.get(f"{URL}?search={text}").get_json()) == 4
    assert len(client.get(f"{URL}?search={quote('a' + character)}").get_json()) == 1
    assert len(client.get(f"{URL}?search={quote(character)}").get_json()) == 4


@pytest.fixture
def own(make_app: Callable[..., Flask], own_url: str) -> Iterator[tuple[FlaskClient, Connection]]:
    """Return a client and a connection of a database in which no worker inserts pending texts meanwhile."""
    with closing(psycopg.connect(own_url, autocommit=True)) as connection:
        yield make_app(database_url=own_url).test_client(), connection


def test_who_stores_a_large_text_indexes_what_is_pending(own: tuple[FlaskClient, Connection]) -> None:
    client, database = own

    def pending_pages() -> Any:
        return database.execute("SELECT index_pending_texts()").fetchone()

    pending_pages()
    insert_many(database, 500)
    assert pending_pages() > (2,)
    insert_many(database, 500)
    ticket = file_ticket(client, description="a" * (LARGE_TEXT + 1))
    assert pending_pages() <= (2,)  # those of the large text
    insert_many(database, 500)
    assert client.patch(f"{URL}{ticket['id']}", json={"description": "b" * (LARGE_TEXT + 1)}).status_code == 200
    assert pending_pages() <= (2,)
    insert_many(database, 500)
    file_ticket(client, description="a" * LARGE_TEXT)
    assert pending_pages() > (2,)


def test_large_comment_waits_for_the_indexing_of_those_before(own: tuple[FlaskClient, Connection]) -> None:
    """The index of comments has a pending list, too, and the same task empties it."""
    client, database = own

    def pending_pages() -> Any:
        return database.execute("SELECT index_pending_texts()").fetchone()

    def add_many() -> None:
        database.execute(
            "INSERT INTO comments (ticket_id, version, id, created_at, internal, body, search_text)"
            " SELECT gen_random_uuid(), 2, gen_random_uuid(), now(), false, body, comment_text(body)"
            " FROM (SELECT md5(n::text) FROM generate_series(1, 300) AS n) AS made (body)"
        )

    path = f"{URL}{file_ticket(client)['id']}/comments"
    pending_pages()
    add_many()
    assert pending_pages() > (2,)
    add_many()
    assert client.post(path, json={"body": "a" * (LARGE_TEXT + 1)}).status_code == 201
    assert pending_pages() <= (2,)
    add_many()
    assert client.post(path, json={"body": "a" * LARGE_TEXT}).status_code == 201
    assert pending_pages() > (2,)
