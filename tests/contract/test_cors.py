"""Cross-origin requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import TICKET, URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

SHOP = "https://shop.example"
DESK = "http://localhost:5173"
PATHS = [URL, f"{URL}stats/", f"{URL}nonsense", "/livez", f"{URL}?limit=0"]


@pytest.fixture
def allowing(make_app: Callable[..., Flask]) -> FlaskClient:
    """Return a client of a service that allows two origins."""
    return make_app(cors_origins=(SHOP, DESK)).test_client()


def preflight(client: FlaskClient, origin: str, method: str = "POST", path: str = URL) -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers={**headers, "Access-Control-Request-Headers": "content-type,if-match"})


def listed(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


@pytest.mark.parametrize("path", PATHS)
def test_it_is_off_by_default(client: FlaskClient, path: str) -> None:
    responses = [client.get(path, headers={"Origin": SHOP}), preflight(client, SHOP, path=path)]
    assert not [name for response in responses for name in dict(response.headers) if name.startswith("Access-Control")]


@pytest.mark.parametrize("origin", [SHOP, DESK])
@pytest.mark.parametrize("path", PATHS)
def test_a_listed_origin_can_read_every_response(allowing: FlaskClient, origin: str, path: str) -> None:
    response = allowing.get(path, headers={"Origin": origin})
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert {"etag", "link", "location", "x-total-count", "x-request-id", "retry-after"} <= listed(
        response.headers["Access-Control-Expose-Headers"]
    )
    assert "Origin" in response.vary
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("origin", [SHOP, DESK])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [URL, f"{URL}0192a3b4-c5d6-7e8f-9012-3456789abcde", f"{URL}classify"])
def test_a_listed_origin_can_send_requests(allowing: FlaskClient, origin: str, method: str, path: str) -> None:
    response = preflight(allowing, origin, method, path)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert method.lower() in listed(response.headers["Access-Control-Allow-Methods"])
    assert {"content-type", "if-match", "if-none-match"} <= listed(response.headers["Access-Control-Allow-Headers"])
    assert int(response.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "*",
        f"{SHOP}.evil.example",
        "http://shop.example",
        f"{SHOP}:8443",
        SHOP + "/",
    ],
)
def test_other_origins_are_rejected(allowing: FlaskClient, origin: str) -> None:
    for response in (allowing.get(URL, headers={"Origin": origin}), preflight(allowing, origin)):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.vary


def test_a_request_without_origin_works(allowing: FlaskClient) -> None:
    response = allowing.post(URL, json=TICKET)
    assert response.status_code == 201
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Origin" in response.vary


def test_a_request_from_a_listed_origin_works(allowing: FlaskClient) -> None:
    response = allowing.post(URL, json=TICKET, headers={"Origin": SHOP})
    assert response.status_code == 201
    path = response.headers["Location"]
    assert allowing.delete(path, headers={"Origin": SHOP}).headers["Access-Control-Allow-Origin"] == SHOP


@pytest.mark.parametrize("origin", [SHOP, "null", "http://anybody.example"])
def test_a_star_allows_all_origins(make_app: Callable[..., Flask], origin: str) -> None:
    client = make_app(cors_origins=("*",)).test_client()
    assert client.get(URL, headers={"Origin": origin}).headers["Access-Control-Allow-Origin"] in (origin, "*")
    assert preflight(client, origin).headers["Access-Control-Allow-Origin"] in (origin, "*")
