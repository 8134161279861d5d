"""Services whose schemas Citus distributes over nodes (docs/citus.md). Skipped without TEST_CITUS_BIN."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import serve
from tests.support import citus
from tests.support.commands import run
from tests.support.every_route import STEPS, failures, use_every_route
from tests.support.postgres import execute, query
from tests.support.tickets import TICKET
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http import Service
    from ticketsvc_dev.embedded.cluster import Cluster

NODE = "SELECT DISTINCT nodename FROM citus_shards WHERE table_name::text LIKE '{}.%'"
UNCHANGED = "DELETE FROM acme._migration_content WHERE migration_id IN ('functions/ticket_json', 'triggers/counters')"


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Cluster]]:
    """A coordinator and two workers."""
    with citus.running() as nodes:
        yield nodes


@pytest.fixture(scope="module")
def urls(nodes: list[Cluster]) -> dict[str, str]:
    """The URLs of the services `acme` and `beta`, each with its role, on a node each."""
    url = nodes[0].url()
    urls = {schema: citus.distribute(url, schema) for schema in ("acme", "beta")}
    for schema, node in zip(urls, nodes[1:], strict=True):
        move(url, schema, node)
    return urls


@pytest.fixture(scope="module")
def services(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    logs = tmp_path_factory.mktemp("citus")
    with served(urls["acme"], "acme", logs / "acme") as acme, served(urls["beta"], "beta", logs / "beta") as beta:
        yield {"acme": acme, "beta": beta}


def served(url: str, schema: str, log: Path) -> Any:
    settings = {"DATABASE_SCHEMA": schema, "DB_POOLER": "citus", "WEB_CONCURRENCY": "1", "RATE_LIMIT": "100000/60"}
    return serve(url, log, **settings)


def move(url: str, schema: str, node: Cluster) -> None:
    """Move a schema to a node unless it is there."""
    if query(url, NODE.format(schema)) != [(str(node.socket_directory),)]:
        citus.psql(url, "citus_move.sql", schema=schema, node=node.socket_directory, port=5432)
    assert query(url, NODE.format(schema)) == [(str(node.socket_directory),)]


def check(url: str, schema: str) -> None:
    """Check that the counters agree with the tickets, and what `flask doctor` finds."""
    settings = {"DATABASE_URL": url, "DATABASE_SCHEMA": schema, "DB_POOLER": "citus"}
    assert run("flask", "stats", "check", **settings)[0] == 0
    status, printed = run("flask", "doctor", **settings)
    assert (status, "wrong" in printed) == (0, False), printed


def test_every_route_works_with_a_schema_on_each_node(urls: dict[str, str], services: dict[str, Service]) -> None:
    with ThreadPoolExecutor() as threads:
        results = [threads.submit(failures, services[schema], 2) for schema in services]
        assert [result.result() for result in results] == [([], 2 * STEPS)] * 2
    for schema, url in urls.items():
        check(url, schema)
        assert '"level": "error"' not in services[schema].log.read_text()


def test_a_schema_moves_while_it_is_served(
    nodes: list[Cluster], urls: dict[str, str], services: dict[str, Service]
) -> None:
    """There and back, under writers and readers: no request fails, nothing is lost, repeated or out of order."""
    service, ended = services["acme"], Event()
    latest = service.call("GET", "/api/events/?after=latest").headers["X-Last-Event-Id"]

    def write(client: int) -> list[tuple[str, int]]:
        """Create tickets, and change each of them. Returns the id and the last version of each."""
        written: list[tuple[str, int]] = []
        while not ended.is_set():
            ticket = {**TICKET, "title": f"Moved {client}", "category": "billing"}
            created = service.call("POST", "/api/tickets/", ticket, {"Idempotency-Key": f'"{client} {len(written)}"'})
            assert created.status == 201, created.body
            path = created.headers["Location"]
            precondition = {"If-Match": created.headers["ETag"]}
            changed = service.call("PATCH", path, {"priority": "low", "category": "account"}, precondition)
            assert changed.status == 200, changed.body
            commented = service.call("POST", f"{path}/comments/", {"body": "Hello", "author": "ann"})
            assert commented.status == 201, commented.body
            written.append((created.json["id"], 3))
        return written

    def read() -> int:
        reads = 0
        while not ended.is_set():
            for path in ("?search=moved&count=true", "stats/", "?sort=-priority&status=open"):
                response = service.call("GET", f"/api/tickets/{path}")
                assert response.status == 200, response.body
                reads += 1
        return reads

    with ThreadPoolExecutor() as threads:
        writers, reader = [threads.submit(write, client) for client in range(3)], threads.submit(read)
        try:
            for node in (nodes[2], nodes[1], nodes[2]):
                move(nodes[0].url(), "acme", node)
        finally:
            ended.set()
        written = dict(pair for writer in writers for pair in writer.result())
        assert reader.result() > 0
    stored = query(nodes[0].url(), "SELECT id::text, version FROM acme.tickets WHERE title LIKE 'Moved %'")
    assert len(written) > 3
    assert dict(stored) == written
    versions: dict[str, list[int]] = {}
    while events := service.call("GET", f"/api/events/?after={latest}&limit=200").json:
        latest = events[-1]["id"]
        for event in events:
            versions.setdefault(event["ticket_id"], []).append(event["version"])
    assert versions == {ticket: [1, 2, 3] for ticket in written}
    for ticket in list(written)[:20]:
        entries = service.call("GET", f"/api/tickets/{ticket}/history").json
        assert [entry["version"] for entry in entries] == [1, 2, 3]
        assert entries[1]["request_id"]
    check(urls["acme"], "acme")


def test_a_distributed_schema_is_migrated(nodes: list[Cluster], services: dict[str, Service]) -> None:
    """Until sql/citus.sql is run again, a trigger that has changed fails."""
    url = nodes[0].url()
    execute(url, UNCHANGED)
    assert migrations.apply(url, schema="acme") == ["functions/ticket_json", "triggers/counters"]
    citus.psql(url, "citus.sql", role="acme", schema="acme")
    assert [step for step in use_every_route(services["acme"], "migrated") if step[2] != step[3]] == []
