"""Triage of new tickets: who decided each label, and what people's corrections change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ticketsvc.commands.triage import triage as commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

URL = "/api/tickets/"
BY_CLIENT = {"source": "caller"}


def file(client: FlaskClient, description: str, **labels: str) -> dict[str, Any]:
    response = client.post(URL, json={"title": "A request", "description": description, **labels})
    assert response.status_code == 201
    ticket: dict[str, Any] = response.get_json()
    return ticket


def test_absent_label_is_set_by_triage(client: FlaskClient) -> None:
    ticket = file(client, "I was charged twice, please refund my invoice.", priority="low")

    assert (ticket["category"], ticket["priority"]) == ("billing", "low")
    assert ticket["triage"]["priority"] == BY_CLIENT
    assert ticket["triage"]["category"]["source"] == "offline"
    assert 0.5 < ticket["triage"]["category"]["confidence"] <= 1


@pytest.mark.parametrize("text", ["charged " * 625, "charged " * 8_000, "🎫" * 20_000, "مرحبا", "?!"])
def test_any_text_is_triaged(client: FlaskClient, text: str) -> None:
    ticket = file(client, text)
    assert client.patch(URL + ticket["id"], json={"category": "account", "status": "closed"}).status_code == 200


def test_given_labels_are_not_triaged(client: FlaskClient) -> None:
    ticket = file(client, "I was charged twice.", category="account", priority="critical")

    assert (ticket["category"], ticket["priority"]) == ("account", "critical")
    assert ticket["triage"] == {"category": BY_CLIENT, "priority": BY_CLIENT}


def test_corrected_label_has_the_source_of_the_client(client: FlaskClient) -> None:
    ticket = file(client, "I was charged twice.")
    changed = client.patch(URL + ticket["id"], json={"category": "general"}).get_json()

    assert changed["triage"]["category"] == {"source": "caller", "suggested": "billing"}
    assert changed["triage"]["priority"] == ticket["triage"]["priority"]
    restored = client.patch(URL + ticket["id"], json={"category": "billing"}).get_json()
    assert restored["triage"] == ticket["triage"]


def test_triage_switched_off_sets_default_labels(make_app: Callable[..., Flask]) -> None:
    client = make_app(triage_on_create=False).test_client()
    ticket = file(client, "I was charged twice.", priority="high")

    assert (ticket["category"], ticket["priority"]) == ("general", "high")
    assert ticket["triage"] == {"category": {"source": "default", "confidence": 0.0}, "priority": BY_CLIENT}


def test_corrections_change_later_suggestions(client: FlaskClient) -> None:
    for number in range(12):
        ticket = file(client, f"The zorbling of my glimmer is wrong, case {'abcdefghijkl'[number] * 5}")
        client.patch(URL + ticket["id"], json={"category": "account", "priority": "high"})

    suggested = client.post(URL + "classify/", json={"description": "My glimmer needs zorbling"}).get_json()
    assert suggested["category"] == "account"
    assert suggested["source"] == "learned"
    assert "glimmer" in [reason["words"] for reason in suggested["reasons"]]
    assert file(client, "My glimmer needs zorbling")["triage"]["category"]["source"] == "learned"


def test_learning_switched_off_ignores_training_examples(client: FlaskClient, make_app: Callable[..., Flask]) -> None:
    for number in range(12):
        ticket = file(client, f"The zorbling of my glimmer is wrong, case {'abcdefghijkl'[number] * 5}")
        client.patch(URL + ticket["id"], json={"category": "account"})

    unlearned = make_app(triage_learning=False).test_client()
    suggested = unlearned.post(URL + "classify/", json={"description": "My glimmer needs zorbling"}).get_json()
    assert (suggested["category"], suggested["source"]) == ("general", "offline")


def test_unchanged_default_label_is_no_training_example(client: FlaskClient, make_app: Callable[..., Flask]) -> None:
    undecided = make_app(triage_on_create=False).test_client()
    ticket = file(undecided, "My glimmer needs zorbling")
    undecided.patch(URL + ticket["id"], json={"status": "closed"})

    assert command(client, "info").startswith("Training texts: 0.")


def test_commands_report_forget_and_rebuild_training(client: FlaskClient) -> None:
    ticket = file(client, "My glimmer needs zorbling")
    client.patch(URL + ticket["id"], json={"category": "account"})

    assert command(client, "info").startswith("Training texts: 1. Words: 6.")
    assert command(client, "forget", "--yes") == "All training examples were deleted.\n"
    assert command(client, "info").startswith("Training texts: 0.")
    assert command(client, "rebuild") == "Training texts: 1.\n"


def test_learning_can_be_stopped_and_started_again(client: FlaskClient) -> None:
    teach(client)
    assert command(client, "stop", "--yes") == "All training examples were deleted. Training is stopped.\n"
    ticket = teach(client)
    client.patch(URL + ticket["id"], json={"category": "technical", "status": "closed"})
    client.delete(URL + ticket["id"])
    assert command(client, "info").startswith("Training texts: 0.")
    assert command(client, "rebuild") == "Training texts: 1.\n"
    command(client, "stop", "--yes")
    command(client, "forget", "--yes")
    teach(client)
    assert command(client, "info").startswith("Training texts: 1.")
    command(client, "rebuild")


def teach(client: FlaskClient) -> dict[str, Any]:
    ticket = file(client, "My glimmer needs zorbling")
    client.patch(URL + ticket["id"], json={"category": "account"})
    return ticket


def command(client: FlaskClient, *arguments: str) -> str:
    result = client.application.test_cli_runner().invoke(commands, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output
