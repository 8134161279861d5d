"""DELETE /api/tickets/:id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import URL, file_ticket, problem

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service


def test_it_works(client: FlaskClient) -> None:
    kept, path = file_ticket(client), URL + file_ticket(client)["id"]
    response = client.delete(path)
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    problem(client.delete(path), 404)
    problem(client.get(path), 404)
    problem(client.patch(path, json={}), 404)
    assert client.get(URL).get_json() == [kept]


def test_it_works_under_gunicorn(service: Service) -> None:
    path = URL + service.call("POST", URL, {"title": "a", "description": "b"}).json["id"]
    response = service.call("DELETE", path)
    assert (response.status, response.body, response.headers["Content-Length"]) == (204, b"", None)
    assert service.call("DELETE", path).status == 404


@pytest.mark.parametrize("body", [b"", b"{}", b"garbage", b"\xff" * 1000])
def test_a_body_is_ignored(client: FlaskClient, body: bytes) -> None:
    assert client.delete(URL + file_ticket(client)["id"], data=body).status_code == 204


@pytest.mark.parametrize("tags", ['"1"', "*", '"7", "1"', 'W/"1"', '"1-gzip"'])
def test_a_matching_if_match_is_204(client: FlaskClient, tags: str) -> None:
    assert client.delete(URL + file_ticket(client)["id"], headers={"If-Match": tags}).status_code == 204


@pytest.mark.parametrize("tags", ['"2"', 'W/"2"', '"2-gzip"', "garbage"])
def test_another_if_match_is_412(client: FlaskClient, tags: str) -> None:
    ticket = file_ticket(client)
    problem(client.delete(URL + ticket["id"], headers={"If-Match": tags}), 412)
    assert client.get(URL).get_json() == [ticket]


@pytest.mark.parametrize("tags", ['"1"', "*", 'W/"1"', '"1-gzip"', '"7", "1"'])
def test_a_matching_if_none_match_is_412(client: FlaskClient, tags: str) -> None:
    ticket = file_ticket(client)
    response = client.delete(URL + ticket["id"], headers={"If-None-Match": tags})
    assert problem(response, 412)["type"] == "/docs/errors#precondition-failed"
    assert client.get(URL).get_json() == [ticket]


def test_another_if_none_match_is_204(client: FlaskClient) -> None:
    assert client.delete(URL + file_ticket(client)["id"], headers={"If-None-Match": '"2", "x"'}).status_code == 204


@pytest.mark.parametrize("accept", ["application/problem+json", "text/html", "application/json;q=0"])
def test_accept_is_ignored_because_there_is_no_content(client: FlaskClient, accept: str) -> None:
    path = URL + file_ticket(client)["id"]
    assert client.options(path, headers={"Accept": accept}).status_code == 200
    assert client.delete(path, headers={"Accept": accept}).status_code == 204
    problem(client.delete(path, headers={"Accept": accept}), 404)


def test_an_outdated_if_match_is_412(client: FlaskClient) -> None:
    path = URL + file_ticket(client)["id"]
    client.patch(path, json={"title": "New"})
    assert client.delete(path, headers={"If-Match": '"1"'}).status_code == 412
    assert client.delete(path, headers={"If-Match": '"2"'}).status_code == 204


def test_of_racing_deletes_exactly_one_wins(app: Flask, client: FlaskClient) -> None:
    for _ in range(25):
        path = URL + file_ticket(client)["id"]
        with ThreadPoolExecutor(2) as threads:
            responses = threads.map(lambda path: app.test_client().delete(path), [path, path])
            assert sorted(response.status_code for response in responses) == [204, 404]


def test_a_change_races_a_delete_and_one_wins(app: Flask, client: FlaskClient) -> None:
    first = {"If-Match": '"1"'}
    for _ in range(25):
        path = URL + file_ticket(client)["id"]
        with ThreadPoolExecutor(2) as threads:
            changed = threads.submit(app.test_client().patch, path, json={"title": "New"}, headers=first)
            deleted = threads.submit(app.test_client().delete, path, headers=first)
        assert (changed.result().status_code, deleted.result().status_code) in ((200, 412), (404, 204))
