"""POST /api/tickets/classify/."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.bodies import MALFORMED_SAMPLE, NOT_TEXT_SAMPLE
from tests.support.tickets import URL, field_errors, problem
from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service

CLASSIFY = f"{URL}classify/"
REFUND = {"description": "I was charged twice on my invoice, please refund me."}


def test_it_works(client: FlaskClient) -> None:
    response = client.post(CLASSIFY, json=REFUND)
    assert response.status_code == 200
    assert response.content_type == "application/json"
    suggestion = response.get_json()
    assert suggestion["category"] == suggestion["suggested_category"] == "billing"
    assert suggestion["priority"] == suggestion["suggested_priority"]
    assert suggestion["priority"] in PRIORITIES
    assert set(suggestion["confidence"]) == {"category", "priority"}
    assert all(0 <= confidence <= 1 for confidence in suggestion["confidence"].values())
    assert suggestion["source"] == "offline"
    assert isinstance(suggestion["reasons"], list)


def test_it_works_under_gunicorn(service: Service) -> None:
    response = service.call("POST", CLASSIFY, REFUND)
    assert (response.status, response.json["category"]) == (200, "billing")


def test_it_stores_nothing(client: FlaskClient) -> None:
    client.post(CLASSIFY, json=REFUND)
    assert client.get(URL).get_json() == []


def test_the_same_text_gets_the_same_suggestion(client: FlaskClient) -> None:
    assert client.post(CLASSIFY, json=REFUND).data == client.post(CLASSIFY, json=REFUND).data


@pytest.mark.parametrize(
    "text",
    [
        "?",
        "🎫",
        "\u200b.",
        "字" * 1000,
        "مرحبا",
        "a" * 5_000,
        "a b " * 16_384,
        "not " * 10_000,
        "refund " * 9_000,
        "\x01.",
        "👩‍👩‍👧 e\u0301",
    ],
)
def test_it_accepts_any_text(client: FlaskClient, text: str) -> None:
    suggestion = client.post(CLASSIFY, json={"description": text}).get_json()
    assert suggestion["category"] in CATEGORIES
    assert suggestion["priority"] in PRIORITIES


def test_other_members_are_ignored(client: FlaskClient) -> None:
    body = {**REFUND, "title": 5, "category": "nonsense", "priority": None}
    assert client.post(CLASSIFY, json=body).get_json()["category"] == "billing"


@pytest.mark.parametrize("value", NOT_TEXT_SAMPLE.values(), ids=NOT_TEXT_SAMPLE)
def test_it_rejects_values_that_are_not_texts(client: FlaskClient, value: object) -> None:
    response = client.post(CLASSIFY, data=json.dumps({"description": value}), content_type="application/json")
    assert list(field_errors(response)) == ["#/description"]


def test_it_rejects_a_missing_description(client: FlaskClient) -> None:
    assert field_errors(client.post(CLASSIFY, json={})) == {"#/description": "required"}


@pytest.mark.parametrize("body", MALFORMED_SAMPLE.values(), ids=MALFORMED_SAMPLE)
def test_it_rejects_a_malformed_body(client: FlaskClient, body: bytes) -> None:
    problem(client.post(CLASSIFY, data=body, content_type="application/json"), 400)


def test_it_rejects_other_media_types(client: FlaskClient) -> None:
    problem(client.post(CLASSIFY, data=json.dumps(REFUND), content_type="text/plain"), 415)


def test_it_needs_no_database(make_app: Callable[..., Flask]) -> None:
    app = make_app(database_url="postgresql://127.0.0.1:1/none")
    assert app.test_client().post(CLASSIFY, json=REFUND).status_code == 200


def test_without_its_model_it_uses_the_offline_classifier(make_app: Callable[..., Flask]) -> None:
    app = make_app(openai_api_key="sk-test", openai_base_url="http://127.0.0.1:1/v1", openai_timeout=2.0)
    suggestion = app.test_client().post(CLASSIFY, json=REFUND).get_json()
    assert (suggestion["category"], suggestion["source"]) == ("billing", "offline")


def test_the_description_has_at_most_65536_code_points(client: FlaskClient) -> None:
    assert client.post(CLASSIFY, json={"description": "x" * 65_536}).status_code == 200
    assert field_errors(client.post(CLASSIFY, json={"description": "x" * 65_537})) == {"#/description": "too_long"}
