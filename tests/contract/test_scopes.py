"""The scopes of API keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import TICKET, URL, problem
from tests.support.webhooks import WEBHOOK_ID, WEBHOOKS, a_delivery
from ticketsvc.api.auth import scopes
from ticketsvc.store.keys import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

SHOP = "https://shop.example"
UNKNOWN = "0192a3b4-c5d6-7e8f-9012-3456789abcde"
REQUESTS = [
    ("GET", URL, "read"),
    ("HEAD", URL, "read"),
    ("GET", "{ticket}", "read"),
    ("GET", "{ticket}/history", "read"),
    ("GET", "{ticket}/similar", "read"),
    ("POST", f"{URL}similar", "read"),
    ("GET", f"{URL}stats", "read"),
    ("GET", f"{URL}stats/daily", "read"),
    ("GET", f"{URL}stats/resolution", "read"),
    ("GET", f"{URL}stats/response", "read"),
    ("GET", f"{URL}stats/triage", "read"),
    ("GET", "{ticket}/comments", "read"),
    ("GET", "{ticket}/comments/{comment}", "read"),
    ("GET", "/metrics", "read"),
    ("POST", URL, "write"),
    ("PATCH", "{ticket}", "write"),
    ("PATCH", f"{URL}?status=open", "write"),
    ("DELETE", "{ticket}", "write"),
    ("POST", "{ticket}/comments", "write"),
    ("DELETE", "{ticket}/comments/{comment}", "write"),
    ("POST", f"{URL}claim", "write"),
    ("POST", f"{URL}classify", "write"),
    ("GET", f"{URL}export", "read"),
    ("GET", "/api/events/?after=latest", "read"),
    ("POST", f"{URL}import", "admin"),
    ("GET", WEBHOOKS, "admin"),
    ("POST", WEBHOOKS, "admin"),
    ("GET", "{webhook}", "admin"),
    ("PATCH", "{webhook}", "admin"),
    ("DELETE", "{webhook}", "admin"),
    ("POST", "{webhook}/rotate", "admin"),
    ("GET", "{webhook}/deliveries", "admin"),
    ("POST", "{webhook}/deliveries/{delivery}/redeliver", "admin"),
]
SCOPES_OF = {"reader": ["read"], "writer": ["read", "write"], "admin": ["read", "write", "admin"], "stranger": []}


def test_every_route_declares_its_scope(app: Flask) -> None:
    """Add a new route to ticketsvc.api.auth.scopes.NEEDED, and a request to REQUESTS."""
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(scopes.NEEDED)
    assert set(scopes.NEEDED.values()) <= {scopes.OPEN, *SCOPES}


def test_every_route_that_needs_a_key_is_tested(app: Flask) -> None:
    adapter = app.url_map.bind("")
    unknown = {"ticket": f"{URL}{UNKNOWN}", "comment": UNKNOWN, "webhook": WEBHOOKS + WEBHOOK_ID, "delivery": "x"}
    called = {adapter.match(path.partition("?")[0].format_map(unknown), method)[0] for method, path, _ in REQUESTS}
    assert called == {endpoint for endpoint, needed in scopes.NEEDED.items() if needed != scopes.OPEN}


@pytest.mark.parametrize(("method", "path", "scope"), REQUESTS)
def test_each_scope_allows_its_routes_only(
    guarded: Flask, cast: dict[str, dict[str, str]], method: str, path: str, scope: str
) -> None:
    client = guarded.test_client()
    body = (
        json.dumps({**TICKET, "body": "y", "assignee": "kim", "url": "https://example.com"})
        if method in ("POST", "PATCH")
        else None
    )
    content_type = "application/x-ndjson" if path.endswith("import") else "application/json"
    for name, allowed in SCOPES_OF.items():
        ticket = client.post(URL, json=TICKET, headers=cast["admin"]).headers["Location"]
        added = client.post(f"{ticket}/comments", json={"body": "x"}, headers=cast["admin"])
        hook = client.post(WEBHOOKS, json={"url": "https://example.com"}, headers=cast["admin"]).get_json()["id"]
        existing = {"ticket": ticket, "comment": added.get_json()["id"], "webhook": WEBHOOKS + hook}
        existing["delivery"] = a_delivery(client, hook)
        headers = {**cast[name], "Content-Type": content_type}
        response = client.open(path.format_map(existing), method=method, data=body, headers=headers)
        if name == "stranger":
            assert response.status_code == 401
        elif scope in allowed:
            assert response.status_code // 100 == 2, name
        else:
            assert problem(response, 403)["type"] == "/docs/errors#insufficient-scope"
            challenge = f'Bearer realm="tickets", error="insufficient_scope", scope="{scope}"'
            assert response.headers["WWW-Authenticate"] == challenge
            assert client.get(ticket, headers=cast["admin"]).get_json()["version"] == 2


def test_an_undeclared_route_requires_admin() -> None:
    assert scopes.needed("api.tickets.forgotten") == "admin"


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PUT", URL), ("GET", f"{URL}nonsense")])
def test_without_a_key_unknown_paths_are_401(
    guarded: Flask, cast: dict[str, dict[str, str]], method: str, path: str
) -> None:
    client = guarded.test_client()
    assert client.open(path, method=method).status_code == 401
    assert client.open(path, method=method, headers=cast["reader"]).status_code in (404, 405)


def test_a_preflight_needs_no_key(make_app: Callable[..., Flask]) -> None:
    client = make_app(require_api_key=True, cors_origins=(SHOP,)).test_client()
    preflight = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key",
    }
    response = client.options(URL, headers={"Origin": SHOP, **preflight})
    assert response.status_code == 200
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "idempotency-key"} <= set(allowed)


def test_cross_origin_pages_can_read_a_401(make_app: Callable[..., Flask]) -> None:
    client = make_app(require_api_key=True, cors_origins=(SHOP,)).test_client()
    response = client.get(URL, headers={"Origin": SHOP})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (401, SHOP)
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"WWW-Authenticate", "Idempotent-Replayed", "RateLimit", "RateLimit-Policy"} <= set(exposed)
