"""search_in: tickets with one comment that matches a search, or with a matching text of their own or of a comment."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.contract.test_comments import add, comments_of
from tests.support.cast import bearer
from tests.support.searches import FILTERS, SEARCHES, SORTS, fill, fill_comments, matches, with_index
from tests.support.tickets import TICKET, URL, field_errors, file_ticket, pages, titles
from ticketsvc.store import search

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

    Cast = dict[str, dict[str, str]]


def found(client: FlaskClient, text: str, where: str, more: str = "") -> list[str]:
    """Return the titles of the tickets that a search finds."""
    return titles(client, f"?search={quote(text, safe='')}&search_in={where}{more}")


def test_one_comment_must_match_the_whole_search(client: FlaskClient) -> None:
    both, apart, own, neither = (
        file_ticket(client, title=title) for title in ("both", "apart", "refund now", "neither")
    )
    add(client, both, "A Refund,\n please, now!")
    add(client, apart, "A refund?")
    add(client, apart, "Not now")
    add(client, own, "Hello")
    add(client, neither, "Hello")
    assert found(client, "now refund", "comments") == ["both"]
    assert found(client, "now refund", "text") == titles(client, "?search=now+refund") == ["refund now"]
    assert found(client, "now refund", "all") == ["refund now", "both"]
    assert found(client, "refund -now", "comments") == ["apart"]
    assert found(client, "-hello", "comments") == ["apart", "both"]
    assert found(client, '"please, now"', "comments") == ["both"]
    assert found(client, "refund", "comments", "&sort=-updated_at&limit=1") == ["apart"]


def test_comments_are_found_at_once_until_they_are_deleted(client: FlaskClient) -> None:
    ticket = file_ticket(client, title="x", description="y")
    comment = add(client, ticket, "日本 refund")
    for text in ("refund", "日本", "re", "r"):
        assert found(client, text, "comments") == found(client, text, "all") == ["x"]
    client.delete(comments_of(ticket) + comment["id"])
    for text in ("refund", "日本", "re", "r"):
        assert found(client, text, "comments") == found(client, text, "all") == []


def test_it_changes_nothing_without_a_search(client: FlaskClient) -> None:
    file_ticket(client, title="x")
    for where in ("text", "comments", "all", ""):
        assert titles(client, f"?search_in={where}") == titles(client, f"?search_in={where}&search=") == ["x"]
        assert client.get(f"{URL}stats/?search_in={where}").get_json()["total_tickets"] == 1


@pytest.mark.parametrize("path", ["", "export/", "stats/", "stats/resolution/", "stats/response/"])
def test_other_places_are_400(client: FlaskClient, path: str) -> None:
    for value in ("title", "Comments", "comments,text"):
        assert field_errors(client.get(f"{URL}{path}?search=x&search_in={value}")) == {"search_in": "not_allowed"}
    assert field_errors(client.get(f"{URL}{path}?search_in=all&search_in=text")) == {"search_in": "repeated"}


@pytest.fixture(params=["scan", "hits", "too many hits"])
def step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the step that has to find most of a page, and configure the others away."""
    if request.param != "scan":
        for limit in ("SAMPLE", "KEY_SAMPLE", "SCAN_LIMIT", "KEY_SCAN_LIMIT"):
            monkeypatch.setattr(search, limit, 2)
    if request.param == "too many hits":
        monkeypatch.setattr(search, "MAX_COMMENT_HITS", 1)
    return str(request.param)


@pytest.fixture
def indexed(make_app: Callable[..., Flask], database_url: str) -> FlaskClient:
    """Return a client of an application whose database uses the indexes of texts wherever it can."""
    return make_app(database_url=with_index(database_url)).test_client()


