"""POST /api/tickets/."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.bodies import MALFORMED, MALFORMED_SAMPLE, NOT_A_CHOICE_SAMPLE, NOT_TEXT_SAMPLE, VALID
from tests.support.tickets import LABELS, TICKET, URL, field_errors, file_ticket, problem
from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service


def test_it_works(client: FlaskClient) -> None:
    response = client.post(URL, json={**TICKET, "category": "Account", "priority": "HIGH"})

    assert response.status_code == 201
    ticket = response.get_json()
    assert list(ticket)[:7] == ["id", "title", "description", "category", "priority", "status", "created_at"]
    assert (ticket["title"], ticket["description"]) == (TICKET["title"], TICKET["description"])
    assert (ticket["category"], ticket["priority"], ticket["status"]) == ("account", "high", "open")
    assert ticket["updated_at"] == ticket["created_at"]
    assert (ticket["version"], response.headers["ETag"]) == (1, '"1"')
    assert response.headers["Location"] == f"{URL}{ticket['id']}"
    assert client.get(response.headers["Location"]).get_json() == ticket


def test_it_works_under_gunicorn(service: Service) -> None:
    assert service.call("POST", URL, TICKET).status == 201


# --- texts


@pytest.mark.parametrize("space", [" ", "\t\r\n", "\u00a0\u2003\u3000", "\u2028"])
def test_it_trims(client: FlaskClient, space: str) -> None:
    ticket = file_ticket(client, title=f"{space}a{space}b{space}", description=f"{space}c{space}")
    assert (ticket["title"], ticket["description"]) == (f"a{space}b", "c")


@pytest.mark.parametrize("character", ["x", "ü", "字", "🎫", "\u0301", '"', "\\"])
def test_a_title_has_at_most_200_code_points(client: FlaskClient, character: str) -> None:
    assert file_ticket(client, title=f"  {character * 200}\u3000")["title"] == character * 200

    response = client.post(URL, json={**TICKET, "title": character * 201})
    assert field_errors(response) == {"#/title": "too_long"}
    assert "200" in response.get_json()["error"]


@pytest.mark.parametrize(
    "text",
    [
        "it's \"quoted\" 'twice'",
        "a\\b\\n%s{}$1:name",
        "line\nline\r\nline\ttab",
        "'; DROP TABLE tickets; --",
        "<script>alert(1)</script> &amp;",
        "\u0001\u001f\u007f\u0080\u009f.",
        "a\u200b\u200e\u202eb\ufeff\ufffe\uffff\ufffd",
        "👩‍👩‍👧‍👦 e\u0301 ȩ̀ 字 \U0010ffff",
        "مرحبا שלום",
        "null",
    ],
)
def test_texts_are_stored_unchanged(client: FlaskClient, text: str) -> None:
    ticket = file_ticket(client, title=text, description=text)
    assert (ticket["title"], ticket["description"]) == (text, text)
    assert client.get(URL).get_json() == [ticket]


def test_it_accepts_an_escaped_surrogate_pair(client: FlaskClient) -> None:
    body = rb'{"title": "\ud83c\udfab", "description": "\u00fc"}'
    ticket = client.post(URL, data=body, content_type="application/json").get_json()
    assert (ticket["title"], ticket["description"]) == ("🎫", "ü")


@pytest.mark.parametrize("character", ["x", "ü", "字"])
def test_a_description_has_at_most_65536_code_points(client: FlaskClient, character: str) -> None:
    def create(length: int) -> TestResponse:
        body = json.dumps({**TICKET, "description": f" {character * length} "}, ensure_ascii=False)
        return client.post(URL, data=body.encode(), content_type="application/json")

    assert create(65_536).get_json()["description"] == character * 65_536
    assert field_errors(create(65_537)) == {"#/description": "too_long"}


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("value", NOT_TEXT_SAMPLE.values(), ids=NOT_TEXT_SAMPLE)
def test_it_rejects_values_that_are_not_texts(client: FlaskClient, field: str, value: object) -> None:
    response = client.post(URL, data=json.dumps({**TICKET, field: value}), content_type="application/json")
    assert list(field_errors(response)) == [f"#/{field}"]
    assert field in response.get_json()["error"]


@pytest.mark.parametrize("field", ["title", "description"])
def test_it_rejects_a_missing_text(client: FlaskClient, field: str) -> None:
    body = {name: text for name, text in TICKET.items() if name != field}
    assert field_errors(client.post(URL, json=body)) == {f"#/{field}": "required"}


# --- category, priority, status


@pytest.mark.parametrize("change", [str.upper, str.title, str.swapcase])
def test_labels_are_accepted_in_any_letter_case(client: FlaskClient, change: Callable[[str], str]) -> None:
    for category, priority in zip(CATEGORIES, PRIORITIES, strict=True):
        ticket = file_ticket(client, category=change(category), priority=change(priority))
        assert (ticket["category"], ticket["priority"]) == (category, priority)


@pytest.mark.parametrize("absent", [{}, {"category": None, "priority": None}, {"category": "", "priority": ""}])
def test_absent_labels_are_triaged(client: FlaskClient, absent: dict[str, object]) -> None:
    body = {"title": "Refund", "description": "I was charged twice on my invoice, please refund me.", **absent}
    response = client.post(URL, json=body)
    assert response.status_code == 201
    assert response.get_json()["category"] == "billing"
    assert response.get_json()["priority"] in PRIORITIES


def test_given_labels_are_kept(client: FlaskClient) -> None:
    body = {"title": "Refund", "description": "I was charged twice on my invoice, please refund me."}
    assert client.post(URL, json={**body, "category": "technical"}).get_json()["category"] == "technical"
    ticket = client.post(URL, json={**body, "priority": "low"}).get_json()
    assert (ticket["category"], ticket["priority"]) == ("billing", "low")


BLANK = [
    "\u200b",
    "\u3164",
    "\u115f\u1160",
    "\u2800",
    "\x01\x7f",
    "\xad",
    "\ufeff \u2060",
    "\u034f\ufe0f",
    "\U000e0041",
]
VISIBLE = ["\u200bx\u200b", "\ue000", "\u0378", "👩\u200d👧", "ㅤㄱ", "e\u0301", "\u0301", "١", "﷽", "\x01."]


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_a_text_without_a_visible_character_is_400(client: FlaskClient, text: str) -> None:
    response = client.post(URL, json={"title": text, "description": text})
    errors = problem(response, 400)["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [("#/title", "empty"), ("#/description", "empty")]
    assert errors[0]["detail"] == "title must have a visible character."
    path = client.post(URL, json=TICKET).headers["Location"]
    problem(client.patch(path, json={"title": text}), 400)
    problem(client.post(f"{URL}classify", json={"description": text}), 400)
    for media_type, line in (
        ("application/x-ndjson", json.dumps({"title": "a", "description": text}).encode()),
        ("text/csv", f"title,description\na,{text}\n".encode()),
    ):
        file = problem(client.post(f"{URL}import", data=line, content_type=media_type), 400)
        assert [error["pointer"] for error in file["errors"]] == ["#/description"]


@pytest.mark.parametrize("text", VISIBLE, ids=ascii)
def test_a_text_with_a_visible_character_is_stored_as_written(client: FlaskClient, text: str) -> None:
    ticket = client.post(URL, json={"title": f" {text}\n", "description": text}).get_json()
    assert (ticket["title"], ticket["description"]) == (text, text)


@pytest.mark.parametrize("text", ["?", "...", "🎫", "\u200b.", "1" * 1000, "字" * 100, "a" * 65_536])
def test_triage_accepts_any_text(client: FlaskClient, text: str) -> None:
    response = client.post(URL, json={"title": text[:200], "description": text})
    assert response.status_code == 201
    assert response.get_json()["category"] in CATEGORIES


def test_triage_can_be_switched_off(make_app: Callable[..., Flask]) -> None:
    client = make_app(triage_on_create=False).test_client()
    ticket = client.post(URL, json={"title": "Refund", "description": "Urgent! Refund my invoice!"}).get_json()
    assert (ticket["category"], ticket["priority"]) == ("general", "medium")


@pytest.mark.parametrize("field", ["category", "priority"])
@pytest.mark.parametrize("value", NOT_A_CHOICE_SAMPLE)
def test_it_rejects_values_that_are_not_labels(client: FlaskClient, field: str, value: object) -> None:
    response = client.post(URL, data=json.dumps({**TICKET, field: value}), content_type="application/json")
    assert field_errors(response) == {f"#/{field}": "not_allowed"}
    allowed = CATEGORIES if field == "category" else PRIORITIES
    assert all(word in response.get_json()["error"] for word in (field, *allowed))


@pytest.mark.parametrize("status", ["closed", "OPEN", "nonsense", "", None, 5, [], {}])
def test_a_status_is_ignored(client: FlaskClient, status: object) -> None:
    assert file_ticket(client, status=status)["status"] == "open"


def test_unknown_keys_are_ignored(client: FlaskClient) -> None:
    given = {"id": "1", "created_at": "never", "updated_at": 1, "version": 7, "": 0, "__proto__": {}, "labels": [1e300]}
    ticket = file_ticket(client, **given)
    assert ticket["version"] == 1
    assert ticket["id"] != "1"
    assert {"", "__proto__", "labels"}.isdisjoint(ticket)


# --- bodies


@pytest.mark.parametrize("body", MALFORMED_SAMPLE.values(), ids=MALFORMED_SAMPLE)
def test_it_rejects_a_malformed_body(client: FlaskClient, body: bytes) -> None:
    problem(client.post(URL, data=body, content_type="application/json"), 400)
    assert client.get(URL).get_json() == []


def test_it_rejects_malformed_bodies_under_gunicorn(service: Service) -> None:
    statuses = {name: service.call("POST", URL, body).status for name, body in MALFORMED.items()}
    assert statuses == dict.fromkeys(MALFORMED, 400)


def test_it_reports_all_errors_at_once(client: FlaskClient) -> None:
    body = {"title": " ", "description": 5, "category": "x", "priority": []}
    response = client.post(URL, json=body)
    assert field_errors(response) == {
        "#/title": "empty",
        "#/description": "wrong_type",
        "#/category": "not_allowed",
        "#/priority": "not_allowed",
    }
    assert all(field in response.get_json()["error"] for field in body)


def test_it_stores_nothing_when_it_rejects(client: FlaskClient) -> None:
    client.post(URL, json={**TICKET, "priority": "urgent"})
    assert client.get(URL).get_json() == []


def test_it_accepts_a_byte_order_mark(client: FlaskClient) -> None:
    assert client.post(URL, data=b"\xef\xbb\xbf" + VALID, content_type="application/json").status_code == 201


def test_of_duplicate_members_the_last_counts(client: FlaskClient) -> None:
    body = VALID[:-1] + b', "title": "last"}'
    assert client.post(URL, data=body, content_type="application/json").get_json()["title"] == "last"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; charset=utf8",
    ],
)
def test_it_accepts_json(client: FlaskClient, content_type: str | None) -> None:
    assert client.post(URL, data=VALID, content_type=content_type).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/merge-patch+json",
        "application/jsonp",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "json",
        ";",
        "\xff",
    ],
)
def test_it_rejects_other_media_types(client: FlaskClient, content_type: str) -> None:
    response = client.post(URL, data=VALID, content_type=content_type)
    assert "application/json" in problem(response, 415)["error"]
    assert response.headers["Accept-Post"] == "application/json"
    assert client.get(URL).get_json() == []


# --- concurrency


def test_concurrent_creates_are_all_stored(app: Flask) -> None:
    def create(number: int) -> str:
        return str(file_ticket(app.test_client(), title=f"Ticket {number}")["id"])

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(create, range(80)))
    stored = app.test_client().get(URL).get_json()
    assert {ticket["id"] for ticket in stored} == ids
    assert len(ids) == 80


def test_creating_never_waits_for_an_external_model(make_app: Callable[..., Flask]) -> None:
    app = make_app(openai_api_key="sk-test", openai_base_url="http://203.0.113.1/v1", openai_timeout=3600.0)
    response = app.test_client().post(URL, json=TICKET)
    assert response.status_code == 201
    assert set(LABELS) <= set(response.get_json())
