"""PATCH /api/tickets/:id"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bodies import MALFORMED, NOT_A_CHOICE, NOT_TEXT
from tests.support.tickets import URL, faults, file_ticket, problem
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.tickets import Connection

MERGE_PATCH = "application/merge-patch+json"
ALLOWED = {"category": CATEGORIES, "priority": PRIORITIES, "status": STATUSES}


@pytest.fixture
def ticket(client: FlaskClient) -> dict[str, Any]:
    """A ticket."""
    return file_ticket(client)


@pytest.fixture
def path(ticket: dict[str, Any], database: Connection) -> str:
    """Its path. It is a second old, so that a change shows in updated_at."""
    database.execute("UPDATE tickets SET created_at = created_at - '1 s'::interval, updated_at = created_at")
    return f"{URL}{ticket['id']}"


def patch(client: FlaskClient, path: str, body: object, **headers: str) -> TestResponse:
    """PATCH with headers given like If_Match."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.patch(path, data=json.dumps(body), content_type="application/json", headers=names)


CHANGES: list[dict[str, object]] = [
    {"title": "Another"},
    {"description": "Other words"},
    {"category": "billing"},
    {"priority": "critical"},
    {"status": "in_progress"},
    {"title": "New", "status": "resolved"},
    {"title": "a", "description": "b", "category": "general", "priority": "low", "status": "closed"},
]


@pytest.mark.parametrize("change", CHANGES)
def test_it_works_for_any_subset(client: FlaskClient, path: str, change: dict[str, object]) -> None:
    before = client.get(path).get_json()
    response = client.patch(path, json=change)
    assert response.status_code == 200
    after = response.get_json()
    assert after == {**before, **change, "version": 2, "updated_at": after["updated_at"]}
    assert list(after) == list(before)
    assert after["updated_at"] > before["updated_at"]
    assert response.headers["ETag"] == '"2"'
    assert client.get(path).get_json() == after


def test_it_changes_only_this_ticket(client: FlaskClient, path: str) -> None:
    other = file_ticket(client, title="Other")
    client.patch(path, json={"title": "Another"})
    assert client.get(URL + other["id"]).get_json() == other


def test_it_trims_and_lowers(client: FlaskClient, path: str) -> None:
    change = {"title": "\u3000New ", "description": "\tWords\n", "category": "BILLING", "status": "In_Progress"}
    after = client.patch(path, json=change).get_json()
    assert (after["title"], after["description"]) == ("New", "Words")
    assert (after["category"], after["status"]) == ("billing", "in_progress")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"title": "Cannot log in", "status": "open"},
        {"title": " Cannot log in ", "status": "OPEN", "category": "Account"},
        {"category": None, "priority": "", "status": None},
        {"id": "x", "created_at": 1, "updated_at": None, "version": 99, "tags": []},
    ],
)
def test_a_change_of_nothing_leaves_the_ticket_as_it_is(
    client: FlaskClient, path: str, change: dict[str, object]
) -> None:
    before = client.get(path).get_json()
    response = client.patch(path, json=change)
    assert (response.status_code, response.get_json(), response.headers["ETag"]) == (200, before, '"1"')
    assert client.get(path).get_json() == before


def test_read_only_keys_are_ignored_beside_a_change(client: FlaskClient, path: str) -> None:
    before = client.get(path).get_json()
    after = client.patch(path, json={"id": "x", "created_at": "1999", "version": 50, "title": "New"}).get_json()
    assert (after["id"], after["created_at"], after["version"]) == (before["id"], before["created_at"], 2)


def test_what_it_answered_can_be_sent_back(client: FlaskClient, path: str) -> None:
    ticket = client.get(path).get_json()
    assert client.patch(path, json={**ticket, "status": "closed"}).get_json()["version"] == 2


def test_updated_at_never_goes_back(client: FlaskClient, path: str, database: Connection) -> None:
    database.execute("UPDATE tickets SET updated_at = '2200-01-01'")
    assert client.patch(path, json={"title": "New"}).get_json()["updated_at"] == "2200-01-01T00:00:00.000Z"


