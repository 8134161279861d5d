"""Several services in one database, each in a schema of its own (docs/tenants.md)."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import ROOT, serve
from tests.support.commands import run
from tests.support.every_route import STEPS, failures, use_every_route
from tests.support.locks import wait_until
from tests.support.postgres import create_database, execute, name_of, program_files, query
from tests.support.tickets import TICKET
from ticketsvc import migrations
from ticketsvc.application import create_app
from ticketsvc.config import Config
from ticketsvc.migrations import RetryPolicy, session
from ticketsvc.store.postgres import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

    from tests.support.http import Response, Service
    from ticketsvc_dev.embedded.cluster import Cluster

    Send = Callable[..., Response]

INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = '{}'::regnamespace AND relkind = 'r' ORDER BY 1"
ADVISORY = "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
KEY = "00000000-0000-0000-0000-000000000001"
CORRECTED = """
    INSERT INTO {0}.tickets (title, description, category, suggested_category, category_confidence, suggested_by)
    VALUES ('Cannot pay', '-', 'billing', 'technical', 0.5, 'lexicon')
"""


def psql(url: str, *arguments: str) -> None:
    """Run psql with the password of the service's roles in its environment."""
    environment = {**os.environ, "SERVICE_PASSWORD": "it's secret"}
    command = [str(program_files() / "psql"), url, "--quiet", "--set", "ON_ERROR_STOP=1", *arguments]
    subprocess.run(command, env=environment, check=True, timeout=60)


def documented(heading: str) -> list[str]:
    """Return the commands of a section of docs/tenants.md."""
    section = (ROOT / "docs" / "tenants.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\$ (.*)$", section, re.MULTILINE)


@pytest.fixture(scope="module")
def url(migrated_database: Callable[[], str]) -> str:
    """A database with a service in `public`, and two others, `acme` and `beta`, that have roles of their own."""
    url = migrated_database()
    indexes = query(url, INDEXES)
    with ThreadPoolExecutor() as threads:
        applied = [*threads.map(lambda schema: migrations.apply(url, schema=schema), ("acme", "beta", "acme"))]
    assert sorted(map(bool, applied)) == [False, True, True]
    assert query(url, INDEXES) == indexes
    for schema in ("acme", "beta"):
        psql(url, "--set", f"role={schema}", "--set", f"schema={schema}", "--file", str(ROOT / "sql/service_role.sql"))
    return url


