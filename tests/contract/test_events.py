"""GET /api/events/: pages, cursors and keys. tests/database/test_events.py has the order of the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import metrics
from tests.support.cast import bearer
from tests.support.locks import wait_until
from tests.support.tickets import URL, field_errors, file_ticket, insert, next_page, problem
from ticketsvc import feed
from ticketsvc.api.output import event_stream
from ticketsvc.store.events import EventId

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def parts(client: FlaskClient, query: str, **headers: str) -> Iterator[bytes]:
    """Return the parts of a stream."""
    response = client.get(f"{EVENTS}?{query}", headers={"Accept": "text/event-stream", **headers})
    assert (response.status_code, response.content_type) == (200, "text/event-stream")
    return response.iter_encoded()


def test_a_stream_without_events_has_comments(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert event_stream.HEARTBEAT_SECONDS == 15
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.05)
    stream = parts(client, "after=latest")
    assert next(stream).startswith(b"retry: 3000\nid: ")
    assert [next(stream), next(stream)] == [b":\n", b":\n"]
    ticket = file_ticket(client)
    while (event := next(stream)) == b":\n":
        pass
    assert event.startswith(b"id: ")
    assert ticket["id"].encode() in event


def batches_read(client: FlaskClient) -> float:
    return metrics.value(metrics.read(client.get("/metrics").text), "event_delay_seconds_count")


def test_the_delay_of_an_event_is_not_the_age_of_its_ticket(client: FlaskClient, database: Connection) -> None:
    def delays() -> float:
        return metrics.value(metrics.read(client.get("/metrics").text), "event_delay_seconds_sum")

    wait_until(lambda: not client.application.extensions["ticketsvc"].feed._is_watching)
    before, count = delays(), batches_read(client)
    stream = parts(client, "after=latest")
    next(stream)
    insert(database, "Imported", "2020-01-01")
    next(stream)
    assert batches_read(client) > count
    assert delays() - before < 3600  # not years


def test_the_watcher_reads_in_parts_and_only_what_is_waited_for(
    client: FlaskClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all of an import in memory it would grow without bound, and notice nobody who leaves."""
    monkeypatch.setattr(feed, "KEEP_BATCHES", 4)
    kept, move = [], feed._Channel._move

    def observed(channel: feed._Channel, position: EventId) -> None:
        kept.append(len(channel.batches))
        move(channel, position)

    monkeypatch.setattr(feed._Channel, "_move", observed)
    watcher = client.application.extensions["ticketsvc"].feed
    channel = watcher._channels[False]
    wait_until(lambda: not watcher._is_watching)  # for the test before: it has a position
    insert = "INSERT INTO tickets (title, description) SELECT 't', repeat('x', 3000) FROM generate_series(1, %s)"

    stream = client.get(f"{EVENTS}?after=latest", headers={"Accept": "text/event-stream"})
    next(stream.iter_encoded())
    wait_until(lambda: channel.position is not None)  # otherwise the watcher may begin behind them
    database.execute(insert, [40 * feed.KEEP_BATCHES])
    _, end = read(client, "latest")
    wait_until(lambda: str(channel.position) == end)
    assert 0 < max(kept) <= 2 * feed.KEEP_BATCHES
    stream.close()
    wait_until(lambda: not watcher._is_watching)

    database.execute(insert, [1])
    before = batches_read(client)
    following = parts(client, "after=latest")
    next(following)
    file_ticket(client)
    next(following)
    assert batches_read(client) == before + 1


def test_a_listener_keeps_its_position_in_a_feed_that_has_started_over(client: FlaskClient) -> None:
    """The watcher has its position in the old feed for a moment, and that may have a greater number."""
    watcher = client.application.extensions["ticketsvc"].feed
    wait_until(lambda: not watcher._is_watching)
    listener = feed.Listener("client", None, EventId.parse(read(client, "latest")[1]), None, False)
    watcher._channels[False].position = EventId("00000000", 10**6)
    assert watcher.next(listener, 0) is None
    ticket = file_ticket(client)
    [event], end = read(client, str(listener.position))
    watcher._channels[False].position = EventId.parse(end)
    [found] = watcher.next(listener, 0).events
    assert (str(found.id), event["ticket_id"]) == (end, ticket["id"])
    watcher._channels[False].reset()


