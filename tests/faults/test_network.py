"""A bad network between the service and PostgreSQL, made by a proxy on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.conftest import serve
from tests.faults.conftest import bad_network
from tests.support.locks import in_background, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.proxy import Proxy
    from tests.support.http import Service
    from tests.support.tickets import Connection
    from ticketsvc.dev.embedded.cluster import Cluster

URL = "/api/tickets/"
TICKET = {"title": "No line", "description": "It crackles.", "category": "technical", "priority": "low"}


@pytest.fixture(scope="module")
def line(
    postgres: Cluster, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Proxy]]:
    """The service with one connection over a bad network, and the network."""
    log = tmp_path_factory.mktemp("network") / "log"
    settings = {"WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "1", "DB_STATEMENT_TIMEOUT": "1", "DB_POOL_TIMEOUT": "1"}
    with bad_network(postgres, database_url) as (network, url), serve(url, log, **settings) as service:
        yield service, network


@pytest.fixture
def service(line: tuple[Service, Proxy], clean: None) -> Iterator[Service]:
    """That service, on an empty table; afterwards the network is good again, and the service finds it so."""
    service, network = line
    wait_until(lambda: service.call("GET", URL).status == 200)
    yield service
    network.delay, network.piece, network.takes_requests, network.passes_answers = 0.0, 65_536, True, True
    network.reset()
    wait_until(lambda: [service.call("GET", URL).status for _ in range(10)] == [200] * 10)


@pytest.fixture
def network(line: tuple[Service, Proxy]) -> Proxy:
    return line[1]


def count(database: Connection) -> object:
    row = database.execute("SELECT count(*) FROM tickets").fetchone()
    return row and row[0]


def test_answers_that_come_late_and_in_small_pieces_are_whole(service: Service, network: Proxy) -> None:
    texts = {"title": "Ü" * 200, "description": "crackle " * 100}
    network.delay, network.piece = 0.002, 16
    made = service.call("POST", URL, TICKET | texts)
    assert (made.status, made.json["title"]) == (201, texts["title"])
    assert service.call("GET", URL).json[0]["description"] == texts["description"].strip()


def test_a_slow_line_fails_nothing(service: Service, network: Proxy) -> None:
    network.delay = 0.1
    statuses = [service.call("POST", URL, TICKET).status, service.call("GET", URL).status]
    assert statuses == [201, 200]


@pytest.mark.parametrize(("has_key", "status"), [(True, 201), (False, 503)])
def test_a_line_cut_after_the_commit_makes_no_second_ticket(
    service: Service, network: Proxy, database: Connection, has_key: bool, status: int
) -> None:
    """With a key the service finds its own ticket; without one nobody can know, and it says so."""
    headers = {"Idempotency-Key": str(uuid4())} if has_key else {}
    first = {"Idempotency-Key": str(uuid4())} if has_key else {}
    assert service.call("POST", URL, TICKET, first).status == 201, "the statement is prepared from now on"
    network.passes_answers = False
    with in_background() as threads:
        call = threads.submit(service.call, "POST", URL, TICKET, headers)
        wait_until(lambda: count(database) == 2)
        network.reset()
        network.passes_answers = True
        answer = call.result()
    assert answer.status == status
    assert count(database) == 2
    if has_key:
        again = service.call("POST", URL, TICKET, headers)
        assert (again.status, again.body) == (201, answer.body)
        assert count(database) == 2
    else:
        assert answer.headers["Retry-After"]


def test_lines_that_are_reset_cost_nothing(service: Service, network: Proxy, database: Connection) -> None:
    for _ in range(10):
        network.reset()
        headers = {"Idempotency-Key": str(uuid4())}
        assert service.call("POST", URL, TICKET, headers).status == 201
        network.reset()
        assert service.call("GET", URL).status == 200
    assert count(database) == 10


@pytest.mark.parametrize("switch", ["takes_requests", "passes_answers"])
def test_a_line_that_falls_silent_is_given_up(service: Service, network: Proxy, switch: str) -> None:
    """Nothing says that it is dead: no reset, no end. Only the service's own patience helps."""
    setattr(network, switch, False)
    with in_background() as threads:
        calls = [threads.submit(service.call, "GET", URL, timeout=60) for _ in range(4)]
        assert service.call("GET", "/livez").status == 200
        answers: list[Any] = [call.result() for call in calls]
    assert {answer.status for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    setattr(network, switch, True)
    started = time.monotonic()
    wait_until(lambda: [service.call("GET", URL).status for _ in range(10)] == [200] * 10)
    print(f"back {time.monotonic() - started:.1f} s after the line")


def test_a_new_line_that_is_silent_is_given_up(
    postgres: Cluster, database_url: str, tmp_path: Path, clean: None
) -> None:
    settings = {"WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "2", "DB_POOL_TIMEOUT": "1", "DB_STATEMENT_TIMEOUT": "1"}
    with bad_network(postgres, database_url) as (network, url):
        network.passes_answers = False
        with serve(url, tmp_path / "log", **settings) as service:
            assert service.call("GET", URL).status == 503
            assert service.call("GET", "/readyz").status == 503
            assert service.call("GET", "/livez").status == 200
            network.passes_answers = True
            wait_until(lambda: service.call("GET", URL).status == 200)
