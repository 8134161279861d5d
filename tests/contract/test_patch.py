"""PATCH /api/tickets/:id."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bodies import MALFORMED_SAMPLE, NOT_A_CHOICE_SAMPLE, NOT_TEXT_SAMPLE
from tests.support.locks import wait_until, waiting_sessions
from tests.support.tickets import URL, field_errors, file_ticket, problem
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
    """Return a ticket."""
    return file_ticket(client)


@pytest.fixture
def path(ticket: dict[str, Any], database: Connection) -> str:
    """Return its path. The ticket is one second old, so that a change advances updated_at."""
    database.execute("UPDATE tickets SET created_at = created_at - '1 s'::interval, updated_at = created_at")
    return f"{URL}{ticket['id']}"


def patch(client: FlaskClient, path: str, body: object, **headers: str) -> TestResponse:
    """Send a PATCH. Headers are keyword arguments, such as If_Match."""
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
    resolved_at = after["updated_at"] if change.get("status") in ("resolved", "closed") else None
    assert after == {**before, **change, "version": 2, "updated_at": after["updated_at"], "resolved_at": resolved_at}
    assert list(after) == list(before)
    assert after["updated_at"] > before["updated_at"]
    assert response.headers["ETag"] == '"2"'
    assert client.get(path).get_json() == after


def test_it_changes_only_this_ticket(client: FlaskClient, path: str) -> None:
    other = file_ticket(client, title="Other")
    client.patch(path, json={"title": "Another"})
    assert client.get(URL + other["id"]).get_json() == other


def test_it_trims_texts_and_lowercases_labels(client: FlaskClient, path: str) -> None:
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
def test_a_change_without_effect_changes_nothing(client: FlaskClient, path: str, change: dict[str, object]) -> None:
    before = client.get(path).get_json()
    response = client.patch(path, json=change)
    assert (response.status_code, response.get_json(), response.headers["ETag"]) == (200, before, '"1"')
    assert client.get(path).get_json() == before


def test_read_only_members_are_ignored(client: FlaskClient, path: str) -> None:
    before = client.get(path).get_json()
    after = client.patch(path, json={"id": "x", "created_at": "1999", "version": 50, "title": "New"}).get_json()
    assert (after["id"], after["created_at"], after["version"]) == (before["id"], before["created_at"], 2)


def test_a_returned_ticket_can_be_sent_back(client: FlaskClient, path: str) -> None:
    ticket = client.get(path).get_json()
    assert client.patch(path, json={**ticket, "status": "closed"}).get_json()["version"] == 2


def test_updated_at_never_goes_back(client: FlaskClient, path: str, database: Connection) -> None:
    database.execute("UPDATE tickets SET updated_at = '2200-01-01'")
    assert client.patch(path, json={"title": "New"}).get_json()["updated_at"] == "2200-01-01T00:00:00.000Z"


# --- what it rejects


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("value", NOT_TEXT_SAMPLE.values(), ids=NOT_TEXT_SAMPLE)
def test_it_rejects_values_that_are_not_texts(client: FlaskClient, path: str, field: str, value: object) -> None:
    assert list(field_errors(patch(client, path, {field: value}))) == [f"#/{field}"]


def test_it_rejects_a_title_that_is_too_long(client: FlaskClient, path: str) -> None:
    assert client.patch(path, json={"title": "🎫" * 200}).status_code == 200
    assert field_errors(client.patch(path, json={"title": "🎫" * 201})) == {"#/title": "too_long"}


@pytest.mark.parametrize("field", ALLOWED)
@pytest.mark.parametrize("value", NOT_A_CHOICE_SAMPLE)
def test_it_rejects_values_that_are_not_allowed(client: FlaskClient, path: str, field: str, value: object) -> None:
    response = patch(client, path, {field: value})
    assert field_errors(response) == {f"#/{field}": "not_allowed"}
    assert all(word in response.get_json()["error"] for word in (field, *ALLOWED[field]))


@pytest.mark.parametrize("body", MALFORMED_SAMPLE.values(), ids=MALFORMED_SAMPLE)
@pytest.mark.parametrize("content_type", ["application/json", MERGE_PATCH])
def test_it_rejects_a_malformed_body(client: FlaskClient, path: str, body: bytes, content_type: str) -> None:
    problem(client.patch(path, data=body, content_type=content_type), 400)


def test_it_reports_all_errors_and_changes_nothing(client: FlaskClient, path: str) -> None:
    body = {"title": "", "description": None, "category": "x", "priority": 5, "status": ["open"]}
    assert set(field_errors(client.patch(path, json=body))) == {f"#/{field}" for field in body}
    client.patch(path, json={"title": "New", "status": "x"})
    assert client.get(path).get_json()["version"] == 1


@pytest.mark.parametrize("content_type", [None, "application/json", MERGE_PATCH, "Application/Merge-Patch+JSON"])
def test_it_accepts_json_and_merge_patch(client: FlaskClient, path: str, content_type: str | None) -> None:
    assert client.patch(path, data=b'{"title": "New"}', content_type=content_type).get_json()["title"] == "New"


@pytest.mark.parametrize("content_type", ["text/plain", "application/json-patch+json", "multipart/form-data"])
def test_it_rejects_other_media_types(client: FlaskClient, path: str, content_type: str) -> None:
    response = client.patch(path, data=b'{"title": "New"}', content_type=content_type)
    assert MERGE_PATCH in problem(response, 415)["error"]
    assert response.headers["Accept-Patch"] == f"application/json, {MERGE_PATCH}"


# --- If-Match (RFC 9110 section 13.1.1: strong comparison)


@pytest.mark.parametrize(
    "tags",
    [
        *('"1"', "*", " * ", '"7", "1"', '"x","1"', '"1", W/"1"', '"9999999999", "1"'),
        *('W/"1"', '"1-gzip"', 'W/"1-gzip"', '"1-br"', '"1-zstd"', 'W/"2", W/"1"'),
    ],
)
def test_a_matching_if_match_is_200(client: FlaskClient, path: str, tags: str) -> None:
    assert patch(client, path, {"title": "New"}, If_Match=tags).status_code == 200


UNMATCHED = [
    '"2"',
    '"0"',
    '"-1"',
    '"01"',
    '"1.0"',
    '" 1"',
    'w/"1"',
    'W/"2"',
    '"2-gzip"',
    '"1-"',
    '"1-gzip-gzip"',
    '"1-identity"',
    '"gzip"',
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
def test_another_if_match_is_412(client: FlaskClient, path: str, tags: str, body: dict[str, str]) -> None:
    before = client.get(path).get_json()
    problem(patch(client, path, body, If_Match=tags), 412)
    assert client.get(path).get_json() == before


@pytest.mark.parametrize("tags", ['"a1b2"', '"1-identity"', "garbage", "", '"2147483648"'])
def test_a_foreign_tag_is_called_so(client: FlaskClient, path: str, tags: str) -> None:
    document = problem(patch(client, path, {}, If_Match=tags), 412)
    assert document["detail"] == 'If-Match has no tag of this ticket. Its ETag is "1".'
    assert document["type"] == "/docs/errors#precondition-failed"
    assert "its version is now 1" in problem(patch(client, path, {}, If_Match='"x", "2"'), 412)["detail"]


@pytest.mark.parametrize("tags", ['"1"', "*", 'W/"1"', '"1-gzip"', '"7", "1"'])
@pytest.mark.parametrize("condition", [{}, {"If_Match": '"1"'}])
def test_a_matching_if_none_match_is_412(client: FlaskClient, path: str, tags: str, condition: dict[str, str]) -> None:
    before = client.get(path).get_json()
    document = problem(patch(client, path, {"title": "New"}, If_None_Match=tags, **condition), 412)
    assert document["detail"] == "If-None-Match excludes the current version of the ticket."
    assert client.get(path).get_json() == before


@pytest.mark.parametrize("tags", ['"2"', "garbage", "", '"x"'])
def test_another_if_none_match_is_200(client: FlaskClient, path: str, tags: str) -> None:
    assert patch(client, path, {"title": "New"}, If_None_Match=tags).status_code == 200


def test_preconditions_come_after_validation(client: FlaskClient, path: str) -> None:
    assert patch(client, path, {"title": ""}, If_Match='"9"').status_code == 400
    client.delete(path)
    assert patch(client, path, {}, If_None_Match="*").status_code == 404


def test_a_change_without_effect_keeps_the_etag(client: FlaskClient, path: str) -> None:
    assert patch(client, path, {}, If_Match='"1"').status_code == 200
    assert patch(client, path, {"title": "New"}, If_Match='"1"').status_code == 200
    assert patch(client, path, {}, If_Match='"1"').status_code == 412


@pytest.mark.parametrize("tags", ["*", '"1"'])
def test_if_match_on_a_deleted_ticket_is_404(client: FlaskClient, path: str, tags: str) -> None:
    client.delete(path)
    problem(patch(client, path, {"title": "New"}, If_Match=tags), 404)


# --- races


def send_at_once(app: Flask, path: str, bodies: list[dict[str, str]], headers: dict[str, str]) -> list[TestResponse]:
    """Send these changes at the same time."""
    barrier = threading.Barrier(len(bodies))

    def send(body: dict[str, str]) -> TestResponse:
        client = app.test_client()
        barrier.wait()
        return client.patch(path, json=body, headers=headers)

    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(threads.map(send, bodies))


def test_of_two_racing_writers_exactly_one_wins(app: Flask, client: FlaskClient, path: str) -> None:
    for version in range(1, 101):
        bodies = [{"title": f"{writer} in round {version}"} for writer in ("Alice", "Bob")]
        responses = send_at_once(app, path, bodies, {"If-Match": f'"{version}"'})
        assert sorted(response.status_code for response in responses) == [200, 412]
        winner = next(response for response in responses if response.status_code == 200)
        assert client.get(path).get_json() == winner.get_json()
        assert winner.get_json()["version"] == version + 1


def test_of_many_racing_writers_exactly_one_wins(app: Flask, path: str) -> None:
    for version in range(1, 11):
        responses = send_at_once(
            app, path, [{"title": f"{n} {version}"} for n in range(8)], {"If-Match": f'"{version}"'}
        )
        assert sorted(response.status_code for response in responses) == [200] + [412] * 7


def test_writers_without_if_match_all_succeed(app: Flask, client: FlaskClient, path: str) -> None:
    for _ in range(10):
        before = client.get(path).get_json()["version"]
        responses = send_at_once(app, path, [{"title": f"{n} {before}"} for n in range(8)], {})
        versions = sorted(response.get_json()["version"] for response in responses)
        assert versions == list(range(before + 1, before + 9))
        last = max((response.get_json() for response in responses), key=lambda ticket: ticket["version"])
        assert client.get(path).get_json() == last


def test_writers_of_different_fields_keep_each_others_changes(app: Flask, client: FlaskClient, path: str) -> None:
    for n in range(25):
        send_at_once(app, path, [{"title": f"Title {n}"}, {"description": f"Description {n}"}], {})
        ticket = client.get(path).get_json()
        assert (ticket["title"], ticket["description"]) == (f"Title {n}", f"Description {n}")


def test_a_change_races_a_delete_without_errors(app: Flask, client: FlaskClient) -> None:
    for _ in range(25):
        path = URL + file_ticket(client)["id"]
        with ThreadPoolExecutor(2) as threads:
            changed = threads.submit(app.test_client().patch, path, json={"title": "New"})
            deleted = threads.submit(app.test_client().delete, path)
        assert changed.result().status_code in (200, 404)
        assert deleted.result().status_code == 204
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("tags", [None, '"1"', '"2"', '"1", "2"'])
def test_the_response_is_the_ticket_after_the_change(
    app: Flask, client: FlaskClient, path: str, database: Connection, tags: str | None
) -> None:
    """The ticket is open, another transaction is closing it, and the request sets it to open."""
    headers = {"If-Match": tags} if tags else {}
    with ThreadPoolExecutor(1) as threads:
        with database.transaction():
            database.execute("UPDATE tickets SET status = 'closed', version = 2")
            sent = threads.submit(app.test_client().patch, path, json={"status": "open"}, headers=headers)
            wait_until(lambda: waiting_sessions(database))
        response = sent.result()
    if response.status_code == 412:
        assert tags in ('"1"', '"2"')
        assert client.get(path).get_json()["status"] == "closed"
    else:
        assert (response.status_code, response.get_json()["status"]) == (200, "open")
        assert client.get(path).get_json() == response.get_json()


def test_a_ticket_from_before_the_limit_can_be_read_and_changed(
    client: FlaskClient, path: str, database: Connection
) -> None:
    database.execute("UPDATE tickets SET description = repeat('x', 100000)")
    assert len(client.get(path).get_json()["description"]) == 100_000
    assert client.patch(path, json={"status": "closed", "title": "Done"}).get_json()["status"] == "closed"
    assert field_errors(client.patch(path, json={"description": "x" * 65_537})) == {"#/description": "too_long"}
    assert client.patch(path, json={"description": "x" * 65_536}).status_code == 200
