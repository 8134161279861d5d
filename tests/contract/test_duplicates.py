"""`duplicate_of`: a ticket that is closed because another one is about the same thing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.tickets import URL, field_errors, file_ticket, insert_many, problem, titles

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

NOBODY = "0198c0de-0000-7000-8000-000000000000"


def patch(client: FlaskClient, ticket: dict[str, Any], **changes: object) -> dict[str, Any]:
    response = client.patch(f"{URL}{ticket['id']}", json=changes)
    assert response.status_code == 200, response.text
    changed: dict[str, Any] = response.get_json()
    return changed


def last_changes(client: FlaskClient, ticket: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = client.get(f"{URL}{ticket['id']}/history").get_json()[-1]["changes"]
    return changes


def test_duplicate_is_closed_and_its_history_says_why(client: FlaskClient) -> None:
    first, second = file_ticket(client), file_ticket(client)
    assert second["duplicate_of"] is None
    changed = patch(client, second, duplicate_of=first["id"].upper())
    assert (changed["duplicate_of"], changed["status"], changed["version"]) == (first["id"], "closed", 2)
    assert changed["resolved_at"] == changed["updated_at"]
    assert last_changes(client, second) == {
        "status": {"from": "open", "to": "closed"},
        "duplicate_of": {"from": None, "to": first["id"]},
    }
    event = client.get("/api/events/?limit=500").get_json()[-1]
    assert (event["type"], event["data"]["changes"]) == ("ticket.updated", last_changes(client, second))
    assert patch(client, second, duplicate_of=first["id"], status="closed")["version"] == 2  # the same again
    cleared = patch(client, second, duplicate_of=None)
    assert (cleared["duplicate_of"], cleared["status"]) == (None, "closed")
    assert last_changes(client, second) == {"duplicate_of": {"from": first["id"], "to": None}}
    assert file_ticket(client, duplicate_of=first["id"])["duplicate_of"] is None  # set by a change only


def test_labels_of_a_closed_duplicate_are_not_judged(client: FlaskClient) -> None:
    """A label that the same request changes is judged, and so are both when the ticket is reopened and resolved."""
    first, kept, corrected = (file_ticket(client, category=None, priority=None) for _ in range(3))
    patch(client, kept, duplicate_of=first["id"])
    other = "account" if corrected["category"] != "account" else "billing"
    patch(client, corrected, duplicate_of=first["id"], category=other)
    assert judged(client) == (1, 0)
    patch(client, kept, status="open")
    patch(client, kept, status="resolved")
    assert judged(client) == (2, 1)


def judged(client: FlaskClient) -> tuple[int, int]:
    """Return how many categories and priorities are judged."""
    stats = client.get(f"{URL}stats/triage/").get_json()
    return stats["category"]["judged"], stats["priority"]["judged"]


def test_reopened_ticket_is_no_duplicate_any_more(client: FlaskClient) -> None:
    first, second = file_ticket(client), file_ticket(client)
    patch(client, second, duplicate_of=first["id"])
    assert patch(client, second, title="Still a duplicate")["duplicate_of"] == first["id"]
    assert patch(client, second, status="open")["duplicate_of"] is None
    assert last_changes(client, second) == {
        "status": {"from": "closed", "to": "open"},
        "duplicate_of": {"from": first["id"], "to": None},
    }
    patch(client, second, duplicate_of=first["id"])
    client.patch(f"{URL}?duplicate_of={first['id']}", json={"status": "resolved"})  # all duplicates at once
    assert client.get(f"{URL}{second['id']}").get_json()["duplicate_of"] is None


def test_duplicates_of_a_ticket_are_a_filter(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 64)
    first, other, *rest = client.get(f"{URL}?limit=7&status=open").get_json()
    for number, ticket in enumerate(rest):
        patch(client, ticket, duplicate_of=(other if number % 2 else first)["id"])
    expected = [ticket["title"] for ticket in rest[::2]]
    assert titles(client, f"?duplicate_of={first['id']}") == expected
    assert titles(client, f"?duplicate_of={first['id']}&sort=created_at") == expected[::-1]
    assert set(titles(client, f"?duplicate_of={first['id']},{other['id']}&sort=-priority")) == {
        t["title"] for t in rest
    }
    assert titles(client, f"?duplicate_of={first['id']}&status=open") == []
    assert titles(client, f"?duplicate_of={NOBODY}") == []
    assert client.get(f"{URL}?duplicate_of={first['id']}&count=true").headers["X-Total-Count"] == str(len(expected))
    assert client.get(f"{URL}stats/?duplicate_of={first['id']}").get_json()["total_tickets"] == len(expected)
    lines = client.get(f"{URL}export/?format=csv&duplicate_of={first['id']}").text.splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["duplicate_of", *[first["id"]] * len(expected)]
    assert field_errors(client.get(f"{URL}?duplicate_of=7")) == {"duplicate_of": "not_allowed"}


def test_invalid_duplicates(client: FlaskClient) -> None:
    first, second, third = (file_ticket(client) for _ in range(3))
    patch(client, second, duplicate_of=first["id"])
    patch(client, third, duplicate_of=second["id"])  # chains are allowed, circles are not
    for ticket, changes, name in (
        (first, {"duplicate_of": third["id"]}, "#/duplicate_of"),
        (first, {"duplicate_of": first["id"]}, "#/duplicate_of"),
        (first, {"duplicate_of": NOBODY}, "#/duplicate_of"),
        (first, {"duplicate_of": "first"}, "#/duplicate_of"),
        (first, {"duplicate_of": 7}, "#/duplicate_of"),
        (third, {"duplicate_of": first["id"], "status": "open"}, "#/status"),
    ):
        assert field_errors(client.patch(f"{URL}{ticket['id']}", json=changes)) == {name: "not_allowed"}
    assert client.get(f"{URL}{first['id']}").get_json()["version"] == 1
    problem(client.patch(f"{URL}{NOBODY}", json={"duplicate_of": first["id"]}), 404)


def test_duplicates_of_a_deleted_ticket_are_duplicates_of_none(client: FlaskClient) -> None:
    first, second, third = (file_ticket(client) for _ in range(3))
    patch(client, second, duplicate_of=first["id"])
    patch(client, third, duplicate_of=second["id"])
    client.delete(f"{URL}{first['id']}")
    kept = client.get(f"{URL}{second['id']}").get_json()
    assert (kept["duplicate_of"], kept["status"], kept["version"]) == (None, "closed", 3)
    assert last_changes(client, second) == {"duplicate_of": {"from": first["id"], "to": None}}
    assert client.get(f"{URL}{third['id']}").get_json()["duplicate_of"] == second["id"]


def test_two_requests_cannot_close_a_circle(app: Flask, client: FlaskClient) -> None:
    for _ in range(5):
        tickets = [file_ticket(client) for _ in range(4)]

        def link(number: int, tickets: list[dict[str, Any]] = tickets) -> int:
            body = {"duplicate_of": tickets[(number + 1) % 4]["id"]}
            return app.test_client().patch(f"{URL}{tickets[number]['id']}", json=body).status_code

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(link, range(4))) == [200, 200, 200, 400]


def test_changes_by_hand_keep_the_rules(client: FlaskClient, database: Connection) -> None:
    first, second = file_ticket(client), file_ticket(client)
    database.execute("UPDATE tickets SET duplicate_of = %s WHERE id = %s", [first["id"], second["id"]])
    assert client.get(f"{URL}{second['id']}").get_json()["status"] == "closed"
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute("UPDATE tickets SET duplicate_of = id")
    columns, values = "title, description, duplicate_of", "'Again', '-', %s"
    database.execute(f"INSERT INTO tickets ({columns}) VALUES ({values})".encode(), [first["id"]])
    assert titles(client, f"?duplicate_of={first['id']}&status=closed")[0] == "Again"
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute(f"INSERT INTO tickets ({columns}) VALUES ({values})".encode(), [NOBODY])
