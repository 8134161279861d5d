"""GET /api/tickets/:id/history, and that the entries lead to the ticket."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tickets import LABELS, TICKET, URL, field_errors, file_ticket, insert, next_page, problem
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.store.postgres import queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

FIELDS = ["title", "description", "category", "priority", "status"]
REQUEST = {"X-Request-Id": "request-1"}


def history(client: FlaskClient, ticket_id: str, **headers: str) -> list[dict[str, Any]]:
    """Return all entries of a ticket, from all pages."""
    entries: list[dict[str, Any]] = []
    address: str | None = f"{URL}{ticket_id}/history?limit=500"
    while address:
        response = client.get(address, headers=headers)
        assert response.status_code == 200, response.text
        entries += response.get_json()
        address = next_page(response)
    return entries


def replayed(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the ticket that the entries lead to."""
    ticket: dict[str, Any] = dict.fromkeys(FIELDS)
    for entry in entries:
        for field, change in entry["changes"].items():
            assert change["from"] == ticket[field]
            ticket[field] = change["to"]
        ticket |= {"version": entry["version"], "updated_at": entry["at"]}
    return ticket | {"created_at": entries[0]["at"]}


def assert_explained(client: FlaskClient, ticket_id: str) -> None:
    ticket = client.get(URL + ticket_id).get_json()
    assert replayed(history(client, ticket_id)).items() <= ticket.items()


def test_it_works(client: FlaskClient) -> None:
    ticket = client.post(URL, json={**TICKET, **LABELS}, headers=REQUEST).get_json()
    changed = client.patch(URL + ticket["id"], json={"status": "closed", "title": "New"}, headers={"X-Request-Id": "2"})
    response = client.get(f"{URL}{ticket['id']}/history")
    assert (response.status_code, response.content_type, response.headers["Cache-Control"]) == (
        200,
        "application/json",
        "no-store",
    )
    by_client = {"source": "caller"}
    assert response.get_json() == [
        {
            "event": "created",
            "version": 1,
            "at": ticket["created_at"],
            "by": None,
            "request_id": "request-1",
            "changes": {field: {"from": None, "to": ticket[field]} for field in FIELDS},
            "triage": {"category": by_client, "priority": by_client},
        },
        {
            "event": "changed",
            "version": 2,
            "at": changed.get_json()["updated_at"],
            "by": None,
            "request_id": "2",
            "changes": {
                "title": {"from": ticket["title"], "to": "New"},
                "status": {"from": "open", "to": "closed"},
            },
        },
    ]


def test_creation_entry_has_the_suggestion(client: FlaskClient) -> None:
    ticket = client.post(URL, json={**TICKET, "priority": "low"}).get_json()
    client.patch(URL + ticket["id"], json={"category": "billing"})
    created = history(client, ticket["id"])[0]
    assert created["changes"]["category"]["to"] == ticket["category"]
    assert created["triage"] == ticket["triage"]


def test_change_of_nothing_adds_no_entry(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client)
    for body in ({}, {"title": ticket["title"], "status": "OPEN"}, {"version": 9}):
        assert client.patch(URL + ticket["id"], json=body).status_code == 200
    client.patch(URL + ticket["id"], json={"title": "New"}, headers={"If-Match": '"9"'})
    client.delete(URL + ticket["id"], headers={"If-Match": '"9"'})
    assert len(history(client, ticket["id"])) == 1
    assert database.execute("SELECT count(*) FROM ticket_history").fetchone() == (0,)


@pytest.mark.parametrize("seed", range(3))
def test_replaying_the_history_gives_the_ticket(client: FlaskClient, seed: int) -> None:
    choose = random.Random(seed)
    ticket_id = client.post(URL, json=TICKET).get_json()["id"]
    values = {
        "title": ["a", 'b "quoted" \\ 🎫', "c"],
        "description": ["\n1\n2", "null", "ü" * 5000, "{}"],
        "category": list(CATEGORIES),
        "priority": list(PRIORITIES),
        "status": list(STATUSES),
    }
    for _ in range(40):
        fields = choose.sample(FIELDS, choose.randint(0, 3))
        client.patch(URL + ticket_id, json={field: choose.choice(values[field]) for field in fields})
        assert_explained(client, ticket_id)
    versions = [entry["version"] for entry in history(client, ticket_id)]
    assert versions == list(range(1, len(versions) + 1))
    assert client.get(URL + ticket_id).headers["ETag"] == f'"{versions[-1]}"'


