"""Requests that browsers send for pages of other sites, and requests for other hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import TICKET, URL, file_ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

ID = "0192a3b4-c5d6-7e8f-9012-3456789abcde"
SHOP = "https://shop.example"
OTHER_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:8080"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
]
OWN_SITE = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Origin": "https://LOCALHOST"},
]
WRITES = [
    ("POST", URL, TICKET),
    ("POST", f"{URL}classify/", {"description": "Where is my invoice?"}),
    ("POST", f"{URL}import/", None),
    ("PATCH", URL + ID, {"status": "closed"}),
    ("DELETE", URL + ID, None),
]
READS = [URL, f"{URL}export/", f"{URL}stats/", "/metrics"]


@pytest.mark.parametrize("headers", OTHER_SITE, ids=repr)
@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_write_for_another_site_is_403(
    client: FlaskClient, headers: dict[str, str], method: str, path: str, body: object
) -> None:
    response = client.open(path, method=method, json=body, headers=headers)
    assert (response.status_code, response.get_json()["type"]) == (403, "/docs/errors#cross-site-request")
    assert client.get(URL).get_json() == []


@pytest.mark.parametrize("headers", OWN_SITE, ids=repr)
def test_a_write_for_the_own_site_works(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post(URL, json=TICKET, headers=headers).status_code == 201
    ticket_id = file_ticket(client)["id"]
    assert client.patch(URL + ticket_id, json={"status": "closed"}, headers=headers).status_code == 200
    assert client.delete(URL + ticket_id, headers=headers).status_code == 204


@pytest.mark.parametrize("mode", ["no-cors", "cors"])
@pytest.mark.parametrize("path", READS)
def test_a_read_for_another_site_is_403(client: FlaskClient, path: str, mode: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "empty"}
    assert client.get(path, headers=headers).status_code == 403
    frame = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert client.get(path, headers=frame).status_code == 403


@pytest.mark.parametrize("path", READS)
def test_a_link_on_another_site_works(client: FlaskClient, path: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/livez"])
def test_what_needs_no_key_is_served_to_other_sites(client: FlaskClient, path: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert client.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("origins", [(SHOP,), ("*",)])
def test_an_allowed_origin_may_read_and_write(make_app: Callable[..., Flask], origins: tuple[str, ...]) -> None:
    client = make_app(cors_origins=origins).test_client()
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Origin": SHOP}
    assert client.post(URL, json=TICKET, headers=headers).status_code == 201
    assert client.get(URL, headers=headers).status_code == 200


def test_other_origins_stay_refused(make_app: Callable[..., Flask]) -> None:
    client = make_app(cors_origins=(SHOP,)).test_client()
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert client.post(URL, json=TICKET, headers=headers).status_code == 403


def test_a_preflight_request_is_served(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": SHOP, "Access-Control-Request-Method": "POST"}
    response = client.options(URL, headers=headers)
    assert response.status_code == 200
    assert "Content-Type" not in response.headers


# --- hosts


@pytest.fixture
def known(make_app: Callable[..., Flask]) -> FlaskClient:
    """Return a client of a service that is known by two names."""
    return make_app(allowed_hosts=("tickets.example", "[::1]")).test_client()


@pytest.mark.parametrize("host", ["tickets.example", "TICKETS.example:3000", "[::1]:3000", "[::1]"])
def test_a_listed_host_is_served(known: FlaskClient, host: str) -> None:
    assert known.get(URL, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["rebind.example", "tickets.example.evil.example", "127.0.0.1:3000", "[::2]", ""])
@pytest.mark.parametrize("path", [URL, "/", "/metrics", "/nothing"])
def test_another_host_is_421(known: FlaskClient, host: str, path: str) -> None:
    assert known.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_is_served_for_any_host(known: FlaskClient, path: str) -> None:
    assert known.get(path, headers={"Host": "10.1.2.3:3000"}).status_code == 200
