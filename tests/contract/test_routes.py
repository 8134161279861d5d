"""Every path with and without a trailing slash, with every method; names that are never ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import TICKET, URL, file_ticket, problem
from tests.support.webhooks import DELIVERY_ID, WEBHOOK_ID

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service

UNKNOWN = "/api/tickets/0192a3b4-c5d6-7e8f-9012-3456789abcde"
COMMENT = "0192a3b4-c5d6-7e8f-9012-3456789abcdf"
STATS = [f"/api/tickets/stats{which}" for which in ("", "/daily", "/resolution", "/response", "/triage")]
BULK = ["/api/tickets/import", "/api/tickets/export"]
TICKET_PATHS = [
    UNKNOWN,
    f"{UNKNOWN}/history",
    f"{UNKNOWN}/similar",
    f"{UNKNOWN}/comments",
    f"{UNKNOWN}/comments/{COMMENT}",
]
PAGES = ["/openapi.json", "/docs", "/docs/errors"]
WEBHOOK = f"/api/webhooks/{WEBHOOK_ID}"
DELIVERIES = [f"{WEBHOOK}/deliveries", f"{WEBHOOK}/deliveries/{DELIVERY_ID}/redeliver"]
WEBHOOK_PATHS = ["/api/webhooks", WEBHOOK, f"{WEBHOOK}/rotate", *DELIVERIES]
OPERATING = ["/livez", "/readyz", "/metrics"]
PATHS = [
    "/api/tickets",
    *STATS,
    "/api/tickets/classify",
    "/api/tickets/claim",
    "/api/tickets/similar",
    *BULK,
    *TICKET_PATHS,
    "/api/events",
    *WEBHOOK_PATHS,
    *OPERATING,
    *PAGES,
    "/mcp",
]
METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]


@pytest.mark.parametrize("path", PATHS)
def test_a_trailing_slash_makes_no_difference(client: FlaskClient, path: str) -> None:
    for method in METHODS:
        body = {"title": "a", "description": "b"} if method in ("POST", "PATCH") else None
        without, with_slash = (client.open(address, method=method, json=body) for address in (path, path + "/"))
        assert without.status_code == with_slash.status_code, method
        assert not 300 <= without.status_code < 400, method
        assert without.headers.get("Allow") == with_slash.headers.get("Allow"), method


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_route_works_with_and_without_a_slash(client: FlaskClient, slash: str) -> None:
    created = client.post(f"/api/tickets{slash}", json=TICKET)
    path = f"/api/tickets/{created.get_json()['id']}{slash}"
    assert created.status_code == 201
    assert client.get(f"/api/tickets{slash}").get_json() == [created.get_json()]
    assert client.get(f"/api/tickets{slash}?search=nothing").get_json() == []
    assert client.get(path).get_json() == created.get_json()
    assert client.patch(path, json={"status": "closed"}).get_json()["status"] == "closed"
    assert client.get(f"/api/tickets/stats{slash}").get_json()["total_tickets"] == 1
    assert client.post(f"/api/tickets/classify{slash}", json=TICKET).status_code == 200
    assert client.post(f"/api/tickets/similar{slash}", json=TICKET).status_code == 200
    assert client.get(f"{path.rstrip('/')}/similar{slash}").get_json() == []
    assert len(client.get(f"{path.rstrip('/')}/history{slash}").get_json()) == 2
    assert client.get(f"/livez{slash}").status_code == client.get(f"/readyz{slash}").status_code == 200
    assert client.delete(path).status_code == 204


def test_a_trailing_slash_never_redirects_under_gunicorn(service: Service) -> None:
    for path in PATHS:
        for method in METHODS:
            statuses = {service.call(method, address).status for address in (path, path + "/")}
            assert len(statuses) == 1
            assert statuses.pop() // 100 != 3


@pytest.mark.parametrize("name", ["stats", "claim", "classify", "similar", "import", "export"])
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT"])
def test_route_names_are_never_ids(client: FlaskClient, name: str, slash: str, method: str) -> None:
    works = "GET" if name in ("stats", "export") else "POST"
    content_type = "application/x-ndjson" if name == "import" else "application/json"
    body = json.dumps({**TICKET, "assignee": "kim"}) if method != "GET" else None
    response = client.open(URL + name + slash, method=method, data=body, content_type=content_type)
    if method == works:
        assert response.status_code == (204 if name == "claim" else 200)
    else:
        problem(response, 405)
        assert works in response.headers["Allow"].split(", ")


@pytest.mark.parametrize("path", ["/api/tickets/", "/api/tickets/stats/", "/livez", "/readyz", "one", UNKNOWN])
def test_head_matches_get(client: FlaskClient, path: str) -> None:
    ticket = file_ticket(client)
    path = URL + ticket["id"] if path == "one" else path
    get, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (get.status_code, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Link"):
        assert head.headers.get(name) == get.headers.get(name)


def test_head_has_no_body_under_gunicorn(service: Service) -> None:
    for path in (URL, "/livez", UNKNOWN):
        get, head = service.call("GET", path), service.call("HEAD", path)
        assert (head.status, head.body) == (get.status, b"")
        assert head.headers["Content-Length"] == str(len(get.body))
    response = service.raw(b"HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert response.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("path", PATHS)
def test_options_lists_the_methods(client: FlaskClient, path: str) -> None:
    response = client.options(path)
    assert (response.status_code, response.data) == (200, b"")
    allowed = set(response.headers["Allow"].split(", "))
    assert "OPTIONS" in allowed
    assert ("GET" in allowed) == ("HEAD" in allowed)


def test_every_route_is_in_paths(app: Flask) -> None:
    """Add a new route to PATHS. The routes of the console are not part of the API (test_console.py)."""
    rules = {rule.rule.replace("<uuid:ticket_id>", UNKNOWN.split("/")[-1]) for rule in app.url_map.iter_rules()}
    rules = {rule.replace("<uuid:webhook_id>", WEBHOOK_ID).replace("<delivery_id>", DELIVERY_ID) for rule in rules}
    rules = {rule.replace("<uuid:comment_id>", COMMENT).replace("/docs/<name>", "/docs/errors") for rule in rules}
    assert rules - {"/", "/console/<version>/<name>"} == {*PATHS, "/docs/files/<path:name>"}
