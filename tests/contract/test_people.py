"""People, tags and metadata of a ticket: create, read, change, history, delete."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tickets import TICKET, URL, file_ticket, problem

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

PEOPLE: dict[str, Any] = {
    "requester": "ann@example.com",
    "assignee": "Bob",
    "tags": ["printer", "vip"],
    "metadata": {"order": "A-17", "plan": "pro"},
}
NONE: dict[str, Any] = {"requester": None, "assignee": None, "tags": [], "metadata": {}}
UNSET = {**NONE, "resolved_at": None, "first_response_at": None, "duplicate_of": None}


def shown(ticket: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of these tests."""
    return {name: ticket[name] for name in PEOPLE}


def history(client: FlaskClient, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the history of a ticket."""
    entries: list[dict[str, Any]] = client.get(f"{URL}{ticket['id']}/history").get_json()
    return entries


def test_a_ticket_has_them_after_triage(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    assert list(ticket)[-8:] == ["triage", *UNSET]
    assert {name: ticket[name] for name in UNSET} == UNSET


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}], ids=["plain", "idempotent"])
def test_a_create_stores_them(client: FlaskClient, headers: dict[str, str]) -> None:
    created = client.post(URL, json={**TICKET, **PEOPLE}, headers=headers).get_json()
    assert shown(created) == PEOPLE
    assert client.get(URL + created["id"]).get_json() == created
    assert client.get(URL).get_json() == [created]
    if headers:
        assert client.post(URL, json={**TICKET, **PEOPLE}, headers=headers).get_json() == created
        problem(client.post(URL, json={**TICKET, **PEOPLE, "assignee": "Cy"}, headers=headers), 422)


@pytest.mark.parametrize(
    "given", [{}, dict.fromkeys(PEOPLE), {"requester": "", "assignee": " ", "tags": [], "metadata": {}}]
)
def test_null_and_empty_mean_absent(client: FlaskClient, given: dict[str, object]) -> None:
    assert shown(file_ticket(client, **given)) == NONE


def test_values_are_normalized(client: FlaskClient) -> None:
    ticket = file_ticket(
        client, requester=" Ann ", tags=["VIP", " a b ", "vip", "\u00c4", "a"], metadata={"b": " x ", "a": None}
    )
    assert shown(ticket) == {
        "requester": "Ann",
        "assignee": None,
        "tags": ["a", "a b", "vip", "\u00e4"],
        "metadata": {"b": " x "},
    }


INVALID: list[tuple[str, Any]] = [
    ("requester", 5),
    ("requester", "x" * 256),
    ("requester", "a\0b"),
    ("assignee", ["Ann"]),
    ("assignee", "\u200b"),
    ("assignee", "\ud800"),
    ("tags", "vip"),
    ("tags", {}),
    ("tags", [5]),
    ("tags", [None]),
    ("tags", ["a", ""]),
    ("tags", ["x" * 51]),
    ("tags", ["\u200b"]),
    ("tags", ["\0x"]),
    ("tags", [str(number) for number in range(21)]),
    ("metadata", []),
    ("metadata", "a=b"),
    ("metadata", {"a": 5}),
    ("metadata", {"a": {"b": "c"}}),
    ("metadata", {"a b": "c"}),
    ("metadata", {"": "c"}),
    ("metadata", {"k" * 41: "c"}),
    ("metadata", {"\u00e4": "c"}),
    ("metadata", {"a": "x" * 501}),
    ("metadata", {"a": "\0"}),
    ("metadata", {str(number): "x" for number in range(51)}),
]


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_invalid_values_are_errors(client: FlaskClient, name: str, value: object) -> None:
    ticket = file_ticket(client, **PEOPLE)
    for response in (
        client.post(URL, json={**TICKET, name: value}),
        client.patch(URL + ticket["id"], json={name: value}),
    ):
        [error] = problem(response, 400)["errors"]
        assert error["pointer"] == f"#/{name}"
        assert error["detail"].startswith(f"{name} ")
    assert client.get(URL).get_json() == [ticket]


def test_an_error_says_which_tag_is_invalid(client: FlaskClient) -> None:
    response = client.post(URL, json={**TICKET, "tags": ["a", "x" * 51]})
    detail = "tags has an invalid tag, number 2: it must have at most 50 characters, not 51."
    assert problem(response, 400)["detail"] == detail


def test_the_largest_values_are_stored(client: FlaskClient) -> None:
    largest = {
        "requester": "\U0001f600" * 255,
        "assignee": "\u0390" * 255,
        "tags": sorted(f"{number:02}" + "\u1e9e".lower() * 48 for number in range(20)),
        "metadata": {f"{number:040}": "\u4e00" * 500 for number in range(50)},
    }
    created = file_ticket(client, **largest)
    assert shown(created) == largest
    assert client.get(URL).get_json() == [created]


def test_a_page_of_large_metadata_is_bounded(client: FlaskClient) -> None:
    large = {f"{number}": "\u4e00" * 500 for number in range(50)}
    tickets = [file_ticket(client, metadata=large) for _ in range(60)]
    page = client.get(f"{URL}?limit=500")
    assert 1 < len(page.get_json()) < 60
    assert len(page.data) < 4_100_000
    seen = page.get_json()
    while "Link" in page.headers:
        page = client.get(page.headers["Link"].split(">")[0].removeprefix("<"))
        seen += page.get_json()
    assert [ticket["id"] for ticket in seen] == [ticket["id"] for ticket in reversed(tickets)]


@pytest.mark.parametrize("name", PEOPLE)
def test_null_clears_a_field(client: FlaskClient, name: str) -> None:
    ticket = file_ticket(client, **PEOPLE)
    cleared = client.patch(URL + ticket["id"], json={name: None}).get_json()
    assert shown(cleared) == {**PEOPLE, name: NONE[name]}
    assert cleared["version"] == 2
    again = client.patch(URL + ticket["id"], json={name: None}).get_json()
    assert again == cleared


def test_a_change_of_other_fields_keeps_them(client: FlaskClient) -> None:
    ticket = file_ticket(client, **PEOPLE)
    assert shown(client.patch(URL + ticket["id"], json={"status": "closed"}).get_json()) == PEOPLE
    assert client.patch(URL + ticket["id"], json=PEOPLE).get_json()["version"] == 2


def test_metadata_merges(client: FlaskClient) -> None:
    path = URL + file_ticket(client, metadata={"a": "1", "b": "2"})["id"]
    assert client.patch(path, json={"metadata": {"b": None, "c": "3"}}).get_json()["metadata"] == {"a": "1", "c": "3"}
    assert client.patch(path, json={"metadata": {}}).get_json()["version"] == 2
    assert client.patch(path, json={"metadata": {"x": None}}).get_json()["version"] == 2
    assert client.patch(path, json={"metadata": {"a": None, "c": None}}).get_json()["metadata"] == {}


def test_merged_metadata_is_limited(client: FlaskClient) -> None:
    ticket = file_ticket(client, metadata={f"a{number}": "x" for number in range(30)})
    response = client.patch(URL + ticket["id"], json={"metadata": {f"b{number}": "x" for number in range(21)}})
    assert problem(response, 400)["errors"][0]["pointer"] == "#/metadata"
    assert client.get(URL + ticket["id"]).get_json() == ticket
    replaced = {**dict.fromkeys(ticket["metadata"]), **{f"b{number}": "x" for number in range(50)}}
    assert len(client.patch(URL + ticket["id"], json={"metadata": replaced}).get_json()["metadata"]) == 50


def test_concurrent_merges_lose_nothing(app: Flask, client: FlaskClient) -> None:
    path = URL + file_ticket(client)["id"]
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(lambda number: app.test_client().patch(path, json={"metadata": {f"k{number}": "v"}}), range(24))
        )
    assert client.get(path).get_json()["metadata"] == {f"k{number}": "v" for number in range(24)}


def test_the_history_has_every_change(client: FlaskClient) -> None:
    ticket = file_ticket(client, tags=["a"], requester="Ann")
    path = URL + ticket["id"]
    client.patch(path, json={"tags": ["a", "b"], "assignee": "Bob"})
    client.patch(path, json={"metadata": {"k": "v"}})
    client.patch(path, json={"tags": None, "requester": None})
    created, *changes = history(client, ticket)
    assert created["changes"]["tags"] == {"from": None, "to": ["a"]}
    assert created["changes"]["requester"] == {"from": None, "to": "Ann"}
    assert {"assignee", "metadata"}.isdisjoint(created["changes"])
    assert [entry["changes"] for entry in changes] == [
        {"tags": {"from": ["a"], "to": ["a", "b"]}, "assignee": {"from": None, "to": "Bob"}},
        {"metadata": {"from": {}, "to": {"k": "v"}}},
        {"tags": {"from": ["a", "b"], "to": []}, "requester": {"from": "Ann", "to": None}},
    ]


def test_the_history_of_a_deleted_ticket_has_no_customer(client: FlaskClient) -> None:
    ticket = file_ticket(client, **PEOPLE)
    client.patch(URL + ticket["id"], json={"requester": "cy@example.com", "metadata": {"order": "B-18"}, "tags": ["x"]})
    client.delete(URL + ticket["id"])
    entries = history(client, ticket)
    assert [entry["event"] for entry in entries] == ["created", "changed", "deleted"]
    nothing = {"from": None, "to": None}
    assert [entry["changes"][name] for entry in entries[:2] for name in ("requester", "metadata")] == [nothing] * 4
    assert entries[1]["changes"]["tags"] == {"from": ["printer", "vip"], "to": ["x"]}
