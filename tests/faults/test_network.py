"""A bad network between the service and PostgreSQL, made by a proxy on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.conftest import serve
from tests.faults.conftest import bad_network
from tests.support.locks import in_background, wait_until
from tests.support.tickets import LABELS, TICKET, URL, count_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.proxy import Proxy
    from tests.support.http import Service
    from tests.support.tickets import Connection
    from ticketsvc_dev.embedded.cluster import Cluster

CREATE = TICKET | LABELS
SHORT_TIMEOUTS = {"DB_STATEMENT_TIMEOUT": "1", "DB_POOL_TIMEOUT": "1"}


@pytest.fixture(scope="module")
def connected(
    postgres: Cluster, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Proxy]]:
    """The service with one connection over a bad network, and the network."""
    log = tmp_path_factory.mktemp("network") / "log"
    settings = {"WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "1"}
    with bad_network(postgres, database_url) as (network, url), serve(url, log, **settings) as service:
        yield service, network


@pytest.fixture
def service(connected: tuple[Service, Proxy], clean: None) -> Iterator[Service]:
    """That service, on an empty table; afterwards the network is good again."""
    service, network = connected
    wait_until(lambda: serves(service))
    yield service
    network.delay, network.piece, network.passes_requests, network.passes_responses = 0.0, 65_536, True, True
    network.reset()


@pytest.fixture
def network(connected: tuple[Service, Proxy]) -> Proxy:
    return connected[1]


def serves(service: Service) -> bool:
    """Return whether ten requests in a row succeed."""
    return all(service.call("GET", URL).status == 200 for _ in range(10))


def test_delayed_and_split_responses_arrive_whole(service: Service, network: Proxy) -> None:
    texts = {"title": "Ü" * 200, "description": "crackle " * 100}
    network.delay, network.piece = 0.002, 16
    made = service.call("POST", URL, CREATE | texts)
    assert (made.status, made.json["title"]) == (201, texts["title"])
    assert service.call("GET", URL).json[0]["description"] == texts["description"].strip()


def test_a_slow_network_fails_no_request(service: Service, network: Proxy) -> None:
    network.delay = 0.1
    statuses = [service.call("POST", URL, CREATE).status, service.call("GET", URL).status]
    assert statuses == [201, 200]


@pytest.mark.parametrize(("has_key", "status"), [(True, 201), (False, 503)])
def test_a_connection_reset_after_commit_makes_no_second_ticket(
    service: Service, network: Proxy, database: Connection, has_key: bool, status: int
) -> None:
    """With a key the service finds its own ticket; without one it cannot know whether the ticket was stored."""
    headers = {"Idempotency-Key": str(uuid4())} if has_key else {}
    first = {"Idempotency-Key": str(uuid4())} if has_key else {}
    assert service.call("POST", URL, CREATE, first).status == 201, "the statement is prepared from now on"
    network.passes_responses = False
    with in_background() as threads:
        request = threads.submit(service.call, "POST", URL, CREATE, headers)
        wait_until(lambda: count_rows(database) == 2)
        network.reset()
        network.passes_responses = True
        response = request.result()
    assert response.status == status
    assert count_rows(database) == 2
    if has_key:
        again = service.call("POST", URL, CREATE, headers)
        assert (again.status, again.body) == (201, response.body)
        assert count_rows(database) == 2
    else:
        assert response.headers["Retry-After"]


def test_reset_connections_fail_no_request(service: Service, network: Proxy, database: Connection) -> None:
    for _ in range(10):
        network.reset()
        headers = {"Idempotency-Key": str(uuid4())}
        assert service.call("POST", URL, CREATE, headers).status == 201
        network.reset()
        assert service.call("GET", URL).status == 200
    assert count_rows(database) == 10


@pytest.mark.parametrize("switch", ["passes_requests", "passes_responses"])
def test_a_silent_connection_is_given_up(
    postgres: Cluster, database_url: str, clean: None, tmp_path: Path, switch: str
) -> None:
    """Nothing says that it is dead: no reset, no end. Only the service's own timeout helps."""
    settings = {"WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "1", **SHORT_TIMEOUTS}
    with (
        bad_network(postgres, database_url) as (network, url),
        serve(url, tmp_path / "log", **settings) as service,
        in_background() as threads,
    ):
        wait_until(lambda: serves(service))
        setattr(network, switch, False)
        requests = [threads.submit(service.call, "GET", URL) for _ in range(4)]
        assert service.call("GET", "/livez").status == 200
        responses = [request.result() for request in requests]
        assert {response.status for response in responses} == {503}
        assert all(int(response.headers["Retry-After"]) > 0 for response in responses)
        setattr(network, switch, True)
        started = time.monotonic()
        wait_until(lambda: serves(service))
        print(f"recovered {time.monotonic() - started:.1f} s after the network")


def test_a_silent_connection_attempt_is_given_up(
    postgres: Cluster, database_url: str, tmp_path: Path, clean: None
) -> None:
    settings = {"WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "2", **SHORT_TIMEOUTS}
    with bad_network(postgres, database_url) as (network, url):
        network.passes_responses = False
        with serve(url, tmp_path / "log", **settings) as service:
            assert service.call("GET", URL).status == 503
            assert service.call("GET", "/readyz").status == 503
            assert service.call("GET", "/livez").status == 200
            network.passes_responses = True
            wait_until(lambda: service.call("GET", URL).status == 200)
