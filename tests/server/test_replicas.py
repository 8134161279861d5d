"""Reads on a replica: what it serves, what a client has written, and a replica that lags, hangs or is gone."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest

from tests.support.locks import wait_until
from tests.support.postgres import create_database, execute, name_of, query, server
from tests.support.replicas import replica
from ticketsvc import migrations
from ticketsvc.application import create_app
from ticketsvc.config import Config
from ticketsvc.server import metrics
from ticketsvc.store.postgres import replica as replicas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient

    from ticketsvc_dev.embedded.cluster import Cluster

URL = "/api/tickets/"
TICKET = {"title": "No connection", "description": "The office has been offline since noon.", "category": "technical"}
LSN = "X-Tickets-LSN"
SETTINGS = "-c fsync=off -c full_page_writes=off -c autovacuum_naptime=1d"
"""Not synchronous_commit=off, with which the log is sent up to 0.2 s late."""
WHEN_BEHIND = 3600.0


class Pair(NamedTuple):
    """A primary and its replica, each with its database."""

    primary: Cluster
    replica: Cluster
    url: str
    read_url: str

    def pause(self) -> None:
        """Let the replica replay nothing more."""
        execute(self.read_url, "SELECT pg_wal_replay_pause()")
        wait_until(lambda: query(self.read_url, "SELECT pg_get_wal_replay_pause_state()") == [("paused",)])

    def resume(self) -> None:
        """Let the replica replay again, and wait until it has what the primary has."""
        execute(self.read_url, "SELECT pg_wal_replay_resume()")
        [(written,)] = query(self.url, "SELECT pg_current_wal_insert_lsn()")
        wait_until(lambda: query(self.read_url, f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == [(True,)])


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with server(SETTINGS) as primary, replica(primary) as standby:
        url = create_database(primary)
        migrations.apply(url)
        found = Pair(primary, standby, url, standby.url(name_of(url)))
        found.resume()
        yield found


@pytest.fixture
def client(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A client of an application that uses the replica, however far that lags."""
    monkeypatch.setattr(replicas, "MAX_LAG_SECONDS", WHEN_BEHIND)
    app = create_app(Config(database_url=pair.url, read_database_url=pair.read_url))
    client = app.test_client()
    wait_until(lambda: served_by(lambda: client.get(URL)) == {"replica"})
    yield client
    app.extensions["ticketsvc"].replicas.close()
    app.extensions["ticketsvc"].database.close()


def outcomes() -> dict[str, float]:
    """Return how many statements of reads this process has run, by outcome."""
    [metric] = metrics.REPLICA_READS.collect()
    return {s.labels["outcome"]: s.value for s in metric.samples if s.name.endswith("_total")}


def served_by(work: Callable[[], object]) -> set[str]:
    """Return the outcomes of the reads that a function makes."""
    before = outcomes()
    work()
    return {name for name, count in outcomes().items() if count > before[name]}


def create(client: FlaskClient) -> tuple[str, str]:
    """Create a ticket; return its id and the position in the response."""
    response = client.post(URL, json=TICKET)
    assert response.status_code == 201
    return response.get_json()["id"], response.headers[LSN]


READS = (
    *("?limit=500", "?search=office&limit=500", "?count=true&limit=500", "?sort=-updated_at&limit=500"),
    *("stats/", "stats/?status=open", "stats/daily/", "stats/resolution/", "stats/response/", "stats/triage/"),
    "export/",
)
NOT_READS = ("{id}", "{id}/history", "{id}/comments/", "../events/")


def test_the_replica_serves_lists_searches_statistics_and_exports_and_nothing_else(client: FlaskClient) -> None:
    ticket, position = create(client)
    for path in READS:
        headers = {LSN: position} if path != "export/" else {}
        assert served_by(lambda: client.get(URL + path, headers=headers)) == {"replica"}, path
    for path in NOT_READS:
        assert served_by(lambda: client.get(URL + path.format(id=ticket), headers={LSN: position})) == set(), path
    assert served_by(lambda: client.patch(f"{URL}?dry_run=true&status=open", json={"status": "closed"})) == set()