@pytest.mark.parametrize(
    "change",
    [
        "status = 'closed'",
        "status = 'closed', version = version + 1, updated_at = now()",
        "title = 'New', description = 'x', category = 'general', priority = 'low'",
    ],
)
def test_change_by_hand_adds_an_entry(client: FlaskClient, database: Connection, change: str) -> None:
    tickets = [file_ticket(client)["id"] for _ in range(3)]
    client.patch(URL + tickets[0], json={"title": "By a call"})
    database.execute(f"UPDATE tickets SET {change}".encode())
    for ticket_id in tickets:
        ticket, entries = client.get(URL + ticket_id).get_json(), history(client, ticket_id)
        found = replayed(entries)
        assert {field: ticket[field] for field in [*FIELDS, "version"]}.items() <= found.items()
        assert [entry["version"] for entry in entries] == [*range(1, ticket["version"] + 1)]
        assert ticket["updated_at"] == entries[-1]["at"] > entries[0]["at"]
        assert (entries[-1]["by"], entries[-1]["request_id"]) == (None, None)


def test_statements_of_an_older_release_keep_it_complete(client: FlaskClient, database: Connection) -> None:
    ticket_id = insert(database, "old", "2026-01-01T00:00:00Z")
    assert_explained(client, ticket_id)
    client.patch(URL + ticket_id, json={"title": "new"})
    assert_explained(client, ticket_id)


def test_change_from_before_the_history_existed_is_shown(client: FlaskClient, database: Connection) -> None:
    ticket_id = insert(database, "old", "2026-01-01T00:00:00Z")
    database.execute("ALTER TABLE tickets DISABLE TRIGGER ticket_history_changed")
    database.execute("UPDATE tickets SET version = 5, status = 'closed'")
    database.execute("ALTER TABLE tickets ENABLE TRIGGER ticket_history_changed")
    assert [entry["version"] for entry in history(client, ticket_id)] == [5]
    client.patch(URL + ticket_id, json={"title": "new"})
    assert [entry["version"] for entry in history(client, ticket_id)] == [5, 6]
    assert_explained(client, ticket_id)


# --- author


def test_entry_names_the_key_of_its_author(guarded: Flask, cast: dict[str, dict[str, str]]) -> None:
    client = guarded.test_client()
    path = client.post(URL, json=TICKET, headers=cast["writer"]).headers["Location"]
    client.patch(path, json={"status": "closed"}, headers={**cast["admin"], **REQUEST})
    client.patch(path, json={"status": "open"}, headers=cast["writer"])
    client.delete(path, headers=cast["admin"])
    entries = history(client, path.rpartition("/")[2], **cast["reader"])
    assert [entry["by"] for entry in entries] == ["writer", "admin", "writer", "admin"]
    assert entries[1]["request_id"] == "request-1"
    assert all(re.fullmatch(r"[0-9a-f]{32}|request-1", entry["request_id"]) for entry in entries)


def test_author_does_not_outlive_the_statement(make_app: Callable[..., Flask]) -> None:
    app = make_app(pool_size=1)
    client, database = app.test_client(), app.extensions["ticketsvc"].database
    ticket_id = file_ticket(client)["id"]
    asked = queries.parse("author", "SELECT current_setting('ticketsvc.author', true)", str)
    client.patch(URL + ticket_id, json={"title": "New"})
    assert database.rows(asked) == [""]
    client.delete(URL + ticket_id)
    assert database.rows(asked) == [""]


# --- deletion


