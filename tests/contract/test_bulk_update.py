"""PATCH /api/tickets/: one change of all tickets that match filters."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.locks import in_background, wait_until, waiting_sessions
from tests.support.tickets import TICKET, URL, count_rows, field_errors, file_ticket, insert_many, problem
from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.server import metrics

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection


def change(client: FlaskClient, query: str, **changes: object) -> tuple[int, int]:
    """Change tickets and return how many match and how many were changed."""
    response = client.patch(f"{URL}?{query}", json=changes)
    assert response.status_code == 200, response.text
    document = response.get_json()
    assert list(document) == ["matched", "changed"]
    return document["matched"], document["changed"]


def read(client: FlaskClient, ticket: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(URL + ticket["id"]).get_json()
    return found


def history(client: FlaskClient, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{URL}{ticket['id']}/history").get_json()
    return found


def test_it_works(client: FlaskClient) -> None:
    first, second = file_ticket(client), file_ticket(client, priority="critical")
    other = file_ticket(client, category="billing")
    response = client.patch(f"{URL}?category=account", json={"status": "closed", "priority": "critical"})
    assert (response.status_code, response.get_json()) == (200, {"matched": 2, "changed": 2})
    assert response.headers["Cache-Control"] == "no-store"
    for ticket in (first, second):
        changed = read(client, ticket)
        assert (changed["status"], changed["priority"], changed["version"]) == ("closed", "critical", 2)
        assert changed["updated_at"] >= ticket["updated_at"]
        assert changed["resolved_at"] is not None
    assert read(client, other) == other
    assert [entry["changes"] for entry in history(client, second)[1:]] == [{"status": {"from": "open", "to": "closed"}}]


def test_it_changes_every_field_that_it_may(client: FlaskClient) -> None:
    ticket = file_ticket(client, assignee="ann", tags=["b", "old"])
    body = {
        "status": "In_Progress",
        "category": "BILLING",
        "priority": "low",
        "assignee": " bob ",
        "add_tags": ["New", " a "],
        "remove_tags": ["OLD", "absent"],
    }
    assert change(client, "status=open", **body) == (1, 1)
    found = read(client, ticket)
    assert (found["status"], found["category"], found["priority"]) == ("in_progress", "billing", "low")
    assert (found["assignee"], found["tags"]) == ("bob", ["a", "b", "new"])
    assert change(client, "assignee=bob", assignee=None, remove_tags=["a", "b", "new"]) == (1, 1)
    found = read(client, ticket)
    assert (found["assignee"], found["tags"], found["version"]) == (None, [], 3)
    changes = history(client, ticket)[-1]["changes"]
    assert changes == {"assignee": {"from": "bob", "to": None}, "tags": {"from": ["a", "b", "new"], "to": []}}


def test_tickets_that_do_not_differ_stay_as_they_are(client: FlaskClient) -> None:
    same = file_ticket(client, assignee="bob", tags=["a", "b"])
    file_ticket(client, assignee="bob")
    assert change(client, "assignee=bob", add_tags=["b", "a"], remove_tags=["c"], status="open") == (2, 1)
    assert read(client, same) == same
    assert len(history(client, same)) == 1


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("assigned=false", ["none"]),
        ("assigned=true", ["Ann", "Bob"]),
        ("assignee=ANN&assignee=bob&tags=x,y", ["Ann", "Bob"]),
        ("requester=kim&assignee=bob", ["Bob"]),
        ("tags_all=x,y", ["Bob"]),
        ("metadata[k]=v", ["none"]),
        ("search=bob", ["Bob"]),
        ("search=secret&search_in=comments", ["Ann"]),
        ("created_before=2000-01-01", []),
        ("updated_since=2000-01-01&priority=medium", ["Ann", "Bob", "none"]),
        ("requester=nobody", []),
    ],
)
def test_it_has_the_filters_of_lists(client: FlaskClient, query: str, titles: list[str]) -> None:
    ann = file_ticket(client, title="Ann", assignee="ann", tags=["x"])
    file_ticket(client, title="Bob", assignee="bob", tags=["x", "y"], requester="Kim")
    file_ticket(client, title="none", metadata={"k": "v"}, requester="Jo")
    client.post(f"{URL}{ann['id']}/comments/", json={"body": "secret"})
    assert change(client, query, add_tags=["done"]) == (len(titles), len(titles))
    assert sorted(ticket["title"] for ticket in client.get(f"{URL}?tags=done").get_json()) == titles


@pytest.mark.parametrize("dry_run", ["true", "1"])
def test_a_dry_run_changes_nothing_and_returns_the_same(
    client: FlaskClient, database: Connection, dry_run: str
) -> None:
    tickets = [file_ticket(client), file_ticket(client, tags=["a"]), file_ticket(client, status="closed")]
    client.patch(URL + tickets[2]["id"], json={"status": "closed", "tags": ["a"]})
    before = client.get(URL).get_json()
    with database.transaction():
        database.execute("SELECT FROM tickets FOR UPDATE")  # waits for no lock
        counted = change(client, f"status=open,closed&dry_run={dry_run}", status="closed", add_tags=["a"])
    assert client.get(URL).get_json() == before
    assert counted == (3, 2)
    assert change(client, "status=open,closed&dry_run=0", status="closed", add_tags=["a"]) == counted


# --- what it rejects


@pytest.mark.parametrize("query", ["", "dry_run=true", "status=", "status=open,in_progress,resolved,closed"])
def test_a_filter_is_required(client: FlaskClient, query: str) -> None:
    ticket = file_ticket(client)
    response = client.patch(f"{URL}?{query}", json={"status": "closed"})
    assert field_errors(response) == {"status": "required"}
    assert response.get_json()["error"].startswith("A filter is required")
    assert read(client, ticket) == ticket


@pytest.mark.parametrize("name", ["sort", "limit", "cursor", "count", "categroy"])
def test_other_parameters_are_unknown(client: FlaskClient, name: str) -> None:
    response = client.patch(f"{URL}?status=open&{name}=1", json={"status": "closed"})
    assert field_errors(response) == {name: "unknown"}


@pytest.mark.parametrize("body", [{}, {"status": None, "category": "", "add_tags": []}, {"title": "New"}])
def test_a_change_is_required(client: FlaskClient, body: dict[str, object]) -> None:
    response = client.patch(f"{URL}?status=open", json=body)
    assert field_errors(response) == {"#": "required"}
    assert "add_tags" in response.get_json()["error"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"status": "new"}, {"#/status": "not_allowed"}),
        ({"assignee": "a" * 256}, {"#/assignee": "too_long"}),
        ({"add_tags": "a"}, {"#/add_tags": "wrong_type"}),
        ({"add_tags": ["a" * 51], "remove_tags": [1]}, {"#/add_tags": "not_allowed", "#/remove_tags": "wrong_type"}),
        ({"remove_tags": [" "]}, {"#/remove_tags": "not_allowed"}),
        ({"add_tags": [f"t{n}" for n in range(21)]}, {"#/add_tags": "too_long"}),
        ({"add_tags": ["A", "b"], "remove_tags": ["a"]}, {"#/remove_tags": "not_allowed"}),
    ],
)
def test_it_rejects_invalid_changes(client: FlaskClient, body: dict[str, object], error: dict[str, str]) -> None:
    assert field_errors(client.patch(f"{URL}?status=open", json=body)) == error


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_too_many_tags_are_an_error_and_nothing_changes(client: FlaskClient, dry_run: str) -> None:
    full = file_ticket(client, tags=[f"t{n}" for n in range(20)])
    other = file_ticket(client)
    response = client.patch(f"{URL}?status=open&dry_run={dry_run}", json={"add_tags": ["t1", "new"]})
    assert field_errors(response) == {"#/add_tags": "too_long"}
    assert (read(client, full), read(client, other)) == (full, other)
    assert change(client, f"status=open&dry_run={dry_run}", add_tags=["new"], remove_tags=["t1"]) == (2, 2)


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json"])
def test_it_accepts_the_media_types_of_changes(client: FlaskClient, content_type: str) -> None:
    response = client.patch(f"{URL}?status=open", data=b'{"status": "closed"}', content_type=content_type)
    assert response.headers["Accept-Patch"] == "application/json, application/merge-patch+json"
    problem(client.patch(f"{URL}?status=open", data=b"{}", content_type="text/plain"), 415)


def test_at_most_10000_tickets_are_changed(client: FlaskClient, database: Connection) -> None:
    insert_many(database, 10_001)
    query = "created_since=2000-01-01"
    for dry_run in ("true", "false"):
        response = client.patch(f"{URL}?{query}&dry_run={dry_run}", json={"add_tags": ["x"]})
        assert problem(response, 409)["type"] == "/docs/errors#too-many-matches"
    assert count_rows(database, "ticket_history") == 0
    database.execute("DELETE FROM tickets WHERE title = 'Ticket 7'")
    assert change(client, query, add_tags=["x"]) == (10_000, 10_000)
    assert count_rows(database, "ticket_history WHERE event = 'changed'") == 10_000


# --- triage


def accuracy(client: FlaskClient) -> tuple[int, int, float | None, float | None]:
    figures = client.get(f"{URL}stats/triage/").get_json()
    category, priority = figures["category"], figures["priority"]
    assert category["suggested"] == category["judged"] + category["not_judged"]
    return category["judged"], priority["judged"], category["accuracy"], priority["accuracy"]


def test_closing_500_tickets_leaves_them_not_judged(client: FlaskClient, database: Connection) -> None:
    ticket = client.post(URL, json=TICKET).get_json()
    database.execute(
        "INSERT INTO tickets (title, description, category, priority, suggested_category, category_confidence,"
        " suggested_priority, priority_confidence, suggested_by)"
        " SELECT title, description || n, category, priority, suggested_category, category_confidence,"
        " suggested_priority, priority_confidence, suggested_by FROM tickets, generate_series(1, 499) AS n"
    )
    assert change(client, "status=open", status="closed") == (500, 500)
    assert accuracy(client) == (0, 0, None, None)
    assert count_rows(database, "triage_text_counts") == 0
    assert count_rows(database, "triage_examples") == 0
    wrong = next(category for category in CATEGORIES if category != ticket["category"])
    client.patch(URL + ticket["id"], json={"category": wrong})
    assert accuracy(client) == (1, 0, 0, None)
    assert count_rows(database, "triage_text_counts") == 1
    client.patch(URL + ticket["id"], json={"status": "resolved"})
    assert accuracy(client) == (1, 1, 0, 1)


def test_labels_that_it_sets_are_not_judged(client: FlaskClient, database: Connection) -> None:
    ticket = client.post(URL, json=TICKET).get_json()
    wrong = [category for category in CATEGORIES if category != ticket["category"]]
    assert change(client, "status=open", category=wrong[0], priority="critical") == (1, 1)
    assert accuracy(client) == (0, 0, None, None)
    client.patch(URL + ticket["id"], json={"status": "in_progress"})
    assert accuracy(client) == (0, 0, None, None)
    client.patch(URL + ticket["id"], json={"status": "closed"})
    assert accuracy(client) == (1, 1, 0, 0)


def test_labels_that_people_judged_stay_training_examples(client: FlaskClient, database: Connection) -> None:
    ticket = client.post(URL, json=TICKET).get_json()
    first, second = [category for category in CATEGORIES if category != ticket["category"]][:2]
    client.patch(URL + ticket["id"], json={"category": first})
    learned = database.execute("SELECT * FROM triage_text_counts").fetchall()
    assert change(client, "status=open", status="closed", assignee="ann") == (1, 1)
    assert accuracy(client) == (1, 0, 0, None)
    assert database.execute("SELECT * FROM triage_text_counts").fetchall() == learned
    assert change(client, "status=closed", category=second) == (1, 1)  # the judgement was about another label
    assert accuracy(client) == (0, 0, None, None)


# --- concurrency


def test_a_ticket_that_matches_no_longer_is_left_alone(app: Flask, client: FlaskClient, database: Connection) -> None:
    """Another transaction changes both tickets meanwhile: one no longer matches, the other gets a tag."""
    gone, tagged = file_ticket(client), file_ticket(client)
    with in_background() as threads:
        with database.transaction():
            database.execute("UPDATE tickets SET status = 'closed', version = 2 WHERE id = %s", [gone["id"]])
            database.execute("UPDATE tickets SET tags = '{theirs}', version = 2 WHERE id = %s", [tagged["id"]])
            sent = threads.submit(change, app.test_client(), "status=open", add_tags=["ours"])
            wait_until(lambda: waiting_sessions(database))
        assert sent.result() == (1, 1)
    assert (read(client, gone)["tags"], read(client, gone)["version"]) == ([], 2)
    assert (read(client, tagged)["tags"], read(client, tagged)["version"]) == (["ours", "theirs"], 3)


def deadlocks() -> float:
    """Return how many statements of this process have ended in a deadlock, those that were run again included."""
    samples = [sample for family in metrics.DATABASE_ERRORS.collect() for sample in family.samples]
    return sum(sample.value for sample in samples if sample.labels.get("kind") == "40P01")


def test_overlapping_changes_neither_deadlock_nor_lose_versions(app: Flask, client: FlaskClient) -> None:
    before = deadlocks()
    tickets = [client.post(URL, json={**TICKET, "tags": ["all"]}).get_json() for _ in range(40)]

    def many(seed: int) -> None:
        rng, sender = random.Random(seed), app.test_client()
        for _ in range(10):
            query = rng.choice(["tags=all", "status=open,closed", "priority=low,medium,high", "search=cannot"])
            body = {
                "status": rng.choice(["open", "closed"]),
                "priority": rng.choice(PRIORITIES),
                "add_tags": [str(seed)],
            }
            change(sender, query, **body)

    def single(seed: int) -> None:
        rng, sender = random.Random(seed), app.test_client()
        for _ in range(40):
            body = {"category": rng.choice(CATEGORIES), "status": rng.choice(["open", "closed"])}
            assert sender.patch(URL + rng.choice(tickets)["id"], json=body).status_code == 200

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work, seed) for seed, work in enumerate([many, many, single, single])]:
            done.result()
    for ticket in tickets:
        steps = history(client, ticket)
        assert [entry["version"] for entry in steps] == list(range(1, read(client, ticket)["version"] + 1))
        assert all(entry["changes"] for entry in steps)
    assert deadlocks() == before


@pytest.mark.parametrize("headers", [{"If-Match": '"1"'}, {"If-Match": "x"}, {"If-None-Match": "*"}])
def test_preconditions_do_not_apply_to_a_list(client: FlaskClient, headers: dict[str, str]) -> None:
    ticket = file_ticket(client)
    response = client.patch(f"{URL}?status=open", json={"status": "closed"}, headers=headers)
    assert problem(response, 412)["type"] == "/docs/errors#precondition-failed"
    assert read(client, ticket) == ticket


def test_preconditions_that_a_list_meets(client: FlaskClient) -> None:
    file_ticket(client)
    headers = {"If-Match": "*", "If-None-Match": '"1"'}
    assert client.patch(f"{URL}?status=open", json={"status": "closed"}, headers=headers).status_code == 200
