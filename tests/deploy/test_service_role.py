"""The role of the service: sql/service_role.sql grants what serving needs and nothing more."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import ROOT, serve
from tests.support.commands import run
from tests.support.every_route import STEPS, failures
from tests.support.postgres import execute, name_of, program_files, query
from tests.support.tickets import TICKET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def role_url(own_url: str) -> Iterator[str]:
    """The URL of a migrated database for a new role of the service."""
    role = f"service_{name_of(own_url)}"
    for _ in range(2):  # it is run again after each release
        create(own_url, role)
    yield own_url.replace("user=postgres", f"user={role}")
    execute(own_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def create(url: str, role: str) -> None:
    """Run the file as its header says."""
    subprocess.run(
        [program_files() / "psql", url, "--quiet", "--set", f"role={role}", "--file", ROOT / "sql/service_role.sql"],
        env={**os.environ, "SERVICE_PASSWORD": "it's secret"},
        check=True,
        timeout=60,
    )


def test_every_route_works_with_the_grants(own_url: str, role_url: str, tmp_path: Path) -> None:
    status, key = run(
        "flask", "keys", "add", "ann", "--scope", "admin", DATABASE_URL=role_url, MIGRATE_DATABASE_URL=own_url
    )
    assert status == 0, key
    settings = {"REQUIRE_API_KEY": "on", "RATE_LIMIT": "100000/60"}
    key = key.splitlines()[0]
    with serve(role_url, tmp_path / "log", **settings) as service:
        failed, done = failures(service, clients=4, rounds=3, key=key)
        headers = {"Authorization": f"Bearer {key}"}
        ticket = service.call("POST", "/api/tickets/", TICKET, headers).json
        corrected = {"category": "general" if ticket["category"] == "billing" else "billing"}
        assert service.call("PATCH", f"/api/tickets/{ticket['id']}", corrected, headers).status == 200
    assert failed == []
    assert done == 4 * 3 * STEPS
    assert '"level": "error"' not in service.log.read_text()
    query(role_url, "SELECT apply_count_deltas(100000)")  # as about every 256th writer does
    for table in ("triage_text_counts", "ticket_history", "ticket_totals", "rate_limits"):
        assert query(own_url, f"SELECT count(*) > 0 FROM {table}") == [(True,)], table
    assert query(own_url, "SELECT last_used_at IS NOT NULL FROM api_keys") == [(True,)]
    status, printed = run("flask", "doctor", DATABASE_URL=role_url, **settings)
    assert status == 0, printed
    assert "warning" not in printed
    assert run("flask", "stats", "check", DATABASE_URL=own_url)[0] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE tickets",
        "ALTER TABLE tickets ADD COLUMN more text",
        "ALTER TABLE tickets DISABLE TRIGGER ALL",
        "TRUNCATE tickets",
        "CREATE TABLE more (n integer)",
        "CREATE OR REPLACE FUNCTION ticket_json(t tickets) RETURNS json RETURN NULL",
        "INSERT INTO api_keys (name, scope, hash) VALUES ('eve', 'admin', 'x')",
        "UPDATE api_keys SET scope = 'admin'",
        "DELETE FROM api_keys",
        "DELETE FROM ticket_history",
        "DELETE FROM _yoyo_migration",
        "UPDATE triage_training SET cutoff = now()",
        "DELETE FROM ticket_totals",
        "SELECT * FROM pg_authid",
        "CREATE ROLE eve",
        "SET ROLE postgres",
        "COPY tickets TO PROGRAM 'cat'",
    ],
)
def test_nothing_else_is_granted(role_url: str, statement: str) -> None:
    with psycopg.connect(role_url, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())
