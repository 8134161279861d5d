"""GET /api/events/: pages, cursors and keys. tests/database/test_events.py has the order of the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cast import bearer
from tests.support.tickets import URL, field_errors, file_ticket, next_page, problem

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.tickets import Connection

EVENTS = "/api/events/"


def read(client: FlaskClient, after: str = "", query: str = "", **headers: str) -> tuple[list[dict[str, Any]], str]:
    """Return the events after an id, and the id from which to continue."""
    response = client.get(f"{EVENTS}?after={after}&{query}", headers=headers)
    assert (response.status_code, response.content_type) == (200, "application/json"), response.text
    return response.get_json(), response.headers["X-Last-Event-Id"]


def test_a_client_follows_from_the_end(client: FlaskClient) -> None:
    file_ticket(client)
    nothing, end = read(client, "latest")
    assert nothing == []
    ticket = file_ticket(client)
    client.patch(URL + ticket["id"], json={"status": "closed"})
    events, last = read(client, end)
    assert [(event["type"], event["version"]) for event in events] == [("ticket.created", 1), ("ticket.updated", 2)]
    assert events[1].keys() == {"id", "type", "at", "ticket_id", "version", "by", "data"}
    assert events[1]["data"] == {"event": "changed", "changes": {"status": {"from": "open", "to": "closed"}}}
    assert last == events[-1]["id"]
    assert read(client, last) == ([], last)
    assert read(client, "latest") == ([], last)


@pytest.mark.parametrize("path", ["/api/events", "/api/events/"])
def test_pages_lead_to_every_event_once(client: FlaskClient, path: str) -> None:
    start = read(client, "latest")[1]
    titles = [str(number) for number in range(5)]
    for title in titles:
        file_ticket(client, title=title)
    address: str | None = f"{path}?after={start}&limit=2"
    pages: list[TestResponse] = []
    while address:
        pages.append(client.get(address))
        address = next_page(pages[-1])
    found = [event["data"]["changes"]["title"]["to"] for page in pages for event in page.get_json()]
    assert found == titles
    assert [len(page.get_json()) for page in pages] == [2, 2, 1]
    assert {page.headers["Cache-Control"] for page in pages} == {"no-store"}


def test_a_page_ends_at_about_4_mb_and_is_compressed(client: FlaskClient) -> None:
    start = read(client, "latest")[1]
    lines = b'{"title": "t", "description": "%b"}\n' % (b"x" + b"\\u001f" * 40_000 + b"x") * 20
    assert client.post(f"{URL}import", data=lines, content_type="application/x-ndjson").status_code == 200
    response = client.get(f"{EVENTS}?after={start}", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    first, last = read(client, start)
    assert len(first) == 16
    rest, end = read(client, last)
    assert len(rest) == 4
    assert read(client, end)[0] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=1", "after"),
        ("after=0123456g-1", "after"),
        ("after=01234567-01", "after"),
        ("after=01234567-1234567890123456789", "after"),
        ("after=01234567-%D9%A1", "after"),
        ("wait=31", "wait"),
        ("wait=-1", "wait"),
        ("wait=1.5", "wait"),
        ("limit=501", "limit"),
        ("cursor=x", "cursor"),
    ],
)
def test_invalid_parameters_are_400(client: FlaskClient, query: str, field: str) -> None:
    assert list(field_errors(client.get(f"{EVENTS}?{query}"))) == [field]


def test_an_id_after_which_events_are_missing_is_410(client: FlaskClient, database: Connection) -> None:
    start = read(client, "latest")[1]
    file_ticket(client)
    assert len(read(client, start)[0]) == 1
    database.execute("TRUNCATE tickets")
    gone = client.get(f"{EVENTS}?after={start}")
    assert problem(gone, 410)["type"] == "/docs/errors#events-gone"
    assert "take a new snapshot" in gone.get_json()["detail"]
    assert problem(client.get(f"{EVENTS}?after=ffffffff-1"), 410)


def test_a_public_key_sees_no_internal_comment(
    guarded: Flask, cast: dict[str, dict[str, str]], client: FlaskClient, database: Connection
) -> None:
    database.execute(
        "INSERT INTO api_keys (name, scope, hash, public_only) VALUES ('portal', 'read', sha256('tk_portal'), true)"
    )
    path = f"{URL}{file_ticket(client)['id']}/comments"
    start = read(client, "latest")[1]
    client.post(path, json={"body": "secret", "author": "Ann", "internal": True})
    client.post(path, json={"body": "public", "author": "Ann"})
    keyed = guarded.test_client()
    events, _ = read(keyed, start, **cast["reader"])
    assert [event["data"]["comment"]["body"] for event in events] == ["secret", "public"]
    hidden, shown = read(keyed, start, **bearer("tk_portal"))[0]
    assert (hidden["type"], hidden["by"], hidden["data"]) == (
        "ticket.updated",
        None,
        {"event": "changed", "changes": {}},
    )
    assert shown == events[1]
    assert problem(keyed.get(EVENTS), 401)
