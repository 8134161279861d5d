"""Errors of PostgreSQL: real deadlocks, serialization failures, a full disk."""

from __future__ import annotations

import os
import secrets
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.support import postgres as servers
from tests.support.locks import in_background, wait_until, waiting_sessions
from tests.support.tickets import URL, count_rows, file_ticket, problem
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

    from tests.support.tickets import Connection
    from ticketsvc_dev.embedded.cluster import Cluster

    MakeApp = Callable[..., Flask]

# With it a PATCH waits for two advisory locks, one after the other, while it holds the row's lock.
WAIT_TWICE = """
    CREATE FUNCTION wait_twice() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(1);
        PERFORM pg_advisory_xact_lock(2);
        RETURN NEW;
    END $$
"""
TRIGGER = "CREATE TRIGGER wait_twice BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION wait_twice()"


def alter(url: str, name: str, value: str) -> None:
    """Change a setting of a database for the sessions to come."""
    servers.execute(url, f"ALTER DATABASE {servers.name_of(url)} SET {name} = '{value}'")


def test_a_deadlock_is_run_again(make_app: MakeApp, own_url: str) -> None:
    """PostgreSQL ends the session that closes the circle of waiting sessions, which here is the service's.

    The PATCH holds the row and waits for lock 1. Another session holds lock 2 and waits for the row. Then lock 1 is
    released, and the PATCH waits for lock 2.
    """
    servers.execute(own_url, WAIT_TWICE, TRIGGER)
    client = make_app(database_url=own_url, lock_timeout=60.0, statement_timeout=60.0).test_client()
    path = URL + file_ticket(client)["id"]
    with (
        psycopg.connect(own_url) as gate,
        psycopg.connect(own_url) as other,
        psycopg.connect(own_url, autocommit=True) as database,
        in_background() as threads,
    ):
        gate.execute("SELECT pg_advisory_xact_lock(1)")
        other.execute("SET deadlock_timeout = '300s'")
        other.execute("SELECT pg_advisory_xact_lock(2)")
        request = threads.submit(client.patch, path, json={"title": "New"})
        wait_until(lambda: waiting_sessions(database) == 1)
        holder = threads.submit(other.execute, "SELECT FROM tickets FOR UPDATE")
        wait_until(lambda: waiting_sessions(database) == 2)
        gate.commit()
        holder.result()
        other.commit()
        response = request.result()
        assert (response.status_code, response.get_json()["version"]) == (200, 2)
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        wait_until(lambda: database.execute(deadlocks).fetchone() == (1,))


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_serialization_failure_is_run_again_or_503(make_app: MakeApp, own_url: str, level: str) -> None:
    alter(own_url, "default_transaction_isolation", level)
    app = make_app(database_url=own_url)
    path = URL + file_ticket(app.test_client())["id"]

    def change(number: int) -> int:
        return app.test_client().patch(path, json={"title": f"Number {number}"}).status_code

    with in_background() as threads:
        statuses = list(threads.map(change, range(60)))
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) > 0
    assert app.test_client().get(path).get_json()["version"] == 1 + statuses.count(200)


# --- a full disk


@contextmanager
def small_disk(cluster: Cluster, megabytes: int) -> Iterator[tuple[str, Path]]:
    """Create a migrated database on a small file system; yield its URL and the directory. The WAL is elsewhere."""
    place = cluster.directory / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        if cluster.account:
            os.chown(place, cluster.account.user, cluster.account.group)
        servers.execute(
            cluster.url(), f"CREATE TABLESPACE small LOCATION '{place}'", "CREATE DATABASE small TABLESPACE small"
        )
        migrations.apply(cluster.url("small"))
        yield cluster.url("small"), place
    finally:
        cluster.stop()
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_on_a_full_disk_writes_are_503_and_reads_work(make_app: MakeApp) -> None:
    """A write that fails leaves nothing in tickets, statistics, search, history or idempotency keys."""
    with servers.server() as cluster, small_disk(cluster, 48) as (url, place):
        app = make_app(database_url=url)
        client = app.test_client()
        texts = {"title": "Full", "description": "Kept.", "category": "billing", "priority": "low"}
        first = client.post(URL, json=texts).get_json()
        made, ballast = [first["id"]], place / "ballast"
        with psycopg.connect(url, autocommit=True) as database:
            fill(ballast, leave=1_000_000)
            while (
                response := client.post(URL, json=big(), headers={"Idempotency-Key": str(uuid4())})
            ).status_code == 201:
                made.append(response.get_json()["id"])
            for failed in (
                response,
                client.post(URL, json=big()),
                import_many(client),
                client.patch(URL + made[0], json=big()),
            ):
                assert "out of disk space" in problem(failed, 503)["error"]
                assert int(failed.headers["Retry-After"]) > 0
            assert_complete(app, database, made)
            assert client.get(URL + made[0]).get_json() == first
            ballast.unlink()
            assert client.post(URL, json=big()).status_code == 201
            assert client.patch(URL + made[0], json=big()).get_json()["version"] == 2
        app.extensions["ticketsvc"].database.close()


def fill(file: Path, leave: int) -> None:
    """Write a file that leaves this number of bytes of its file system."""
    free = os.statvfs(file.parent)
    with file.open("wb") as output:
        output.write(bytes(free.f_bavail * free.f_bsize - leave))


def big() -> dict[str, str]:
    """Return a ticket that fits in no gap on a page."""
    return {"title": "Full", "description": secrets.token_hex(20_000), "category": "billing", "priority": "low"}


def import_many(client: Any) -> Any:
    lines = "\n".join(f'{{"title": "Line {n}", "description": "{secrets.token_hex(20_000)}"}}' for n in range(100))
    return client.post(f"{URL}import/", data=lines, content_type="application/x-ndjson")


def assert_complete(app: Flask, database: Connection, made: list[str]) -> None:
    """Check that the list, the search, the statistics, the history and an export have these tickets and no others."""
    client = app.test_client()
    statistics = client.get(f"{URL}stats/").get_json()
    assert statistics["total_tickets"] == statistics["category_breakdown"]["billing"] == len(made)
    assert statistics["priority_breakdown"]["low"] == len(made)
    assert client.get(f"{URL}?count=true&search=full&limit=1").headers["X-Total-Count"] == str(len(made))
    assert len(client.get(f"{URL}export/").get_data().splitlines()) == len(made)
    assert {ticket["id"] for ticket in client.get(f"{URL}?limit=500").get_json()} == set(made)
    assert [entry["event"] for entry in client.get(f"{URL}{made[0]}/history").get_json()] == ["created"]
    assert count_rows(database, "ticket_texts") == len(made)
    assert count_rows(database, "idempotency_records") == len(made) - 1