# --- what it rejects


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
def test_it_rejects_what_is_no_text(client: FlaskClient, path: str, field: str, value: object) -> None:
    assert list(faults(patch(client, path, {field: value}))) == [f"#/{field}"]


def test_it_rejects_a_title_that_is_too_long(client: FlaskClient, path: str) -> None:
    assert client.patch(path, json={"title": "🎫" * 200}).status_code == 200
    assert faults(client.patch(path, json={"title": "🎫" * 201})) == {"#/title": "too_long"}


@pytest.mark.parametrize("field", ALLOWED)
@pytest.mark.parametrize("value", NOT_A_CHOICE)
def test_it_rejects_what_is_no_choice(client: FlaskClient, path: str, field: str, value: object) -> None:
    response = patch(client, path, {field: value})
    assert faults(response) == {f"#/{field}": "not_allowed"}
    assert all(word in response.get_json()["error"] for word in (field, *ALLOWED[field]))


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("content_type", ["application/json", MERGE_PATCH])
def test_it_rejects_a_malformed_body(client: FlaskClient, path: str, body: bytes, content_type: str) -> None:
    problem(client.patch(path, data=body, content_type=content_type), 400)


def test_it_tells_all_faults_at_once_and_changes_nothing(client: FlaskClient, path: str) -> None:
    body = {"title": "", "description": None, "category": "x", "priority": 5, "status": ["open"]}
    assert set(faults(client.patch(path, json=body))) == {f"#/{field}" for field in body}
    client.patch(path, json={"title": "New", "status": "x"})
    assert client.get(path).get_json()["version"] == 1


@pytest.mark.parametrize("content_type", [None, "application/json", MERGE_PATCH, "Application/Merge-Patch+JSON"])
def test_it_takes_json_and_merge_patch(client: FlaskClient, path: str, content_type: str | None) -> None:
    assert client.patch(path, data=b'{"title": "New"}', content_type=content_type).get_json()["title"] == "New"


@pytest.mark.parametrize("content_type", ["text/plain", "application/json-patch+json", "multipart/form-data"])
def test_it_rejects_other_media_types(client: FlaskClient, path: str, content_type: str) -> None:
    response = client.patch(path, data=b'{"title": "New"}', content_type=content_type)
    assert MERGE_PATCH in problem(response, 415)["error"]
    assert response.headers["Accept-Patch"] == f"application/json, {MERGE_PATCH}"


# --- If-Match (RFC 9110 section 13.1.1: strong comparison)


@pytest.mark.parametrize("tags", ['"1"', "*", " * ", '"7", "1"', '"x","1"', '"1", W/"1"', '"9999999999", "1"'])
def test_it_changes_what_matches(client: FlaskClient, path: str, tags: str) -> None:
    assert patch(client, path, {"title": "New"}, If_Match=tags).status_code == 200


UNMATCHED = [
    '"2"',
    '"0"',
    '"-1"',
    '"01"',
    '"1.0"',
    '" 1"',
    'W/"1"',
    'w/"1"',
    'W/"2", W/"1"',
    '"2", "3"',
    "1",
    '"1',
    '""',
    "",
    "garbage",
    '"a"1"b"',
    "'1'",
    '"2147483648"',
    '"' + "9" * 5000 + '"',
    ",".join(['"2"'] * 500),
    "\xff",
]


@pytest.mark.parametrize("tags", UNMATCHED)
@pytest.mark.parametrize("body", [{"title": "New"}, {}])
def test_it_rejects_what_does_not_match(client: FlaskClient, path: str, tags: str, body: dict[str, str]) -> None:
    before = client.get(path).get_json()
    problem(patch(client, path, body, If_Match=tags), 412)
    assert client.get(path).get_json() == before


def test_a_change_of_nothing_keeps_the_tag(client: FlaskClient, path: str) -> None:
    assert patch(client, path, {}, If_Match='"1"').status_code == 200
    assert patch(client, path, {"title": "New"}, If_Match='"1"').status_code == 200
    assert patch(client, path, {}, If_Match='"1"').status_code == 412


