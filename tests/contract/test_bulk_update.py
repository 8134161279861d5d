"""PATCH /api/tickets/: one change of all tickets that match filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.tickets import URL, file_ticket

if TYPE_CHECKING:
    from flask.testing import FlaskClient


def test_it_works(client: FlaskClient) -> None:
    first, second = file_ticket(client), file_ticket(client, priority="critical")
    other = file_ticket(client, category="billing")
    response = client.patch(f"{URL}?category=account", json={"status": "closed", "priority": "critical"})
    assert (response.status_code, response.get_json()) == (200, {"matched": 2, "changed": 2})
    for ticket in (first, second):
        changed = client.get(URL + ticket["id"]).get_json()
        assert (changed["status"], changed["priority"], changed["version"]) == ("closed", "critical", 2)
    assert client.get(URL + other["id"]).get_json() == other
