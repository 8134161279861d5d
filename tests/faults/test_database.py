"""PostgreSQL in the way: real deadlocks, serialization failures, a full disk."""

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
from tests.support.locks import in_background, wait_until
from tests.support.tickets import file_ticket, problem
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

    from ticketsvc.dev.embedded.cluster import Cluster

    MakeApp = Callable[..., Flask]

URL = "/api/tickets/"


def alter(url: str, name: str, value: str) -> None:
    """Change a setting of a database for the sessions to come."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(f"ALTER DATABASE {database.info.dbname} SET {name} = '{value}'".encode())


def test_a_deadlock_is_run_again(make_app: MakeApp, own_url: str) -> None:
    """Somebody holds what the change needs last and wants what it has; the change is what Postgres ends."""
    alter(own_url, "deadlock_timeout", "3s")
    client = make_app(database_url=own_url, lock_timeout=30.0).test_client()
    path = URL + file_ticket(client)["id"]
    with (
        psycopg.connect(own_url) as other,
        psycopg.connect(own_url, autocommit=True) as database,
        in_background() as threads,
    ):
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("LOCK TABLE ticket_texts IN EXCLUSIVE MODE")
        call = threads.submit(client.patch, path, json={"title": "New"})
        wait_until(lambda: database.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() is not None)
        other.execute("SELECT FROM tickets FOR UPDATE")
        other.commit()
        answer = call.result()
        assert (answer.status_code, answer.get_json()["version"]) == (200, 2)
        ended = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        wait_until(lambda: database.execute(ended).fetchone() == (1,))


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_what_is_not_serializable_is_run_again_or_503(make_app: MakeApp, own_url: str, level: str) -> None:
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
    """A migrated database on a small file system, and where that is; PostgreSQL's log is elsewhere."""
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
        with psycopg.connect(cluster.url(), autocommit=True) as database:
            database.execute(f"CREATE TABLESPACE small LOCATION '{place}'".encode())
            database.execute("CREATE DATABASE small TABLESPACE small")
        migrations.apply(cluster.url("small"))
        yield cluster.url("small"), place
    finally:
        cluster.stop()
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_on_a_full_disk_writes_are_503_all_or_nothing_and_reading_goes_on(make_app: MakeApp) -> None:
    with servers.server() as cluster, small_disk(cluster, 48) as (url, place):
        app = make_app(database_url=url)
        client = app.test_client()
        texts = {"title": "Full", "description": "Kept.", "category": "billing", "priority": "low"}
        first = client.post(URL, json=texts).get_json()
        made, ballast = [first["id"]], place / "ballast"
        with psycopg.connect(url, autocommit=True) as database:
            fill(ballast, leave=1_000_000)
            while (
                answer := client.post(URL, json=big(), headers={"Idempotency-Key": str(uuid4())})
            ).status_code == 201:
                made.append(answer.get_json()["id"])
            for failed in (
                answer,
                client.post(URL, json=big()),
                imported(client),
                client.patch(URL + made[0], json=big()),
            ):
                assert "no room" in problem(failed, 503)["error"]
                assert int(failed.headers["Retry-After"]) > 0
            assert_whole(app, database, made)
            assert client.get(URL + made[0]).get_json() == first
            ballast.unlink()
            assert client.post(URL, json=big()).status_code == 201
            assert client.patch(URL + made[0], json=big()).get_json()["version"] == 2
        app.extensions["ticketsvc"].database.close()


def fill(file: Path, leave: int) -> None:
    """Write a file that leaves so many bytes of its file system."""
    free = os.statvfs(file.parent)
    with file.open("wb") as output:
        output.write(bytes(free.f_bavail * free.f_bsize - leave))


def big() -> dict[str, str]:
    """A ticket that finds no gap on a page."""
    return {"title": "Full", "description": secrets.token_hex(20_000), "category": "billing", "priority": "low"}


def imported(client: Any) -> Any:
    lines = "\n".join(f'{{"title": "Line {n}", "description": "{secrets.token_hex(20_000)}"}}' for n in range(100))
    return client.post(f"{URL}import/", data=lines, content_type="application/x-ndjson")


def assert_whole(app: Flask, database: psycopg.Connection[Any], made: list[str]) -> None:
    """Exactly these tickets are there, in the list, in the search, in the figures, in the history and in a file."""
    client = app.test_client()
    figures = client.get(f"{URL}stats/").get_json()
    assert figures["total_tickets"] == figures["category_breakdown"]["billing"] == len(made)
    assert figures["priority_breakdown"]["low"] == len(made)
    assert client.get(f"{URL}?count=true&search=full&limit=1").headers["X-Total-Count"] == str(len(made))
    assert len(client.get(f"{URL}export/").get_data().splitlines()) == len(made)
    assert {ticket["id"] for ticket in client.get(f"{URL}?limit=500").get_json()} == set(made)
    assert [entry["event"] for entry in client.get(f"{URL}{made[0]}/history").get_json()] == ["created"]
    assert database.execute("SELECT count(*) FROM ticket_texts").fetchone() == (len(made),)
    assert database.execute("SELECT count(*) FROM idempotency_records").fetchone() == (len(made) - 1,)