def test_a_stream_ends_when_its_key_is_revoked(
    guarded: Flask, cast: dict[str, dict[str, str]], database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "KEY_CHECK_SECONDS", 0.05)
    stream = parts(guarded.test_client(), "after=latest", **cast["reader"])
    assert b"event: position" in next(stream)
    database.execute("UPDATE api_keys SET revoked_at = now() WHERE name = 'reader'")
    assert set(stream) <= {b":\n"}


def test_a_public_key_that_waits_sees_no_internal_comment(
    guarded: Flask, cast: dict[str, dict[str, str]], client: FlaskClient, database: Connection
) -> None:
    database.execute(
        "INSERT INTO api_keys (name, scope, hash, public_only) VALUES ('portal', 'read', sha256('tk_portal'), true)"
    )
    ticket = file_ticket(client)
    own, all_of_them = (
        parts(guarded.test_client(), "after=latest", **key) for key in (bearer("tk_portal"), cast["reader"])
    )
    assert next(own) == next(all_of_them)
    client.post(f"{URL}{ticket['id']}/comments", json={"body": "secret", "author": "Ann", "internal": True})
    assert b'"body":"secret"' in next(all_of_them)
    shown = next(own)
    assert b'"event":"changed","changes":{}' in shown
    assert b"secret" not in shown
    assert b"Ann" not in shown


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("application/json, text/event-stream", "application/json"),
        ("text/event-stream, application/json;q=0.5", "text/event-stream"),
        ("text/event-stream", "text/event-stream"),
        ("text/html, */*;q=0.1", "application/json"),
        ("text/html", "application/problem+json"),
    ],
)
def test_accept_chooses_between_a_page_and_a_stream(client: FlaskClient, accept: str, content_type: str) -> None:
    response = client.head(f"{EVENTS}?after=latest", headers={"Accept": accept})
    assert response.content_type == content_type


def test_old_events_are_deleted_in_the_background(client: FlaskClient, app: Flask, database: Connection) -> None:
    start = read(client, "latest")[1]
    for _ in range(3):
        file_ticket(client)
    newest = read(client, start)[0][-1]
    database.execute("UPDATE events SET at = now() - interval '29 days 23 hours'")
    app.extensions["ticketsvc"].delete_expired()
    assert len(read(client, start)[0]) == 3
    database.execute("UPDATE events SET at = now() - interval '30 days 1 hour'")
    app.extensions["ticketsvc"].delete_expired()
    assert problem(client.get(f"{EVENTS}?after={start}"), 410)
    assert read(client)[0] == [newest]


def test_a_new_generation_ends_ids_behind_the_newest_event(app: Flask, client: FlaskClient) -> None:
    """After a disk was restored: the database has another event 3 than the reader that continues after 3."""
    file_ticket(client)
    known = read(client, "latest")[1]
    file_ticket(client)
    kept = read(client, "latest")[1]
    generation, number = kept.split("-")
    shown = app.test_cli_runner().invoke(args=["events", "new-generation"])
    assert shown.exception is None, shown.exception
    assert (shown.exit_code, shown.output) == (0, f"Readers that have seen events after {kept} start over.\n")
    lost = f"{generation}-{int(number) + 1}"
    assert problem(client.get(f"{EVENTS}?after={lost}"), 410)
    ticket = file_ticket(client)
    assert [event["ticket_id"] for event in read(client, kept)[0]] == [ticket["id"]]
    assert len(read(client, known)[0]) == 2
    assert problem(client.get(f"{EVENTS}?after={lost}"), 410)


def test_events_are_published_although_nobody_reads_them(client: FlaskClient, app: Flask, database: Connection) -> None:
    file_ticket(client)
    database.execute("UPDATE event_outbox SET at = now() - interval '1 hour'")
    assert 3600 <= unpublished(client) < 3700
    app.extensions["ticketsvc"].catch_up()
    assert unpublished(client) == 0


def unpublished(client: FlaskClient) -> float:
    return metrics.value(metrics.read(client.get("/metrics").text), "events_unpublished_seconds")
