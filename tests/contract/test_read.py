"""GET /api/tickets/:id."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.support.tickets import URL, file_ticket, problem

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.http import Service

ID = "0192a3b4-c5d6-7e8f-9012-3456789abcde"

NOT_AN_ID = {
    "number": "1",
    "zero": "0",
    "minus one": "-1",
    "2^63": str(2**63),
    "fraction": "1.0",
    "word": "ticket",
    "null": "null",
    "NUL": "%00",
    "bad UTF-8": "%ff",
    "space": "%20",
    "percent": "%25",
    "quote": "'",
    "dot": "%2e%2e",
    "10 kB": "a" * 10_000,
    "braces": "{" + ID + "}",
    "URN": "urn:uuid:" + ID,
    "no hyphens": ID.replace("-", ""),
    "one digit short": ID[:-1],
    "one digit more": ID + "0",
    "hyphens elsewhere": "0192a3b4c-5d6-7e8f-9012-3456789abcde",
    "not hexadecimal": "g" + ID[1:],
    "full-width digits": "０" + ID[1:],
    "Arabic digits": "\u0660" + ID[1:],
    "space behind": ID + "%20",
    "line end behind": ID + "%0a",
    "NUL behind": ID + "%00",
    "below": ID + "/x",
}
"""Path segments that are not ticket ids."""


def test_it_works(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    response = client.get(URL + ticket["id"])
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.get_json() == ticket
    assert response.headers["ETag"] == '"1"'
    assert "no-cache" in response.headers["Cache-Control"]


def test_accept_patch_lists_the_media_types_of_patch(client: FlaskClient) -> None:
    response = client.get(URL + file_ticket(client)["id"])
    assert response.headers["Accept-Patch"] == "application/json, application/merge-patch+json"


def test_ids_are_accepted_in_any_letter_case(client: FlaskClient) -> None:
    ticket = file_ticket(client)
    assert client.get(URL + ticket["id"].upper()).get_json() == ticket


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("ticket_id", ["0b0ee3f0-6a05-4c63-b45c-29a6c2c29fa7", ID, str(UUID(int=0))])
def test_it_rejects_an_unknown_id(client: FlaskClient, method: str, ticket_id: str) -> None:
    response = client.open(URL + ticket_id, method=method, json={} if method == "PATCH" else None)
    assert ticket_id in problem(response, 404)["error"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE"])
@pytest.mark.parametrize("ticket_id", NOT_AN_ID.values(), ids=NOT_AN_ID)
def test_it_rejects_a_malformed_id(client: FlaskClient, method: str, ticket_id: str) -> None:
    response = client.open(URL + ticket_id, method=method, json={} if method == "PATCH" else None)
    assert response.status_code == 404
    if method != "HEAD":
        problem(response, 404)


def test_it_rejects_malformed_ids_under_gunicorn(service: Service) -> None:
    ids = {name: text for name, text in NOT_AN_ID.items() if text.isascii() and len(text) < 4000}
    responses = {name: service.call("GET", URL + text).status for name, text in ids.items()}
    assert responses == dict.fromkeys(ids, 404)


# --- If-None-Match (RFC 9110 section 13.1.2: weak comparison)


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', "*", '"7", "1"', '"x","1","y"', 'W/"2", W/"1"', ' "1" '])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_matching_if_none_match_is_304(client: FlaskClient, tags: str, method: str) -> None:
    path = URL + file_ticket(client)["id"]
    response = client.open(path, method=method, headers={"If-None-Match": tags})
    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Cache-Control"] == client.get(path).headers["Cache-Control"]
    assert "Content-Type" not in response.headers
    assert "X-Request-Id" in response.headers


@pytest.mark.parametrize("tags", ['"2"', "1", "", '""', "W/", '"1', '"11"', '"01"', '"2", "3"', "garbage", "9" * 5000])
def test_another_if_none_match_is_200(client: FlaskClient, tags: str) -> None:
    path = URL + file_ticket(client)["id"]
    assert client.get(path, headers={"If-None-Match": tags}).status_code == 200


def test_a_change_changes_the_etag(client: FlaskClient) -> None:
    path = URL + file_ticket(client)["id"]
    client.patch(path, json={"status": "closed"})
    assert client.get(path, headers={"If-None-Match": '"1"'}).status_code == 200
    assert client.get(path, headers={"If-None-Match": '"2"'}).status_code == 304


def test_if_none_match_on_an_unknown_id_is_404(client: FlaskClient) -> None:
    assert client.get(URL + ID, headers={"If-None-Match": "*"}).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_outdated_if_match_is_412(client: FlaskClient, method: str) -> None:
    path = URL + file_ticket(client)["id"]
    client.patch(path, json={"title": "New"})
    for tags, status in (('"1"', 412), ('"2"', 200), ('W/"2"', 200), ('"2-gzip"', 200), ("*", 200), ("x", 412)):
        assert client.open(path, method=method, headers={"If-Match": tags}).status_code == status
    assert "its version is now 2" in problem(client.get(path, headers={"If-Match": '"1"'}), 412)["detail"]


def test_if_match_comes_before_if_none_match(client: FlaskClient) -> None:
    path = URL + file_ticket(client)["id"]
    assert client.get(path, headers={"If-Match": '"2"', "If-None-Match": '"1"'}).status_code == 412
    assert client.get(path, headers={"If-Match": '"1"', "If-None-Match": '"1"'}).status_code == 304


@pytest.mark.parametrize("path", ["/openapi.json", "/", "/docs/errors"])
def test_if_match_applies_to_files_too(client: FlaskClient, path: str) -> None:
    tag = client.get(path).headers["ETag"]
    for tags, status in (('"other"', 412), (tag, 200), (f'{tag[:-1]}-gzip"', 200), ("*", 200)):
        assert client.get(path, headers={"If-Match": tags}).status_code == status


@pytest.mark.parametrize("tags", ['"1-gzip"', 'W/"1-gzip"', '"1-br"', '"1-zstd"'])
def test_a_tag_of_a_compressing_proxy_is_304(client: FlaskClient, tags: str) -> None:
    assert client.get(URL + file_ticket(client)["id"], headers={"If-None-Match": tags}).status_code == 304


def test_304_has_no_body_under_gunicorn(service: Service) -> None:
    ticket = service.call("POST", URL, {"title": "a", "description": "b"}).json
    response = service.call("GET", URL + ticket["id"], headers={"If-None-Match": "*"})
    assert (response.status, response.body, response.headers["ETag"]) == (304, b"", '"1"')
