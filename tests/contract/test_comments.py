"""The comments of a ticket: POST and GET /api/tickets/:id/comments/, GET and DELETE of one."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import serve
from tests.contract.test_history import history
from tests.support.cast import bearer
from tests.support.locks import KEY_LOCK, WAITING, in_background, wait_until, waiting_sessions
from tests.support.tickets import TICKET, URL, count_rows, field_errors, file_ticket, next_page, problem
from ticketsvc.validation.values import COMMENT_LENGTH, PERSON_LENGTH

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service
    from tests.support.tickets import Connection

    Cast = dict[str, dict[str, str]]


def comments_of(ticket: dict[str, Any]) -> str:
    """Return the path of a ticket's comments."""
    return f"{URL}{ticket['id']}/comments/"


def add(client: FlaskClient, ticket: dict[str, Any], body: str = "Hello", **fields: object) -> dict[str, Any]:
    """Add a comment over HTTP and return it."""
    document = json.dumps({"body": body, **fields}, ensure_ascii=False)
    response = client.post(comments_of(ticket), data=document, content_type="application/json")
    assert response.status_code == 201, response.text
    comment: dict[str, Any] = response.get_json()
    return comment


def read(client: FlaskClient, ticket: dict[str, Any]) -> dict[str, Any]:
    """Return the current ticket."""
    found: dict[str, Any] = client.get(URL + ticket["id"]).get_json()
    return found


def bodies(client: FlaskClient, ticket: dict[str, Any], query: str = "", **headers: str) -> list[str]:
    """Return the texts of one page of comments, in its order."""
    response = client.get(comments_of(ticket) + query, headers=headers)
    assert response.status_code == 200, response.text
    return [comment["body"] for comment in response.get_json()]


