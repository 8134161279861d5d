"""Refinement (TRIAGE_REFINE): a model changes the labels of new tickets that nobody has touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request, Response

from tests.support.tickets import URL, count_rows, file_ticket
from ticketsvc import refinement, upkeep
from ticketsvc.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient
    from pytest_httpserver import HTTPServer

    from tests.support.tickets import Connection

ANY = {"category": None, "priority": None}
LABELS = {"category": "account", "priority": "high"}


def completion(request: Request) -> Response:
    """Respond as a model does, with the labels that the ticket asks for, or without if it asks for none."""
    ticket = json.loads(request.get_json()["messages"][1]["content"])["ticket"]
    if "no labels" in ticket:
        return Response(status=500)
    labels = {"category_confidence": 0.9, "priority_confidence": 0.7, "category_quotes": [], "priority_quotes": []}
    message = {"role": "assistant", "content": json.dumps(LABELS | labels)}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def client(make_app: Callable[..., Flask], httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(completion)
    monkeypatch.setattr(refinement, "NEWEST_SECONDS", 0)
    settings = {"openai_api_key": "key", "openai_base_url": httpserver.url_for("/v1"), "openai_timeout": 60.0}
    return make_app(triage_refine=True, **settings).test_client()


def refine(client: FlaskClient) -> None:
    services: Services = client.application.extensions["ticketsvc"]
    upkeep.run_once(services.upkeep())


def read(client: FlaskClient, ticket: dict[str, Any], path: str = "") -> Any:
    return client.get(f"{URL}{ticket['id']}{path}").get_json()


def test_an_untouched_ticket_gets_the_labels_of_the_model(client: FlaskClient, database: Connection) -> None:
    ticket = file_ticket(client, **ANY)
    before = ticket["triage"]
    assert {before[field]["source"] for field in LABELS} == {"offline"}
    assert {field: ticket[field] for field in LABELS} != LABELS
    refine(client)
    refined = read(client, ticket)
    after = {
        "category": {"source": "openai", "confidence": 0.9},
        "priority": {"source": "openai", "confidence": 0.7},
    }
    assert {field: refined[field] for field in (*LABELS, "version", "triage")} == {
        **LABELS,
        "version": 2,
        "triage": after,
    }
    created, changed = read(client, ticket, "/history")
    assert (created["triage"], created["changes"]["category"]["to"]) == (before, ticket["category"])
    assert "triage" not in created["changes"]
    assert (changed["by"], changed["version"], changed["request_id"]) == ("triage", 2, None)
    assert changed["changes"]["triage"] == {"from": before, "to": after}
    assert {field: changed["changes"][field]["to"] for field in LABELS if field in changed["changes"]}
    event = client.get("/api/events/").get_json()[-1]
    assert (event["type"], event["by"], event["data"]["changes"]) == ("ticket.updated", "triage", changed["changes"])
    assert count_rows(database, "triage_text_counts") == 0
    refine(client)
    assert read(client, ticket)["version"] == 2, "once"
    client.delete(f"{URL}{ticket['id']}")
    assert read(client, ticket, "/history")[0]["triage"] == before
    assert count_rows(database, "triage_text_counts") == 0


def test_others_keep_their_labels(client: FlaskClient, database: Connection, httpserver: HTTPServer) -> None:
    touched = [file_ticket(client, **ANY) for _ in range(3)]
    client.patch(f"{URL}{touched[0]['id']}", json={"priority": "critical"})
    client.patch(f"{URL}{touched[1]['id']}", json={"assignee": "ann"})
    client.post(f"{URL}{touched[2]['id']}/comments/", json={"body": "hello"})
    given = file_ticket(client)
    half = file_ticket(client, category="general", priority=None)
    old = file_ticket(client, **ANY)
    database.execute("UPDATE tickets SET suggested_by = 'default' WHERE id = %s", [old["id"]])
    before = [read(client, ticket) for ticket in (*touched, given, old)]
    refine(client)
    assert [read(client, ticket) for ticket in (*touched, given, old)] == before
    assert len(httpserver.log) == 1
    refined = read(client, half)
    assert (refined["category"], refined["priority"]) == ("general", "high")
    assert refined["triage"]["category"] == {"source": "caller"}


def test_a_model_that_agrees_or_fails_changes_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refinement, "AWAY_SECONDS", 0.0)
    services: Services = client.application.extensions["ticketsvc"]
    ticket = file_ticket(client, **ANY, description="no labels")
    task = list(services.upkeep())[-1]
    task()
    assert read(client, ticket) == ticket
    monkeypatch.setitem(LABELS, "category", ticket["category"])
    monkeypatch.setitem(LABELS, "priority", ticket["priority"])
    agreed = file_ticket(client, **ANY, description=ticket["description"].replace("no", ""))
    task()  # asks about both, and goes on, because the model has responded for one
    monkeypatch.setitem(LABELS, "category", "account")
    task()
    assert [read(client, each) for each in (ticket, agreed)] == [ticket, agreed]


def test_it_is_off_by_default(make_app: Callable[..., Flask]) -> None:
    services: Services = make_app(openai_api_key="key").extensions["ticketsvc"]
    assert not [task for task in services.upkeep() if "refinement" in str(task)]
    services = make_app(triage_refine=True).extensions["ticketsvc"]
    assert not [task for task in services.upkeep() if "refinement" in str(task)]
    services = make_app(openai_api_key="key", triage_refine=True).extensions["ticketsvc"]
    assert [task for task in services.upkeep() if "refinement" in str(task)]