@pytest.fixture(scope="module")
def services(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    """The services `acme` and `beta`, as their roles."""
    settings = {"REQUIRE_API_KEY": "on", "RATE_LIMIT": "100000/60", "WEB_CONCURRENCY": "1"}
    logs = tmp_path_factory.mktemp("tenants")
    with (
        serve(as_role(url, "acme"), logs / "acme", DATABASE_SCHEMA="acme", **settings) as acme,
        serve(as_role(url, "beta"), logs / "beta", DATABASE_SCHEMA="beta", **settings) as beta,
    ):
        yield {"acme": acme, "beta": beta}


def as_role(url: str, role: str) -> str:
    return url.replace("user=postgres", f"user={role}")


def add_key(url: str, schema: str) -> str:
    """Create an API key of a service and return it."""
    status, printed = run("flask", "keys", "add", "ann", "--scope", "admin", DATABASE_URL=url, DATABASE_SCHEMA=schema)
    assert status == 0, printed
    return printed.splitlines()[0]


@pytest.fixture(scope="module")
def keys(url: str) -> dict[str, str]:
    """An API key of each service. They have the same name."""
    return {schema: add_key(url, schema) for schema in ("acme", "beta")}


@pytest.fixture(scope="module")
def send(services: dict[str, Service], keys: dict[str, str]) -> Send:
    """A function that sends a request to the service of a schema, with its key."""

    def send(schema: str, method: str, path: str, body: object = None, key: str = "", **headers: str) -> Response:
        authorization = {"Authorization": f"Bearer {keys[key or schema]}"}
        return services[schema].call(method, path, body, authorization | headers)

    return send


@pytest.fixture
def make_app(url: str) -> Iterator[Callable[..., Flask]]:
    """A function that creates an application for the database with the given settings."""
    made: list[Flask] = []

    def make(**settings: object) -> Flask:
        made.append(create_app(Config(database_url=url, **settings)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for app in made:
        app.extensions["ticketsvc"].database.close()


# --- the schema


def test_a_schema_has_what_the_usual_one_has(url: str) -> None:
    acme, public = definitions(url, "acme"), definitions(url, "public")
    assert len(acme) > 1000
    assert acme == public


def definitions(url: str, schema: str) -> list[str]:
    """Return the lines with which pg_dump creates what is in a schema, without the names of schemas."""
    command = [f"{program_files()}/pg_dump", "--schema-only", "--no-privileges", "--no-owner", "--schema", schema, url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    text = re.sub(r"^(--|\\|CREATE SCHEMA|COMMENT ON SCHEMA).*\n|^\n|\b(acme|public)\.", "", text, flags=re.MULTILINE)
    return re.sub("(SET search_path TO) .*", r"\1", text).splitlines()


def test_schemas_are_migrated_at_the_same_time(url: str) -> None:
    with session.migration_lock(url, "acme", RetryPolicy(), print):
        assert migrations.apply(url, schema="new", policy=RetryPolicy(lock_wait=0))
        execute(url, "DELETE FROM acme._migration_content WHERE migration_id = 'functions/rfc3339'")
        with pytest.raises(migrations.MigrationError, match="Another process"):
            migrations.apply(url, schema="acme", policy=RetryPolicy(lock_wait=0))
    assert migrations.apply(url, schema="acme") == ["functions/rfc3339"]
    execute(url, "DROP SCHEMA new CASCADE")
    assert query(url, "SELECT count(*) FROM pg_extension WHERE extname IN ('pg_trgm', 'btree_gin')") == [(2,)]


def test_no_lock_is_shared(url: str) -> None:
    """Each statement that takes an advisory lock, in open transactions of both."""
    create = queries.load("tickets.create_idempotent")
    parameters = [f"%({name})s" for name in create.parameters]
    text = re.sub(r"\$(\d+)", lambda number: parameters[int(number[1]) - 1], create.text.replace("%", "%%"))
    values = dict.fromkeys(create.parameters) | {"title": "a", "description": "b", "category": "general"}
    values |= {"priority": "low", "key_hash": KEY, "body_hash": KEY}
    held: list[set[object]] = []
    with psycopg.connect(url) as first, psycopg.connect(url) as second:
        for connection, schema in ((first, "acme"), (second, "beta")):
            connection.execute(
                "SELECT set_config('search_path', %s, true), set_config('lock_timeout', '60s', true)", [schema]
            )
            assert connection.execute(text.encode(), values).fetchall()[0][0] == "created"
            connection.execute(CORRECTED.format(schema).encode())
            connection.execute("SELECT publish_events(10), apply_count_deltas(1)")
            held.append(set(connection.execute(ADVISORY).fetchall()))
            assert connection.execute("SELECT count(*) FROM events").fetchone() == (2,)
        first.rollback()
        second.rollback()
    shared = {(7598253, 3)}  # not exclusively
    assert all(len(locks - shared) >= 4 for locks in held)  # more where a create is the one of 256 that merges counters
    assert held[0] & held[1] == shared


# --- the service


def test_every_route_serves_one_schema(url: str, services: dict[str, Service], keys: dict[str, str]) -> None:
    before = query(url, "SELECT count(*) FROM public.event_outbox")
    with ThreadPoolExecutor() as threads:
        results = [threads.submit(failures, services[schema], 2, 1, keys[schema]) for schema in services]
        assert [result.result() for result in results] == [([], 2 * STEPS)] * 2
    assert query(url, "SELECT count(*) FROM public.event_outbox") == before
    for schema in services:
        assert query(url, f"SELECT count(*) > 0 FROM {schema}.ticket_history") == [(True,)]
        assert query(url, f"SELECT sum(used) > {STEPS} FROM {schema}.rate_limits") == [(True,)]
        assert '"level": "error"' not in services[schema].log.read_text()
        settings = {"DATABASE_URL": url, "DATABASE_SCHEMA": schema}
        assert run("flask", "stats", "check", **settings)[0] == 0
        status, printed = run("flask", "doctor", **settings)
        assert (status, f"schema {schema} as postgres" in printed) == (0, True), printed
    found = query(url, "SELECT DISTINCT application_name FROM pg_stat_activity WHERE usename IN ('acme', 'beta')")
    assert {("ticketsvc acme",), ("ticketsvc beta",)} == set(found)


def test_services_know_nothing_of_each_other(send: Send) -> None:
    once = {"Idempotency-Key": '"once"'}
    acme, beta = (send(schema, "POST", "/api/tickets/", TICKET, **once).json for schema in ("acme", "beta"))
    assert acme["id"] != beta["id"]
    assert send("acme", "POST", "/api/tickets/", TICKET, **once).json["id"] == acme["id"]
    assert send("acme", "GET", f"/api/tickets/{beta['id']}").status == 404
    assert send("acme", "GET", "/api/tickets/", key="beta").status == 401
    assert [ticket["id"] for ticket in send("acme", "GET", "/api/tickets/?search=password").json] == [acme["id"]]
    assert send("acme", "GET", "/api/tickets/stats/").json["total_tickets"] == 1
    latest = send("acme", "GET", "/api/events/?after=latest").headers["X-Last-Event-Id"]
    send("beta", "PATCH", f"/api/tickets/{beta['id']}", {"status": "resolved"})
    assert send("acme", "GET", f"/api/events/?after={latest}").json == []
    assert send("acme", "GET", "/api/events/", key="beta").status == 401
    for schema, ticket in (("acme", acme), ("beta", beta)):
        assert send(schema, "DELETE", f"/api/tickets/{ticket['id']}").status == 204


def test_a_missing_schema_is_not_replaced_by_another(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_schema="missing").test_client()
    for path in ("/api/tickets/", "/readyz"):
        response = client.get(path)
        assert response.status_code == 503
        assert "flask migrate" in response.get_json()["detail"]
    assert client.post("/api/tickets/", json=TICKET).status_code == 503


def test_a_role_that_finds_another_schema_is_refused(url: str, make_app: Callable[..., Flask]) -> None:
    """With DB_POOLER=transaction the schema is a setting of the role."""
    settings = {"DATABASE_URL": url, "DATABASE_SCHEMA": "acme", "DB_POOLER": "transaction"}
    client = make_app(database_schema="acme", db_pooler="transaction", pool_timeout=0.5).test_client()
    for path in ("/api/tickets/", "/readyz"):
        response = client.get(path)
        assert response.status_code == 503
        assert "flask role-settings" in response.get_json()["detail"]
    status, printed = run("flask", "doctor", **settings)
    assert (status, "search_path of the role is not acme" in printed) == (1, True), printed
    try:
        execute(url, *run("flask", "role-settings", **settings)[1].splitlines())
        assert run("flask", "doctor", **settings)[0] == 0
        wait_until(lambda: client.get("/readyz").status_code == 200)  # its pool tries to connect again
        wait_until(lambda: client.get("/api/tickets/").status_code == 200)  # so does that
        response = client.post("/api/tickets/", json=TICKET)
        assert query(url, "SELECT id::text FROM acme.tickets") == [(response.get_json()["id"],)]
        assert client.delete(response.headers["Location"]).status_code == 204
    finally:
        execute(url, f"ALTER ROLE postgres IN DATABASE {name_of(url)} RESET ALL")


# --- backup and move, the last test: it removes a schema


def test_a_service_moves_to_another_database(
    url: str, postgres: Cluster, send: Send, keys: dict[str, str], tmp_path: Path
) -> None:
    target = create_database(postgres)
    ticket = send("acme", "POST", "/api/tickets/", TICKET).json
    events = send("acme", "GET", "/api/events/")
    variables = {"PATH": f"{program_files()}:{os.environ['PATH']}", "MIGRATE_DATABASE_URL": url, "RESTORED": target}
    stop_writes, end_sessions, remove = documented("Move one service to another database")
    copy = documented("Back up and restore one service")
    assert len(copy) == 4

    def do(*commands: str) -> None:
        script = "\n".join(commands).replace("sql/service_role.sql", f"{ROOT}/sql/service_role.sql")
        subprocess.run(["sh", "-euc", script], env=variables, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)

    do(stop_writes, end_sessions)
    assert send("acme", "POST", "/api/tickets/", TICKET).status == 503
    assert send("acme", "GET", f"/api/tickets/{ticket['id']}").json == ticket
    do(*copy)
    assert query(target, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    do(remove)
    settings = {"DATABASE_SCHEMA": "acme", "REQUIRE_API_KEY": "on", "WEB_CONCURRENCY": "1"}
    with serve(as_role(target, "acme"), tmp_path / "log", **settings) as moved:
        headers = {"Authorization": f"Bearer {keys['acme']}"}
        assert moved.call("GET", f"/api/tickets/{ticket['id']}", headers=headers).json == ticket
        after = events.headers["X-Last-Event-Id"]
        changed = moved.call("PATCH", f"/api/tickets/{ticket['id']}", {"priority": "low"}, headers)
        assert changed.status == 200
        following = moved.call("GET", f"/api/events/?after={after}", headers=headers).json
        assert [(event["ticket_id"], event["version"]) for event in following] == [(ticket["id"], 2)]
        steps = [*use_every_route(moved, "moved", keys["acme"])]
        assert [step for step in steps if step[2] != step[3]] == []
    assert run("flask", "stats", "check", DATABASE_URL=target, DATABASE_SCHEMA="acme")[0] == 0
    assert query(url, "SELECT to_regnamespace('acme')") == [(None,)]
