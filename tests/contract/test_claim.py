"""POST /api/tickets/claim/: the next ticket for an assignee. No two requests get the same, and none waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert_many, problem
from ticketsvc.enums import PRIORITIES
from ticketsvc.filters import Filters
from ticketsvc.store import claims
from ticketsvc.store.filter_parameters import filter_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service
    from tests.support.tickets import Connection

CLAIM = f"{URL}claim/"


def claim(client: FlaskClient, query: str = "", assignee: str = "kim") -> TestResponse:
    return client.post(f"{CLAIM}{query}", json={"assignee": assignee})


def claimed_title(client: FlaskClient, query: str = "") -> str | None:
    """Claim a ticket and return its title, or None if there was none."""
    response = claim(client, query)
    assert response.status_code in (200, 204), response.text
    return response.get_json()["title"] if response.status_code == 200 else None


def test_claim_assigns_the_ticket_and_returns_it_as_a_change_does(client: FlaskClient) -> None:
    ticket = file_ticket(client, tags=["vip"])
    response = claim(client, assignee="  Kim  ")
    assert response.status_code == 200
    claimed = response.get_json()
    assert claimed["updated_at"] >= ticket["updated_at"]
    changed = {"assignee": "Kim", "status": "in_progress", "version": 2, "updated_at": claimed["updated_at"]}
    assert claimed == {**ticket, **changed}
    read = client.get(f"{URL}{ticket['id']}")
    assert (read.get_json(), read.headers["ETag"]) == (claimed, response.headers["ETag"])
    assert response.headers["Cache-Control"] == read.headers["Cache-Control"]
    assert response.headers["Accept-Patch"] == read.headers["Accept-Patch"]


def test_claim_is_a_change_in_the_history(make_app: Callable[..., Flask]) -> None:
    client = make_app().test_client()
    ticket = file_ticket(client)
    claim(client)
    entry = client.get(f"{URL}{ticket['id']}/history").get_json()[-1]
    assert entry["changes"] == {
        "status": {"from": "open", "to": "in_progress"},
        "assignee": {"from": None, "to": "kim"},
    }
    assert (entry["event"], entry["version"]) == ("changed", 2)


def test_claim_finds_nothing(client: FlaskClient) -> None:
    response = claim(client)
    assert (response.status_code, response.data) == (204, b"")
    assert "ETag" not in response.headers


def test_most_urgent_then_oldest_comes_first(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 256)
    tickets = client.get(f"{URL}?status=open&limit=500").get_json()
    expected = sorted(tickets, key=lambda ticket: (-PRIORITIES.index(ticket["priority"]), ticket["id"]))
    assert [claimed_title(client) for _ in range(len(tickets) + 1)] == [*(t["title"] for t in expected), None]


@pytest.mark.parametrize("query", ["?tags=a,b", "?tags_all=a&requester=ann", ""])
def test_order_is_exact_even_if_few_candidates_are_read(
    client: FlaskClient, database: Connection, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """Behind the end of the first head, candidates of its combination are missing."""
    monkeypatch.setattr(claims, "HEAD_LIMIT", 1)
    insert_many(database, 128)
    database.execute(
        "UPDATE tickets SET requester = 'Ann', tags = '{a,b}' WHERE id < (SELECT max(id::text)::uuid FROM tickets)"
    )
    tickets = client.get(f"{URL}?status=open&limit=500{query.replace('?', '&')}").get_json()
    assert len(tickets) > 20
    expected = sorted(tickets, key=lambda ticket: (-PRIORITIES.index(ticket["priority"]), ticket["id"]))
    assert [claimed_title(client, query) for _ in range(len(tickets) + 1)] == [*(t["title"] for t in expected), None]


def test_only_open_tickets_without_an_assignee_are_claimed(client: FlaskClient) -> None:
    for status in ("in_progress", "resolved", "closed"):
        client.patch(f"{URL}{file_ticket(client)['id']}", json={"status": status})
    file_ticket(client, assignee="lee")
    assert claimed_title(client) is None


def test_released_ticket_can_be_claimed_again(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    for version in (2, 4, 6):
        claimed = claim(client, "?tags=" if version == 2 else "").get_json()
        assert (claimed["id"], claimed["version"]) == (ticket["id"], version)
        assert claim(client).status_code == 204
        client.patch(f"{URL}{ticket['id']}", json={"assignee": None, "status": "open"})


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("?category=technical", "technical"),
        ("?priority=low", "low"),
        ("?status=open", "first"),
        ("?status=open,closed", "first"),
        ("?status=closed", None),
        ("?created_since=2026-03-01", "late"),
        ("?created_before=2026-01-15", "first"),
        ("?updated_since=2026-03-01", "late"),
        ("?updated_before=2026-01-15", "first"),
        ("?search=needle", "with a needle"),
        ("?search=needle%20-needle", None),
        ("?search=absent", None),
        ("?requester=ANN", "of Ann"),
        ("?tags=x,y", "tagged"),
        ("?tags_all=x,z", "tagged"),
        ("?tags_all=x,y", None),
        ("?metadata[plan]=pro", "pro"),
        ("?metadata[plan]=Pro", None),
        ("?requester=ann&tags=x", None),
        ("?tags=x&search=tagged&created_since=2026-01-02", "tagged"),
        ("?assigned=false", "first"),
        ("?assigned=true", None),
        ("?assignee=kim", None),
        ("?assigned=false&assignee=kim", None),
    ],
)
def test_each_filter_narrows_the_claim(
    client: FlaskClient, database: Connection, query: str, title: str | None
) -> None:
    rows: list[tuple[Any, ...]] = [
        ("first", "2026-01-01", "general", "medium", None, None, None),
        ("technical", "2026-02-02", "technical", "medium", None, None, None),
        ("low", "2026-02-03", "general", "low", None, None, None),
        ("with a needle", "2026-02-05", "general", "medium", None, None, None),
        ("of Ann", "2026-02-06", "general", "medium", "Ann", None, None),
        ("tagged", "2026-02-07", "general", "medium", None, ["x", "z"], None),
        ("pro", "2026-02-08", "general", "medium", None, None, '{"plan": "pro"}'),
        ("late", "2026-03-03", "general", "medium", None, None, None),
    ]
    for row in rows:
        database.execute(
            "INSERT INTO tickets (title, description, created_at, category, priority, requester, tags, metadata)"
            " VALUES (%s, '-', %s, %s, %s, %s, %s, %s)",
            row,
        )
    assert claimed_title(client, query) == title


@pytest.mark.parametrize("name", ["sort", "limit", "cursor", "count", "nonsense"])
def test_parameters_of_lists_are_unknown(client: FlaskClient, name: str) -> None:
    assert field_errors(claim(client, f"?{name}=1")) == {name: "unknown"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"assignee": None}, "wrong_type"),
        ({"assignee": 1}, "wrong_type"),
        ({"assignee": " "}, "empty"),
        ({"assignee": "\u200b"}, "empty"),
        ({"assignee": "x" * 256}, "too_long"),
        ({"assignee": "\0"}, "bad_character"),
    ],
)
def test_assignee_is_required(client: FlaskClient, body: dict[str, Any], code: str) -> None:
    file_ticket(client)
    assert field_errors(client.post(CLAIM, json=body)) == {"#/assignee": code}
    assert len(client.get(f"{URL}?assigned=false").get_json()) == 1


@pytest.mark.parametrize("slash", ["", "/"])
def test_claim_is_no_id(client: FlaskClient, slash: str) -> None:
    file_ticket(client)
    assert client.post(f"{URL}claim{slash}", json={"assignee": "kim"}).status_code == 200
    response = client.get(f"{URL}claim{slash}")
    problem(response, 405)
    assert "POST" in response.headers["Allow"]


# --- concurrency


@pytest.fixture
def locked(database_url: str) -> Iterator[Callable[[list[str]], None]]:
    """Return a function that locks tickets by title until the test ends."""
    with closing(psycopg.connect(database_url)) as connection:

        def lock(titles: list[str]) -> None:
            connection.execute("UPDATE tickets SET title = title WHERE title = ANY (%s)", [titles])

        yield lock


@pytest.mark.parametrize("query", ["", "?tags=a,b"])
@pytest.mark.parametrize("head_limit", [1, claims.HEAD_LIMIT])
def test_locked_tickets_are_skipped_without_waiting(
    client: FlaskClient,
    database: Connection,
    locked: Callable[[list[str]], None],
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    head_limit: int,
) -> None:
    """Five tickets are locked in an open transaction: a claim that waited for one would fail after the lock timeout."""
    monkeypatch.setattr(claims, "HEAD_LIMIT", head_limit)
    insert_many(database, 1024)
    database.execute("UPDATE tickets SET tags = '{a,b}'")
    tickets = client.get(f"{URL}?status=open&priority=critical&sort=created_at").get_json()
    locked([ticket["title"] for ticket in tickets[:5]])
    assert [claimed_title(client, query) for _ in range(3)] == [ticket["title"] for ticket in tickets[5:8]]


def test_exactly_one_ticket_is_locked(client: FlaskClient, database: Connection, database_url: str) -> None:
    """Until the transaction of the claim ends, other claims get all other tickets."""
    insert_many(database, 256)
    values = {"assignee": "kim", "author": " ", "head_limit": 32}
    query = claims._CLAIM["unassigned"]
    bound = query.bind({**filter_parameters(Filters(statuses=("open",), is_assigned=False)), **values})
    with closing(psycopg.connect(database_url)) as connection:
        connection.pgconn.exec_params(b"BEGIN", None)
        result = connection.pgconn.exec_params(query.text.encode(), bound)
        assert result.ntuples == 1, result.get_error_message()
        others = 0
        while claim(client).status_code == 200:
            others += 1
    assert others == 63


def test_concurrent_claims_get_different_tickets_and_none_fails(service: Service, database: Connection) -> None:
    """A hundred requests at once for sixty tickets."""
    insert_many(database, 256)
    database.execute("DELETE FROM tickets WHERE title IN ('Ticket 1', 'Ticket 2', 'Ticket 3', 'Ticket 64')")
    assert len(service.call("GET", f"{URL}?status=open&limit=500").json) == 60

    def send(number: int) -> tuple[int, Any]:
        response = service.call("POST", CLAIM, {"assignee": f"agent {number}"})
        return response.status, response.json if response.status == 200 else None

    with ThreadPoolExecutor(50) as threads:
        responses = list(threads.map(send, range(100)))
    assert sorted(status for status, _ in responses) == [200] * 60 + [204] * 40
    claimed = [ticket for _, ticket in responses if ticket]
    assert len({ticket["id"] for ticket in claimed}) == len({ticket["assignee"] for ticket in claimed}) == 60
    assert {(ticket["version"], ticket["status"]) for ticket in claimed} == {(2, "in_progress")}
    for ticket in claimed[:3]:
        assert service.call("GET", f"{URL}{ticket['id']}").json == ticket
