"""GET /livez and /readyz."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import problem
from ticketsvc import migrations
from ticketsvc.application import create_app
from ticketsvc.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.http import Service


@pytest.fixture
def unmigrated(new_database: Callable[[], str]) -> Iterator[FlaskClient]:
    """Return a client of a service with an empty database."""
    app = create_app(Config(database_url=new_database()))
    yield app.test_client()
    app.extensions["ticketsvc"].database.close()


def test_it_works(client: FlaskClient) -> None:
    for path, state in [("/livez", "alive"), ("/readyz", "ready")]:
        response = client.get(path)
        assert (response.status_code, response.get_json()) == (200, {"status": state})
        assert response.headers["Cache-Control"] == "no-store"


def test_it_works_under_gunicorn(service: Service) -> None:
    assert service.call("GET", "/livez").json == {"status": "alive"}
    assert service.call("GET", "/readyz").json == {"status": "ready"}


def test_without_a_database_it_is_alive_and_not_ready(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_url="postgresql://ann:hunter2@127.0.0.1:1/none", pool_timeout=0.1).test_client()
    assert client.get("/livez").status_code == 200
    response = client.get("/readyz")
    assert "hunter2" not in str(problem(response, 503))
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_without_a_database_every_route_says_503(make_app: Callable[..., Flask], method: str) -> None:
    client = make_app(database_url="postgresql://127.0.0.1:1/none", pool_timeout=0.1).test_client()
    paths = {
        "GET": ["/api/tickets/", "/api/tickets/0192a3b4-c5d6-7e8f-9012-3456789abcde", "/api/tickets/stats/"],
        "POST": ["/api/tickets/"],
    }
    body = {"title": "a", "description": "b"} if method != "GET" else None
    for path in paths.get(method, ["/api/tickets/0192a3b4-c5d6-7e8f-9012-3456789abcde"]):
        response = client.open(path, method=method, json=body)
        problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0


def test_without_its_migrations_it_is_alive_and_not_ready(unmigrated: FlaskClient) -> None:
    assert unmigrated.get("/livez").status_code == 200
    problem(unmigrated.get("/readyz"), 503)
    problem(unmigrated.get("/api/tickets/"), 503)


def test_it_is_ready_once_migrated(new_database: Callable[[], str]) -> None:
    url = new_database()
    app = create_app(Config(database_url=url))
    client = app.test_client()
    assert client.get("/readyz").status_code == 503
    migrations.apply(url)
    assert client.get("/readyz").status_code == 200
    assert client.get("/api/tickets/").get_json() == []
    app.extensions["ticketsvc"].database.close()


def test_pending_migrations_are_named(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_app().test_client()
    monkeypatch.setattr("ticketsvc.api.health.expected_ids", lambda: {"0001_tickets", "9999_next"})
    document = problem(client.get("/readyz"), 503)
    assert "9999_next" in document["detail"]
    assert "0001_tickets" not in document["detail"]


def test_readiness_of_a_newer_schema(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_app().test_client()
    monkeypatch.setattr("ticketsvc.api.health.expected_ids", lambda: set())
    assert client.get("/readyz").status_code == 200
