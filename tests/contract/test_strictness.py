"""Members of a body that an operation does not use: named in a header, or 400 with `Prefer: handling=strict`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tickets import TICKET, URL, file_ticket, problem
from ticketsvc.api.input.members import MAX_ERRORS, MAX_HEADER_LENGTH, header_value

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

STRICT = {"Prefer": "handling=strict"}


def send(client: FlaskClient, operation: str, extra: dict[str, Any], headers: dict[str, str]) -> TestResponse:
    """Send an otherwise valid body of an operation."""
    if operation == "create":
        return client.post(URL, json={**TICKET, **extra}, headers=headers)
    if operation == "claim":
        file_ticket(client)
        return client.post(f"{URL}claim", json={"assignee": "kim", **extra}, headers=headers)
    if operation == "classify":
        return client.post(f"{URL}classify", json={"description": "I cannot log in", **extra}, headers=headers)
    if operation == "change_all":
        return client.patch(f"{URL}?status=open", json={"priority": "low", **extra}, headers=headers)
    return client.patch(URL + file_ticket(client)["id"], json={"priority": "low", **extra}, headers=headers)


@pytest.mark.parametrize("operation", ["create", "change", "change_all", "classify", "claim"])
def test_ignored_members_are_named(client: FlaskClient, operation: str) -> None:
    response = send(client, operation, {"author": "Ann", "id": 5}, {})
    assert response.status_code in (200, 201)
    assert response.headers["Ignored-Members"] == '"author", "id"'
    assert "Preference-Applied" not in response.headers


@pytest.mark.parametrize("operation", ["create", "change", "change_all", "classify", "claim"])
def test_strictness_makes_them_errors(client: FlaskClient, operation: str) -> None:
    response = send(client, operation, {"author": "Ann", "a/b~c d": 5}, STRICT)
    errors = problem(response, 400)["errors"]
    assert [error["pointer"] for error in errors] == ["#/a~1b~0c%20d", "#/author"]
    assert {error["code"] for error in errors} == {"unknown"}
    assert errors[1]["detail"].startswith("author is not used here, only ")
    assert response.headers["Preference-Applied"] == "handling=strict"
    assert "Ignored-Members" not in response.headers


@pytest.mark.parametrize("operation", ["create", "change", "change_all", "classify", "claim"])
def test_nothing_is_reported_if_all_members_are_used(client: FlaskClient, operation: str) -> None:
    response = send(client, operation, {}, {})
    assert {"Ignored-Members", "Preference-Applied"}.isdisjoint(dict(response.headers))
    response = send(client, operation, {}, STRICT)
    assert (response.status_code // 100, response.headers["Preference-Applied"]) == (2, "handling=strict")


def test_read_only_members_are_ignored_members(client: FlaskClient) -> None:
    ticket = client.post(URL, json={**TICKET, "status": "closed"})
    assert (ticket.get_json()["status"], ticket.headers["Ignored-Members"]) == ("open", '"status"')
    unchanged = client.patch(ticket.headers["Location"], json=ticket.get_json())
    ignored = ["created_at", "first_response_at", "id", "resolved_at", "triage", "updated_at", "version"]
    assert unchanged.headers["Ignored-Members"] == ", ".join(f'"{name}"' for name in ignored)
    assert client.patch(ticket.headers["Location"], json=ticket.get_json(), headers=STRICT).status_code == 400


def test_strictness_adds_to_the_other_errors(client: FlaskClient) -> None:
    response = client.post(URL, json={"title": "", "tytle": "Printer"}, headers=STRICT)
    codes = [(error["pointer"], error["code"]) for error in problem(response, 400)["errors"]]
    assert codes == [("#/title", "empty"), ("#/description", "required"), ("#/tytle", "unknown")]


@pytest.mark.parametrize(
    "field",
    [
        "handling=strict",
        'respond-async, Handling = "strict"',
        "handling=STRICT; x=1",
        "handling=strict, handling=lenient",
    ],
)
def test_spellings_of_the_preference(client: FlaskClient, field: str) -> None:
    assert send(client, "create", {"x": 1}, {"Prefer": field}).status_code == 400


@pytest.mark.parametrize(
    "field",
    ["", "handling=lenient", "handling=lenient, handling=strict", "x-handling=strict", "handling=strictly", "\xff"],
)
def test_other_preferences_change_nothing(client: FlaskClient, field: str) -> None:
    response = send(client, "create", {"x": 1}, {"Prefer": field})
    assert (response.status_code, response.headers["Ignored-Members"]) == (201, '"x"')


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", '""'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("Größe", '%"Gr%c3%b6%c3%9fe"'),
        ("a\r\nX: 1", '%"a%0d%0aX: 1"'),
        ('\x7f%"', '%"%7f%25%22"'),
        ("\0", '%"%00"'),
        ("\ud800", '%"?"'),
        ("n" * 1000, '"' + "n" * 60 + '"'),
    ],
)
def test_any_name_makes_a_valid_header(client: FlaskClient, name: str, shown: str) -> None:
    body = json.dumps({**TICKET, name: 1})
    response = client.post(URL, data=body, content_type="application/json")
    assert (response.status_code, response.headers["Ignored-Members"]) == (201, shown)
    strict = client.post(URL, data=body, content_type="application/json", headers=STRICT)
    assert problem(strict, 400)["errors"][0]["code"] == "unknown"


def test_what_is_reported_is_bounded(client: FlaskClient) -> None:
    extra = {f"member {number:04}": 1 for number in range(5_000)}
    header = send(client, "create", extra, {}).headers["Ignored-Members"]
    assert MAX_HEADER_LENGTH - 20 < len(header) <= MAX_HEADER_LENGTH
    assert header == header_value([f"member {number:04}" for number in range(header.count(",") + 1)])
    assert len(problem(send(client, "create", extra, STRICT), 400)["errors"]) == MAX_ERRORS


def test_a_replay_names_them_again(client: FlaskClient) -> None:
    key = {"Idempotency-Key": "strictness"}
    first, again = (send(client, "create", {"x": 1}, key) for _ in range(2))
    assert (again.headers["Idempotent-Replayed"], again.headers["Ignored-Members"]) == ("true", '"x"')
    assert again.data == first.data


def test_the_beginning_of_a_long_name_is_reported(client: FlaskClient) -> None:
    body = {**TICKET, "x" * 100_000: 1}
    assert client.post(URL, json=body).headers["Ignored-Members"] == f'"{"x" * 60}"'
    response = client.post(URL, json=body, headers=STRICT)
    assert [error["pointer"] for error in problem(response, 400)["errors"]] == [f"#/{'x' * 60}"]
    assert len(response.data) < 1_500
