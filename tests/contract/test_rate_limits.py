"""RATE_LIMIT."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import serve
from tests.support.locks import in_background, locked_tickets, wait_until_blocked
from tests.support.tickets import TICKET, URL, problem
from ticketsvc.api.auth.throttle import SITE_FACTOR
from ticketsvc.config import RateLimit
from ticketsvc.store import rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

HOUR = 3600


@pytest.fixture
def limited(make_app: Callable[..., Flask], database: Connection) -> Callable[..., FlaskClient]:
    """Return a function that makes a client of a service with an hourly quota. Nothing is counted yet."""
    database.execute("DELETE FROM rate_limits")
    return lambda quota=3, **settings: make_app(rate_limit=RateLimit(quota, HOUR), **settings).test_client()


def statuses(client: FlaskClient, requests: int, **options: Any) -> list[int]:
    return [client.get(f"{URL}stats", **options).status_code for _ in range(requests)]


def test_it_works(limited: Callable[..., FlaskClient]) -> None:
    client = limited(3)
    responses = [client.get(URL) for _ in range(5)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429, 429]
    assert {response.headers["RateLimit-Policy"] for response in responses} == {f'"default";q=3;w={HOUR}'}
    for response, left in zip(responses, [2, 1, 0, 0, 0], strict=True):
        limit, remaining, seconds = response.headers["RateLimit"].split(";")
        assert (limit, remaining) == ('"default"', f"r={left}")
        assert 0 < int(seconds.removeprefix("t=")) <= HOUR
    refused = responses[-1]
    assert problem(refused, 429)["type"] == "/docs/errors#quota-exceeded"
    assert refused.headers["Retry-After"] == refused.headers["RateLimit"].rpartition("t=")[2]


def test_it_is_off_by_default(client: FlaskClient) -> None:
    response = client.get(URL)
    assert not [name for name, _ in response.headers if name.lower().startswith("ratelimit")]


def test_health_checks_and_preflights_are_not_counted(limited: Callable[..., FlaskClient]) -> None:
    client = limited(4)
    for _ in range(3):
        for path in ("/livez", "/readyz"):
            response = client.get(path)
            assert (response.status_code, "RateLimit" in response.headers) == (200, False)
        assert client.options(URL).status_code == 200
    codes = [client.post(URL, json=TICKET), client.post(URL, json={}), client.get("/nothing"), client.put(URL)]
    assert [response.status_code for response in codes] == [201, 400, 404, 405]
    assert statuses(client, 1) == [429]
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200


def test_a_rejected_request_does_nothing(limited: Callable[..., FlaskClient], database: Connection) -> None:
    client = limited(1)
    assert [client.post(URL, json=TICKET).status_code for _ in range(3)] == [201, 429, 429]
    assert database.execute("SELECT count(*) FROM tickets").fetchone() == (1,)


def test_each_address_has_its_own_quota(limited: Callable[..., FlaskClient]) -> None:
    client = limited(2)
    for address in ("192.0.2.1", "192.0.2.2"):
        assert statuses(client, 3, environ_base={"REMOTE_ADDR": address}) == [200, 200, 429]
    # X-Forwarded-For counts only if a trusted proxy sent it
    claimed = {"headers": {"X-Forwarded-For": "198.51.100.7"}}
    assert statuses(client, 1, environ_base={"REMOTE_ADDR": "192.0.2.1"}, **claimed) == [429]
    assert statuses(client, 3, environ_base={"REMOTE_ADDR": "127.0.0.1"}, **claimed) == [200, 200, 429]


def test_each_key_has_its_own_quota(limited: Callable[..., FlaskClient], cast: dict[str, dict[str, str]]) -> None:
    client = limited(2, require_api_key=True)
    for name in ("reader", "writer"):
        assert statuses(client, 3, headers=cast[name]) == [200, 200, 429]
    assert statuses(client, 1, headers=cast["reader"], environ_base={"REMOTE_ADDR": "192.0.2.1"}) == [429]


def test_instances_share_the_quota(limited: Callable[..., FlaskClient]) -> None:
    one, other = limited(4), limited(4)
    assert statuses(one, 2) + statuses(other, 2) + statuses(one, 1) + statuses(other, 1) == [200] * 4 + [429] * 2


def test_workers_share_the_quota_exactly(database_url: str, database: Connection, tmp_path: Path) -> None:
    database.execute("DELETE FROM rate_limits")
    with serve(database_url, tmp_path / "log", RATE_LIMIT=f"20/{HOUR}", WEB_CONCURRENCY="2") as service:
        with ThreadPoolExecutor(30) as threads:
            responses = list(threads.map(lambda _: service.call("GET", URL).status, range(60)))
        assert service.call("GET", "/livez").status == 200
    assert (responses.count(200), responses.count(429)) == (20, 40)


def test_a_new_window_starts_after_the_last(limited: Callable[..., FlaskClient], database: Connection) -> None:
    client = limited(2)
    assert statuses(client, 3) == [200, 200, 429]
    database.execute("UPDATE rate_limits SET ends = now()")
    assert statuses(client, 3) == [200, 200, 429]


def test_expired_windows_are_deleted(limited: Callable[..., FlaskClient], database: Connection) -> None:
    client = limited(2)
    assert statuses(client, 3, environ_base={"REMOTE_ADDR": "192.0.2.1"}) == [200, 200, 429]
    assert statuses(client, 1, environ_base={"REMOTE_ADDR": "192.0.2.2"}) == [200]
    database.execute("UPDATE rate_limits SET ends = now() - '1 hour'::interval WHERE subject LIKE '%2.2'")
    rate_limits.prune(client.application.extensions["ticketsvc"].database)
    assert database.execute("SELECT subject FROM rate_limits").fetchall() == [("address 192.0.2.1",)]


def test_without_a_database_each_worker_counts(limited: Callable[..., FlaskClient]) -> None:
    client = limited(3, database_url="postgresql://127.0.0.1:1/x", pool_timeout=0.1)
    assert client.post(f"{URL}classify", json=TICKET).status_code == 200
    problem(client.get(URL), 503)
    assert client.get("/nothing").status_code == 404
    refused = client.post(f"{URL}classify", json=TICKET)
    assert problem(refused, 429)["type"] == "/docs/errors#quota-exceeded"
    assert 0 < int(refused.headers["Retry-After"]) <= HOUR
    other = client.post(f"{URL}classify", json=TICKET, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert other.status_code == 200


def test_with_a_full_pool_each_worker_counts(limited: Callable[..., FlaskClient], database_url: str) -> None:
    client = limited(2, pool_size=1, pool_timeout=0.1, triage_learning=False)
    assert statuses(client, 1) == [200]
    with locked_tickets(database_url) as holder, in_background() as threads:
        blocked = threads.submit(client.application.test_client().get, URL, environ_base={"REMOTE_ADDR": "192.0.2.1"})
        wait_until_blocked(holder)
        classified = [client.post(f"{URL}classify", json=TICKET).status_code for _ in range(3)]
        holder.rollback()
        assert blocked.result().status_code == 200
    assert classified == [200, 429, 429]


def test_the_networks_of_a_site_have_a_common_quota(limited: Callable[..., FlaskClient]) -> None:
    client = limited(1)
    networks = [{"REMOTE_ADDR": f"2001:db8:7:{number:x}::1"} for number in range(SITE_FACTOR + 2)]
    found = [client.get("/nothing", environ_base=network).status_code for network in networks]
    assert found == [404] * SITE_FACTOR + [429] * 2
    assert client.get("/nothing", environ_base={"REMOTE_ADDR": "2001:db8:8::1"}).status_code == 404