def test_deletion_keeps_the_history_without_texts(client: FlaskClient, database: Connection) -> None:
    ticket_id = client.post(URL, json={"title": "xylophone", "description": "quagmire"}).get_json()["id"]
    client.patch(URL + ticket_id, json={"title": "zither", "status": "closed"})
    before = history(client, ticket_id)
    assert client.delete(URL + ticket_id, headers=REQUEST).status_code == 204
    problem(client.get(URL + ticket_id), 404)

    created, changed, deleted = history(client, ticket_id)
    gone = {"from": None, "to": None}
    assert created == before[0] | {"changes": before[0]["changes"] | {"title": gone, "description": gone}}
    assert changed == before[1] | {"changes": before[1]["changes"] | {"title": gone}}
    assert changed["changes"]["status"] == {"from": "open", "to": "closed"}
    assert (deleted["event"], deleted["version"], deleted["changes"]) == ("deleted", 2, {})
    assert deleted["request_id"] == "request-1"
    rows = str(database.execute("SELECT h::text FROM ticket_history AS h").fetchall())
    assert not re.search("xylophone|quagmire|zither", rows)


def test_deletion_by_hand_adds_an_entry(client: FlaskClient, database: Connection) -> None:
    tickets = [file_ticket(client)["id"] for _ in range(3)]
    database.execute("DELETE FROM tickets")
    for ticket_id in tickets:
        assert [entry["event"] for entry in history(client, ticket_id)] == ["created", "deleted"]


# --- pages


def test_pages_contain_every_entry_once(client: FlaskClient, database: Connection) -> None:
    ticket_id = file_ticket(client, title="0")["id"]
    for number in range(1, 8):
        client.patch(URL + ticket_id, json={"title": str(number)})
    seen, pages = [], 0
    address: str | None = f"{URL}{ticket_id}/history/?limit=3"
    while address:
        response = client.get(address)
        seen += [entry["changes"]["title"]["to"] for entry in response.get_json()]
        pages, address = pages + 1, next_page(response)
    assert (seen, pages) == ([str(number) for number in range(8)], 3)


def test_default_limit_is_100_entries(client: FlaskClient, database: Connection) -> None:
    ticket_id = file_ticket(client)["id"]
    for _ in range(100):
        database.execute("UPDATE tickets SET version = version + 1, title = version::text")
    response = client.get(f"{URL}{ticket_id}/history")
    assert len(response.get_json()) == 100
    following = next_page(response)
    assert following
    assert len(client.get(following).get_json()) == 1
    assert len(history(client, ticket_id)) == 101


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=x", "by=ann", "status=open"])
def test_it_rejects_invalid_parameters(client: FlaskClient, query: str) -> None:
    ticket_id = file_ticket(client)["id"]
    assert list(field_errors(client.get(f"{URL}{ticket_id}/history?{query}"))) == [query.partition("=")[0]]


def test_it_rejects_the_cursor_of_another_ticket_or_list(client: FlaskClient) -> None:
    one, other = (file_ticket(client)["id"] for _ in range(2))
    client.patch(URL + one, json={"title": "New"})
    for address in (f"{URL}{one}/history?limit=1", f"{URL}?limit=1"):
        following = next_page(client.get(address))
        assert following
        assert field_errors(client.get(f"{URL}{other}/history?{following.partition('?')[2]}")) == {
            "cursor": "not_allowed"
        }


@pytest.mark.parametrize("ticket_id", ["0192a3b4-c5d6-7e8f-9012-3456789abcde", "stats", "1", "%00"])
def test_unknown_ticket_is_404(client: FlaskClient, ticket_id: str) -> None:
    problem(client.get(f"{URL}{ticket_id}/history"), 404)


def test_large_pages_end_early_and_miss_no_entry(client: FlaskClient) -> None:
    ticket_id = file_ticket(client)["id"]
    for number in range(60):
        text = ("x", "字", "\x01", '"')[number % 4] * 40_000
        assert client.patch(URL + ticket_id, json={"description": f"{number}{text}"}).status_code == 200
    versions: list[int] = []
    address: str | None = f"{URL}{ticket_id}/history?limit=500"
    while address:
        response = client.get(address)
        assert 1 <= len(response.get_json()) < 60
        assert len(response.data) < 4_200_000
        versions += [entry["version"] for entry in response.get_json()]
        address = next_page(response)
    assert versions == list(range(1, 62))