@pytest.mark.parametrize("tags", ["*", '"1"'])
def test_nothing_matches_a_deleted_ticket(client: FlaskClient, path: str, tags: str) -> None:
    client.delete(path)
    problem(patch(client, path, {"title": "New"}, If_Match=tags), 404)


# --- races


def together(app: Flask, path: str, bodies: list[dict[str, str]], headers: dict[str, str]) -> list[TestResponse]:
    """Send these changes at the same moment."""
    barrier = threading.Barrier(len(bodies))

    def send(body: dict[str, str]) -> TestResponse:
        client = app.test_client()
        barrier.wait()
        return client.patch(path, json=body, headers=headers)

    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(threads.map(send, bodies))


def test_of_racing_writers_exactly_one_wins(app: Flask, client: FlaskClient, path: str) -> None:
    for version in range(1, 101):
        bodies = [{"title": f"{writer} in round {version}"} for writer in ("Alice", "Bob")]
        responses = together(app, path, bodies, {"If-Match": f'"{version}"'})
        assert sorted(response.status_code for response in responses) == [200, 412]
        winner = next(response for response in responses if response.status_code == 200)
        assert client.get(path).get_json() == winner.get_json()
        assert winner.get_json()["version"] == version + 1


def test_of_many_racing_writers_exactly_one_wins(app: Flask, path: str) -> None:
    for version in range(1, 11):
        responses = together(app, path, [{"title": f"{n} {version}"} for n in range(8)], {"If-Match": f'"{version}"'})
        assert sorted(response.status_code for response in responses) == [200] + [412] * 7


def test_writers_without_if_match_are_all_counted(app: Flask, client: FlaskClient, path: str) -> None:
    for _ in range(10):
        before = client.get(path).get_json()["version"]
        responses = together(app, path, [{"title": f"{n} {before}"} for n in range(8)], {})
        versions = sorted(response.get_json()["version"] for response in responses)
        assert versions == list(range(before + 1, before + 9))
        last = max((response.get_json() for response in responses), key=lambda ticket: ticket["version"])
        assert client.get(path).get_json() == last


def test_writers_of_different_fields_do_not_undo_each_other(app: Flask, client: FlaskClient, path: str) -> None:
    for n in range(25):
        together(app, path, [{"title": f"Title {n}"}, {"description": f"Description {n}"}], {})
        ticket = client.get(path).get_json()
        assert (ticket["title"], ticket["description"]) == (f"Title {n}", f"Description {n}")


def test_a_change_and_a_delete_race_cleanly(app: Flask, client: FlaskClient) -> None:
    for _ in range(25):
        path = URL + file_ticket(client)["id"]
        with ThreadPoolExecutor(2) as threads:
            changed = threads.submit(app.test_client().patch, path, json={"title": "New"})
            deleted = threads.submit(app.test_client().delete, path)
        assert changed.result().status_code in (200, 404)
        assert deleted.result().status_code == 204
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("tags", [None, '"1"', '"2"', '"1", "2"'])
def test_the_answer_is_the_ticket_after_the_change(
    app: Flask, client: FlaskClient, path: str, database: Connection, tags: str | None
) -> None:
    """The ticket is open, another writer is just closing it, and this one wants it open."""
    headers = {"If-Match": tags} if tags else {}
    with ThreadPoolExecutor(1) as threads:
        with database.transaction():
            database.execute("UPDATE tickets SET status = 'closed', version = 2")
            sent = threads.submit(app.test_client().patch, path, json={"status": "open"}, headers=headers)
            wait_for_a_waiting_writer(database)
        response = sent.result()
    if response.status_code == 412:
        assert tags in ('"1"', '"2"')
        assert client.get(path).get_json()["status"] == "closed"
    else:
        assert (response.status_code, response.get_json()["status"]) == (200, "open")
        assert client.get(path).get_json() == response.get_json()


def wait_for_a_waiting_writer(database: Connection) -> None:
    """Return when somebody waits for a lock."""
    for _ in range(10_000):
        waiting = database.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
        if waiting != (0,):
            return
    raise AssertionError("nobody waits")
