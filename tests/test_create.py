"""POST /api/tickets/"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.http import Service

URL = "/api/tickets/"
TICKET = {"title": "Cannot log in", "description": "The page says 'wrong password'."}


def test_it_works(client: FlaskClient) -> None:
    answer = client.post(URL, json={**TICKET, "category": "Account", "priority": "HIGH"})

    assert answer.status_code == 201
    ticket = answer.get_json()
    assert list(ticket)[:7] == ["id", "title", "description", "category", "priority", "status", "created_at"]
    assert (ticket["title"], ticket["description"]) == (TICKET["title"], TICKET["description"])
    assert (ticket["category"], ticket["priority"], ticket["status"]) == ("account", "high", "open")
    assert answer.headers["Location"] == f"{URL}{ticket['id']}"
    assert client.get(answer.headers["Location"]).get_json() == ticket


def test_it_works_under_gunicorn_too(service: Service) -> None:
    assert service.call("POST", URL, TICKET).status == 201