@pytest.mark.parametrize("sort", SORTS)
def test_each_step_finds_what_the_syntax_means(
    indexed: FlaskClient, database: Connection, step: str, sort: str
) -> None:
    fill(database, seed=SORTS.index(sort), count=200)
    fill_comments(database, seed=SORTS.index(sort))
    bodies: defaultdict[str, list[str]] = defaultdict(list)
    for ticket_id, body in database.execute("SELECT ticket_id::text, body FROM comments").fetchall():
        bodies[str(ticket_id)].append(str(body))
    choose = random.Random(step + sort)

    @cache
    def everything(labels: str) -> Any:
        return indexed.get(f"{URL}?limit=500&sort={sort}{labels}").get_json()

    for text in choose.sample(SEARCHES, 20):
        labels = "".join(f"&{name}={','.join(values)}" for name, values in choose.choice(FILTERS).items())

        def in_comments(ticket: dict[str, Any], text: str = text) -> bool:
            return any(matches({"title": body, "description": body}, text) for body in bodies[ticket["id"]])

        for where, expected in (
            ("comments", [ticket for ticket in everything(labels) if in_comments(ticket)]),
            ("all", [ticket for ticket in everything(labels) if matches(ticket, text) or in_comments(ticket)]),
        ):
            query = f"search={quote(text, safe='')}&search_in={where}{labels}"
            listed = [
                ticket["id"]
                for page in pages(indexed, f"?{query}&sort={sort}&limit={choose.choice((7, 30))}")
                for ticket in page
            ]
            assert listed == [ticket["id"] for ticket in expected], (text, where)
            assert _count(indexed, query) == len(expected), (text, where)


def test_counts_statistics_and_exports_agree_with_the_list(indexed: FlaskClient, database: Connection) -> None:
    fill(database, seed=5, count=200)
    fill_comments(database, seed=5)
    database.execute("UPDATE tickets SET first_response_at = created_at, resolved_at = created_at WHERE version = 1")
    for text in ("abc", "invoice -zq", "日本", "q", "nowhere"):
        for where in ("text", "comments", "all"):
            query = f"search={quote(text)}&search_in={where}&status=open,closed"
            listed = sorted(ticket["id"] for ticket in indexed.get(f"{URL}?limit=500&{query}").get_json())
            lines = indexed.get(f"{URL}export/?format=csv&{query}").text.splitlines()[1:]
            assert {row.split(",")[0] for row in lines} >= set(listed)
            assert _count(indexed, query) == len(listed)
            assert indexed.get(f"{URL}stats/?{query}").get_json()["total_tickets"] == len(listed)
            for times in ("resolution", "response"):
                assert indexed.get(f"{URL}stats/{times}/?{query}").get_json()["count"] == len(listed)


def _count(client: FlaskClient, query: str) -> int:
    return int(client.get(f"{URL}?{query}&count=true&limit=1").headers["X-Total-Count"])


def test_public_key_finds_no_internal_comment(guarded: Flask, cast: Cast, database: Connection) -> None:
    database.execute(
        "INSERT INTO api_keys (name, scope, hash, public_only) VALUES ('portal', 'read', sha256('tk_portal'), true)"
    )
    client = guarded.test_client()
    for title, internal in (("secret", True), ("public", False)):
        path = client.post(URL, json={**TICKET, "title": title}, headers=cast["writer"]).headers["Location"]
        client.post(f"{path}/comments", json={"body": "xylophone", "internal": internal}, headers=cast["writer"])
    for headers, expected in ((cast["reader"], ["public", "secret"]), (bearer("tk_portal"), ["public"])):
        for text in ("xylophone", "x"):
            for where in ("comments", "all"):
                for sort in SORTS:
                    query = f"?search={text}&search_in={where}&count=true&sort={sort}"
                    response = client.get(URL + query, headers=headers)
                    assert {ticket["title"] for ticket in response.get_json()} == set(expected)
                    assert response.headers["X-Total-Count"] == str(len(expected))
                query = f"?search={text}&search_in={where}"
                assert client.get(f"{URL}stats/{query}", headers=headers).get_json()["total_tickets"] == len(expected)
                lines = client.get(f"{URL}export/{query}&format=ndjson", headers=headers).text.splitlines()
                assert len(lines) == len(expected)