def test_it_works(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    response = client.post(
        comments_of(ticket),
        json={"body": " Have you tried <b>turning it off</b>?\n", "author": "ann@example.org", "internal": False},
    )
    assert (response.status_code, response.content_type) == (201, "application/json")
    comment = response.get_json()
    assert list(comment) == ["id", "ticket_id", "author", "internal", "body", "created_at"]
    changed = read(client, ticket)
    assert comment == {
        "id": comment["id"],
        "ticket_id": ticket["id"],
        "author": "ann@example.org",
        "internal": False,
        "body": "Have you tried <b>turning it off</b>?",
        "created_at": changed["updated_at"],
    }
    assert response.headers["Location"] == f"{comments_of(ticket)}{comment['id']}"
    assert "ETag" not in response.headers
    for suffix in ("", "/"):
        assert client.get(response.headers["Location"] + suffix).get_json() == comment
        assert client.get(comments_of(ticket).rstrip("/") + suffix).get_json() == [comment]
    assert (changed["version"], changed["status"]) == (2, "open")
    assert client.get(URL + ticket["id"]).headers["ETag"] == '"2"'
    assert changed["updated_at"] > ticket["updated_at"]


def test_history_has_an_entry_without_the_text(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client)
    comment = add(client, ticket, "xylophone", author="ann", internal=True)
    entry = history(client, ticket["id"])[1]
    assert list(entry) == ["event", "version", "at", "by", "request_id", "changes", "comment"]
    assert list(entry["comment"]) == ["id", "author", "internal"]
    assert (entry["event"], entry["version"], entry["at"], entry["changes"]) == (
        "commented", 2, comment["created_at"], {},
    )  # fmt: skip
    assert entry["comment"] == {"id": comment["id"], "author": "ann", "internal": True}
    assert not re.search("xylophone", str(database.execute("SELECT h::text FROM ticket_history AS h").fetchall()))


def test_reply_and_resolve_is_one_change(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    add(client, ticket, status="Resolved")
    resolved = read(client, ticket)
    assert (resolved["status"], resolved["version"]) == ("resolved", 2)
    assert resolved["resolved_at"] == resolved["first_response_at"] == resolved["updated_at"]
    _, entry = history(client, ticket["id"])
    assert (entry["event"], entry["changes"]) == ("commented", {"status": {"from": "open", "to": "resolved"}})


def test_reply_and_resolve_makes_the_training_example_that_a_patch_makes(
    client: FlaskClient, database: Connection
) -> None:
    first, second = (client.post(URL, json=TICKET).get_json() for _ in range(2))

    def learned() -> list[Any]:
        return [row[0] for row in database.execute("SELECT label_counts FROM triage_text_counts")]

    add(client, first, "Hello")
    assert learned() == []
    add(client, first, status="resolved")
    [once] = learned()
    assert client.patch(URL + second["id"], json={"status": "resolved"}).status_code == 200
    assert learned() == [[2 * count for count in once]] != [once]


def test_a_change_in_the_same_transaction_is_no_comment(client: FlaskClient, database: Connection) -> None:
    """The setting that tells the trigger about a comment is for one version of one ticket."""
    ticket, other = file_ticket(client), file_ticket(client)
    note = "SELECT set_config('ticketsvc.comment', comment_note('commented', %s, 2, %s, 'ann', false), true)"
    with database.transaction():
        database.execute(note.encode(), [ticket["id"], uuid4()])
        database.execute("UPDATE tickets SET version = version + 1, status = 'closed'")
        database.execute("UPDATE tickets SET version = version + 1, status = 'open'")
        database.execute("UPDATE tickets SET title = 'x'")
    database.execute("UPDATE tickets SET version = 2, status = 'closed'")
    events = [[entry["event"] for entry in history(client, found["id"])] for found in (ticket, other)]
    assert events == [["created", "commented", *["changed"] * 3], ["created", *["changed"] * 4]]


# --- input


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"#/body": "required"}),
        ({"body": None}, {"#/body": "wrong_type"}),
        ({"body": " \n"}, {"#/body": "empty"}),
        ({"body": "\u200b"}, {"#/body": "empty"}),
        ({"body": 1}, {"#/body": "wrong_type"}),
        ({"body": "x" * (COMMENT_LENGTH + 1)}, {"#/body": "too_long"}),
        ({"body": "a\0"}, {"#/body": "bad_character"}),
        ({"body": "\ud800"}, {"#/body": "bad_character"}),
        ({"body": "x", "author": "a" * (PERSON_LENGTH + 1)}, {"#/author": "too_long"}),
        ({"body": "x", "author": ["a"]}, {"#/author": "wrong_type"}),
        ({"body": "x", "internal": "false"}, {"#/internal": "wrong_type"}),
        ({"body": "x", "internal": 0}, {"#/internal": "wrong_type"}),
        ({"body": "x", "status": "done"}, {"#/status": "not_allowed"}),
        (
            {"author": 1, "internal": 1, "status": 1},
            {"#/body": "required", "#/author": "wrong_type", "#/internal": "wrong_type", "#/status": "not_allowed"},
        ),
    ],
)
def test_all_errors_are_reported_at_once(client: FlaskClient, body: dict[str, object], errors: dict[str, str]) -> None:
    ticket = file_ticket(client)
    assert field_errors(client.post(comments_of(ticket), json=body)) == errors
    assert read(client, ticket)["version"] == 1


def test_null_and_empty_members_are_absent(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    for empty in (None, ""):
        comment = add(client, ticket, author=empty, internal=None, status=empty)
        assert (comment["author"], comment["internal"]) == (None, False)
    assert read(client, ticket)["status"] == "open"


def test_longest_values_are_stored(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    comment = add(client, ticket, "字" * COMMENT_LENGTH, author="é" * PERSON_LENGTH)
    assert client.get(comments_of(ticket)).get_json() == [comment]
    assert len(comment["body"]) == COMMENT_LENGTH


def test_unused_members_are_named(client: FlaskClient) -> None:
    response = client.post(comments_of(file_ticket(client)), json={"body": "x", "id": 1, "title": "y"})
    assert (response.status_code, response.headers["Ignored-Members"]) == (201, '"id", "title"')


@pytest.mark.parametrize(
    "query", ["?sort=-id", "?limit=0", "?limit=501", "?internal=maybe", "?cursor=x", "?status=open"]
)
def test_invalid_parameters_are_400(client: FlaskClient, query: str) -> None:
    [code] = field_errors(client.get(comments_of(file_ticket(client)) + query)).values()
    assert code in ("not_allowed", "unknown")


# --- what is not there


@pytest.mark.parametrize("ticket_id", ["0192a3b4-c5d6-7e8f-9012-3456789abcde", "x", "1"])
def test_unknown_ticket_is_404(client: FlaskClient, ticket_id: str) -> None:
    path = f"{URL}{ticket_id}/comments"
    problem(client.get(path), 404)
    problem(client.post(path, json={"body": "x"}), 404)
    for comment_id in (uuid4(), "x"):
        problem(client.get(f"{path}/{comment_id}"), 404)
        problem(client.delete(f"{path}/{comment_id}"), 404)


def test_comment_of_another_ticket_is_404(client: FlaskClient) -> None:
    ticket, other = file_ticket(client), file_ticket(client)
    comment = add(client, ticket)
    problem(client.get(comments_of(other) + comment["id"]), 404)
    problem(client.delete(comments_of(other) + comment["id"]), 404)
    assert (read(client, ticket)["version"], read(client, other)["version"]) == (2, 1)


def test_comments_are_immutable(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    path = comments_of(ticket) + add(client, ticket)["id"]
    for method in ("PATCH", "PUT"):
        response = client.open(path, method=method, json={"body": "y"})
        problem(response, 405)
        assert set(response.headers["Allow"].split(", ")) == {"DELETE", "GET", "HEAD", "OPTIONS"}
    assert bodies(client, ticket) == ["Hello"]


# --- pages


def test_pages_contain_every_comment_once(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    written = [add(client, ticket, str(number), internal=number % 3 == 0)["body"] for number in range(10)]
    public = [body for body in written if int(body) % 3]
    for query, expected in (
        ("?limit=3", written),
        ("?limit=4&sort=created_at", written),
        ("?limit=3&sort=-created_at", written[::-1]),
        ("?limit=2&internal=false", public),
        ("?limit=2&internal=true&sort=-created_at", ["9", "6", "3", "0"]),
    ):
        seen: list[str] = []
        address: str | None = comments_of(ticket) + query
        while address:
            response = client.get(address)
            seen += [comment["body"] for comment in response.get_json()]
            address = next_page(response)
            if "limit=3&sort=created" in query and len(seen) == 3:
                add(client, ticket, "later")
        assert seen == expected
    assert bodies(client, file_ticket(client)) == []


def test_cursor_of_another_ticket_or_order_is_400(client: FlaskClient) -> None:
    ticket, other = file_ticket(client), file_ticket(client)
    for found in (ticket, other):
        add(client, found), add(client, found)
    address = next_page(client.get(f"{comments_of(ticket)}?limit=1"))
    assert address
    cursor = address.rpartition("cursor=")[2]
    for path in (f"{comments_of(other)}?", f"{comments_of(ticket)}?sort=-created_at&", f"{URL}{ticket['id']}/history?"):
        assert field_errors(client.get(f"{path}cursor={cursor}")) == {"cursor": "not_allowed"}


def test_page_of_large_comments_ends_early(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    written = [add(client, ticket, f"{number}" + "\x01" * 40_000 + ".")["id"] for number in range(20)]
    first = client.get(comments_of(ticket))
    assert 1 <= len(first.get_json()) < 20
    assert len(first.data) < 4_400_000
    second = client.get(str(next_page(first)))
    assert [comment["id"] for comment in first.get_json() + second.get_json()] == written


# --- first response


def test_first_response_is_the_first_public_comment_of_another_person(client: FlaskClient) -> None:
    ticket = file_ticket(client, requester="Straße@Example.org")
    add(client, ticket, author="STRASSE@example.org")
    add(client, ticket, author="ann", internal=True)
    assert read(client, ticket)["first_response_at"] is None
    first = add(client, ticket, author="ann")
    assert read(client, ticket)["first_response_at"] == first["created_at"]
    add(client, ticket, author="bob")
    client.patch(URL + ticket["id"], json={"requester": "ann"})
    client.delete(comments_of(ticket) + first["id"])
    assert read(client, ticket)["first_response_at"] == first["created_at"]


@pytest.mark.parametrize(("requester", "author"), [(None, "ann"), (None, None), ("ann", None)])
def test_who_is_not_known_to_be_the_requester_responds(
    client: FlaskClient, requester: str | None, author: str | None
) -> None:
    ticket = file_ticket(client, requester=requester)
    comment = add(client, ticket, author=author)
    assert read(client, ticket)["first_response_at"] == comment["created_at"]


# --- preconditions and idempotency


def test_preconditions_are_about_the_ticket(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    path = comments_of(ticket)
    for headers, kind in (
        ({"If-Match": '"2"'}, "version-mismatch"),
        ({"If-Match": '"x"'}, "precondition-failed"),
        ({"If-None-Match": "*"}, "precondition-failed"),
        ({"If-None-Match": '"1"'}, "precondition-failed"),
    ):
        refused = problem(client.post(path, json={"body": "x", "status": "closed"}, headers=headers), 412)
        assert refused["type"] == f"/docs/errors#{kind}"
    assert bodies(client, ticket) == []
    assert read(client, ticket) == ticket
    added = client.post(path, json={"body": "x"}, headers={"If-Match": '"1"'})
    assert added.status_code == 201
    location = added.headers["Location"]
    for headers in ({"If-Match": '"1"'}, {"If-None-Match": "*"}):
        problem(client.delete(location, headers=headers), 412)
    assert client.delete(location, headers={"If-Match": '"2"'}).status_code == 204


def test_repeated_request_returns_the_first_response(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    body, headers = {"body": "xylophone", "status": "closed"}, {"Idempotency-Key": "a", "If-Match": '"1"'}
    first = client.post(comments_of(ticket), json=body, headers=headers)
    again = client.post(comments_of(ticket), json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.data, first.headers["Location"]) == (again.data, again.headers["Location"])
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert read(client, ticket)["version"] == 2


def test_key_belongs_to_one_ticket_and_body(client: FlaskClient) -> None:
    ticket, other = file_ticket(client), file_ticket(client)
    headers = {"Idempotency-Key": "b"}
    assert client.post(comments_of(ticket), json={"body": "x"}, headers=headers).status_code == 201
    for path, body in (
        (comments_of(ticket), {"body": "y"}),
        (comments_of(other), {"body": "x"}),
        (f"{URL}{uuid4()}/comments", {"body": "x"}),
        (URL, TICKET),
    ):
        assert problem(client.post(path, json=body, headers=headers), 422)["type"].endswith("#idempotency-key-reused")
    client.post(URL, json=TICKET, headers={"Idempotency-Key": "c"})
    problem(client.post(comments_of(ticket), json={"body": "x"}, headers={"Idempotency-Key": "c"}), 422)


def test_failed_request_is_not_remembered(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    headers = {"Idempotency-Key": "d", "If-Match": '"9"'}
    problem(client.post(comments_of(ticket), json={"body": "x"}, headers=headers), 412)
    problem(client.post(f"{URL}{uuid4()}/comments", json={"body": "x"}, headers=headers), 404)
    headers["If-Match"] = '"1"'
    assert client.post(comments_of(ticket), json={"body": "x"}, headers=headers).status_code == 201


def test_request_in_progress_is_409(client: FlaskClient, database: Connection) -> None:
    ticket, headers = file_ticket(client), {"Idempotency-Key": "e"}
    client.post(comments_of(ticket), json={"body": "x"}, headers=headers)
    [(key_hash,)] = database.execute("SELECT key_hash FROM idempotency_records").fetchall()
    database.execute("DELETE FROM idempotency_records")
    with database.transaction():
        database.execute(f"SELECT pg_advisory_xact_lock({KEY_LOCK})".encode(), [key_hash])
        response = client.post(comments_of(ticket), json={"body": "x"}, headers=headers)
        assert problem(response, 409)["type"].endswith("#create-in-progress")
    assert read(client, ticket)["version"] == 2


# --- deletion


def test_deletion_erases_the_text_and_keeps_that_it_existed(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client)
    body, headers = {"body": "xylophone", "author": "ann", "internal": True}, {"Idempotency-Key": "f"}
    response = client.post(comments_of(ticket), json=body, headers=headers)
    comment, location = response.get_json(), response.headers["Location"]
    deleted = client.delete(f"{location}/")
    assert (deleted.status_code, deleted.data) == (204, b"")
    problem(client.get(location), 404)
    problem(client.delete(location), 404)
    assert bodies(client, ticket) == []
    changed = read(client, ticket)
    assert changed["version"] == 3
    about = {"id": comment["id"], "author": "ann", "internal": True}
    entries = history(client, ticket["id"])
    assert [(entry["event"], entry["version"], entry["changes"], entry["comment"]) for entry in entries[1:]] == [
        ("commented", 2, {}, about),
        ("comment_deleted", 3, {}, about),
    ]
    assert entries[2]["at"] == changed["updated_at"]
    problem(client.post(comments_of(ticket), json=body, headers=headers), 404)
    for table in ("comments", "idempotency_records", "ticket_history", "ticket_texts"):
        assert "xylophone" not in str(database.execute(f"SELECT x::text FROM {table} AS x".encode()).fetchall())


def test_deleted_ticket_takes_its_comments_and_their_authors_along(client: FlaskClient, database: Connection) -> None:
    ticket, other = file_ticket(client), file_ticket(client)
    first = add(client, ticket, "xylophone", author="zoe", status="closed")
    add(client, other, "kept", author="ann")
    client.delete(comments_of(ticket) + add(client, ticket, "quagmire", author="zoe")["id"])
    assert client.delete(URL + ticket["id"]).status_code == 204
    problem(client.get(comments_of(ticket)), 404)
    problem(client.post(comments_of(ticket), json={"body": "x"}), 404)
    problem(client.get(comments_of(ticket) + first["id"]), 404)
    entries = history(client, ticket["id"])
    assert [entry["event"] for entry in entries] == ["created", "commented", "commented", "comment_deleted", "deleted"]
    assert entries[1]["comment"] == {"id": first["id"], "author": None, "internal": False}
    assert entries[1]["changes"] == {"status": {"from": "open", "to": "closed"}}
    for table in ("comments", "ticket_history", "idempotency_records"):
        rows = str(database.execute(f"SELECT x::text FROM {table} AS x".encode()).fetchall())
        assert not re.search("xylophone|quagmire|zoe", rows)
    assert bodies(client, other) == ["kept"]


def test_truncated_tickets_have_no_comments(client: FlaskClient, database: Connection) -> None:
    add(client, file_ticket(client))
    database.execute("TRUNCATE tickets")
    assert count_rows(database, "comments") == 0


# --- keys


@pytest.fixture
def portal(cast: Cast, database: Connection) -> dict[str, str]:
    """The headers of a key that is limited to public comments."""
    database.execute(
        "INSERT INTO api_keys (name, scope, hash, public_only) VALUES ('portal', 'write', sha256('tk_portal'), true)"
    )
    return bearer("tk_portal")


def test_name_of_the_key_is_the_default_author(guarded: Flask, cast: Cast) -> None:
    client = guarded.test_client()
    path = client.post(URL, json=TICKET, headers=cast["writer"]).headers["Location"] + "/comments"
    authors = [
        client.post(path, json={"body": "x", **given}, headers=cast["writer"]).get_json()["author"]
        for given in ({}, {"author": None}, {"author": "ann"})
    ]
    assert authors == ["writer", "writer", "ann"]
    entries = history(client, path.split("/")[3], **cast["reader"])[1:]
    assert [(entry["by"], entry["comment"]["author"]) for entry in entries] == [
        ("writer", "writer"), ("writer", "writer"), ("writer", "ann"),
    ]  # fmt: skip
    problem(client.post(path, json={"body": "x"}, headers=cast["reader"]), 403)


def test_public_key_never_sees_an_internal_comment(guarded: Flask, cast: Cast, portal: dict[str, str]) -> None:
    client = guarded.test_client()
    ticket_path = client.post(URL, json=TICKET, headers=cast["writer"]).headers["Location"]
    ticket, path = {"id": ticket_path.split("/")[3]}, f"{ticket_path}/comments"
    secret, public = (
        client.post(path, json={"body": body, "internal": body == "secret", "author": "ann"}, headers=cast["writer"])
        for body in ("secret", "public")
    )
    for query in ("", "?internal=false", "?sort=-created_at"):
        assert bodies(client, ticket, query, **portal) == ["public"]
    assert bodies(client, ticket, "?internal=true", **portal) == []
    assert bodies(client, ticket, **cast["reader"]) == ["secret", "public"]
    problem(client.get(secret.headers["Location"], headers=portal), 404)
    problem(client.delete(secret.headers["Location"], headers=portal), 404)
    problem(client.delete(secret.headers["Location"], headers={**portal, "If-Match": '"1"'}), 404)
    assert client.get(secret.headers["Location"], headers=cast["reader"]).status_code == 200
    assert client.get(public.headers["Location"], headers=portal).status_code == 200

    response = client.post(path, json={"body": "x", "internal": True}, headers=portal)
    assert problem(response, 403)["type"] == "/docs/errors#insufficient-scope"
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert client.post(path, json={"body": "y", "internal": False}, headers=portal).status_code == 201
    client.delete(secret.headers["Location"], headers=cast["writer"])

    seen, everything = (history(client, ticket["id"], **headers) for headers in (portal, cast["reader"]))
    assert [entry["event"] for entry in everything] == [
        "created", "commented", "commented", "commented", "comment_deleted",
    ]  # fmt: skip
    assert [entry["event"] for entry in seen] == ["created", "changed", "commented", "commented", "changed"]
    assert ["comment" in entry for entry in seen] == [False, False, True, True, False]
    assert [entry["version"] for entry in seen] == [1, 2, 3, 4, 5]
    assert [entry["by"] for entry in seen] == ["writer", None, "writer", "portal", None]


# --- concurrency


def test_concurrent_comments_have_an_order_without_gaps(service: Service) -> None:
    ticket = service.call("POST", URL, TICKET).json
    path = f"{URL}{ticket['id']}/comments/"
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda number: service.call("POST", path, {"body": str(number)}), range(40)))
    assert [response.status for response in added] == [201] * 40
    listed = service.call("GET", f"{path}?limit=500").json
    assert sorted(comment["id"] for comment in listed) == sorted(response.json["id"] for response in added)
    entries = service.call("GET", f"{URL}{ticket['id']}/history?limit=500").json
    assert [entry["version"] for entry in entries] == list(range(1, 42))
    assert [entry["comment"]["id"] for entry in entries[1:]] == [comment["id"] for comment in listed]
    assert [entry["at"] for entry in entries[1:]] == [comment["created_at"] for comment in listed]
    assert listed == sorted(listed, key=lambda comment: comment["created_at"])
    current = service.call("GET", URL + ticket["id"]).json
    assert (current["version"], current["first_response_at"]) == (41, listed[0]["created_at"])


def test_of_concurrent_deletions_one_succeeds(service: Service) -> None:
    path = f"{URL}{service.call('POST', URL, TICKET).json['id']}"
    comment = service.call("POST", f"{path}/comments", {"body": "x"}).json
    with ThreadPoolExecutor(8) as pool:
        deleted = list(pool.map(lambda _: service.call("DELETE", f"{path}/comments/{comment['id']}"), range(8)))
    assert sorted(response.status for response in deleted) == [204] + [404] * 7
    assert service.call("GET", path).json["version"] == 3


def test_of_concurrent_repetitions_one_adds_a_comment(service: Service) -> None:
    path = f"{URL}{service.call('POST', URL, TICKET).json['id']}"
    headers = {"Idempotency-Key": str(uuid4())}
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: service.call("POST", f"{path}/comments", {"body": "x"}, headers), range(8)))
    assert {response.status for response in responses} <= {201, 409}
    assert len({response.json["id"] for response in responses if response.status == 201}) == 1
    assert len(service.call("GET", f"{path}/comments").json) == 1
    assert service.call("GET", path).json["version"] == 2


def test_reply_and_resolve_that_is_cut_off_changes_nothing(
    service: Service, database: Connection, database_url: str
) -> None:
    """The session ends after the statement has changed the ticket, while it waits to store the comment."""
    ticket = service.call("POST", URL, TICKET).json
    path = f"{URL}{ticket['id']}/comments"
    with psycopg.connect(database_url) as rival, in_background() as threads:
        rival.execute(
            "INSERT INTO comments (ticket_id, version, id, created_at, internal, body, search_text)"
            " VALUES (%s, 2, gen_random_uuid(), now(), false, 'x', 'x')",
            [ticket["id"]],
        )
        request = threads.submit(service.call, "POST", path, {"body": "Done", "status": "resolved"})
        wait_until(lambda: waiting_sessions(database))
        database.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS found".encode())
        assert request.result().status == 503
        rival.rollback()
    assert service.call("GET", URL + ticket["id"]).json == ticket
    assert service.call("GET", path).json == []
    assert [entry["event"] for entry in service.call("GET", f"{URL}{ticket['id']}/history").json] == ["created"]
    assert service.call("POST", path, {"body": "Done", "status": "resolved"}).status == 201


def test_no_text_of_a_comment_is_logged(own_url: str, tmp_path: Path) -> None:
    with serve(own_url, tmp_path / "log") as service:
        path = f"{URL}{service.call('POST', URL, TICKET).json['id']}/comments"
        assert service.call("POST", path, {"body": "xylophone", "author": "quagmire"}).status == 201
        assert service.call("POST", path, {"body": "xylophone", "status": "zither"}).status == 400
        assert service.call("GET", f"{URL}?search=xylophone&search_in=comments").status == 200
    assert not re.search("xylophone|quagmire|zither", service.log.read_text())
