"""flask doctor: each check against a real server, and its advice."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.commands import run
from tests.support.postgres import create_database, execute, guest
from ticketsvc import migrations
from ticketsvc.commands import doctor
from ticketsvc.commands.doctor import Finding, Verdict
from ticketsvc.config import Config, RateLimit
from ticketsvc.store import health
from ticketsvc.store.postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_httpserver import HTTPServer

    from ticketsvc.store.health import Server
    from ticketsvc_dev.embedded.cluster import Cluster

KEY = "sk-planted-key"
AWAY = "postgresql://ann:hunter2@127.0.0.1:1/tickets"
UNVERIFIED = ["postgresql://ann@db.example/x", "postgresql://ann@localhost,db/x?sslmode=require"]


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """Return the facts about the tests' own server."""
    with closing(Database(Config(database_url=database_url))) as database:
        yield health.server(database)


def findings(url: str, **settings: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit status of `flask doctor --json` and the last finding of each check."""
    status, printed = run("flask", "doctor", "--json", DATABASE_URL=url, **settings)
    return status, {finding["check"]: finding for finding in json.loads(printed)}


# --- the command


def test_it_works(own_url: str) -> None:
    status, printed = run("flask", "doctor", DATABASE_URL=own_url)
    assert status == 0, printed
    lines = printed.splitlines()
    checks = ["settings", "pooler", "version", "encoding", "clock", "connections", "autovacuum", "privileges"]
    assert [line.split()[1] for line in lines if not line.startswith(" ")] == [
        *checks,
        "extensions",
        "migrations",
        "counters",
        "model",
    ]
    assert max(map(len, lines)) <= 170


def test_json_output(own_url: str) -> None:
    status, found = findings(own_url)
    assert status == 0
    assert found["migrations"] == {"check": "migrations", "verdict": "ok", "found": "All are applied.", "advice": ""}


def test_unreachable_database_is_reported() -> None:
    status, found = findings(AWAY, DB_POOL_TIMEOUT="0.3")
    assert (status, found["database"]["verdict"]) == (1, "wrong")
    assert "DATABASE_URL" in found["database"]["advice"]
    assert "hunter2" not in str(found)


def test_database_without_tables_is_reported(new_database: Callable[[], str]) -> None:
    status, found = findings(new_database())
    assert (status, found["migrations"]["verdict"]) == (1, "wrong")
    assert re.fullmatch(r"Pending: 0001_tickets, .* and \d+ more\.", found["migrations"]["found"])
    assert found["migrations"]["advice"] == "Run `flask migrate`."
    assert found["extensions"]["verdict"] == "warning"
    assert "counters" not in found


def test_edited_migration_is_reported(own_url: str) -> None:
    execute(own_url, "UPDATE _migration_content SET sha256 = 'x' WHERE migration_id = '0003_triage_examples'")
    assert migrations.edited(own_url) == ["0003_triage_examples"]
    status, found = findings(own_url)
    assert (status, found["migrations"]["verdict"]) == (1, "wrong")
    assert found["migrations"]["found"] == "Edited after they were applied: 0003_triage_examples."


def test_role_with_few_privileges_is_reported(own_url: str) -> None:
    name = conninfo_to_dict(own_url)["dbname"]
    role = f"limited_{name}"
    execute(
        own_url,
        f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 3",
        f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "DROP EXTENSION btree_gin CASCADE",
    )
    try:
        parts = conninfo_to_dict(own_url)
        limited = f"postgresql:///{name}?host={parts['host']}&port={parts.get('port', 5432)}&user={role}"
        status, found = findings(limited)
    finally:
        execute(own_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    assert status == 1
    assert found["connections"]["verdict"] == "wrong"
    assert "the server allows 3." in found["connections"]["found"]
    assert found["privileges"]["advice"] == f'GRANT TEMPORARY ON DATABASE "{name}" TO "{role}".'
    assert found["extensions"]["advice"] == "Ask an administrator to run: CREATE EXTENSION btree_gin;"


def test_negative_counters_are_reported(own_url: str) -> None:
    execute(own_url, "INSERT INTO ticket_totals VALUES ('billing', 'low', 'open', -1)")
    status, found = findings(own_url)
    assert (status, found["counters"]["advice"]) == (1, "Run `flask stats rebuild`.")


def test_read_only_database_is_reported(own_url: str) -> None:
    name = conninfo_to_dict(own_url)["dbname"]
    execute(own_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    status, found = findings(own_url)
    assert (status, found["privileges"]["found"]) == (
        1,
        "The database is read-only: writes fail, uses of keys are not recorded, workers count requests alone.",
    )


def test_a_role_that_may_only_read_is_reported(own_url: str) -> None:
    status, printed = run("flask", "doctor", DATABASE_URL=guest(own_url, privileges="SELECT"))
    assert status == 1
    assert "may not create, change and delete tickets" in printed
    assert "Run sql/service_role.sql with --set role=" in printed


# --- settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cors_origins": ("*",)}, "CORS_ORIGINS=* without keys"),
        ({"trusted_proxies": ("*",), "rate_limit": RateLimit(1, 1)}, "FORWARDED_ALLOW_IPS=*"),
        ({"lock_timeout": 20.0}, "DB_LOCK_TIMEOUT is not below DB_STATEMENT_TIMEOUT"),
        ({"openai_base_url": "http://x"}, "OPENAI_BASE_URL without OPENAI_API_KEY"),
        *(({"database_url": url}, "DATABASE_URL leads to another machine") for url in UNVERIFIED),
        ({"read_database_url": UNVERIFIED[0]}, "READ_DATABASE_URL leads to another machine"),
    ],
)
def test_contradictory_settings_are_reported(settings: dict[str, object], said: str) -> None:
    config = replace(Config(database_url=AWAY), **settings)  # type: ignore[arg-type]
    [warning, fine] = doctor.settings(config)
    assert warning.verdict is Verdict.WARNING
    assert warning.found.startswith(said)
    assert warning.advice
    assert fine.verdict is Verdict.FINE


@pytest.mark.parametrize(
    "url",
    [
        "embedded:var/x",
        "postgresql:///x?host=/tmp",
        "postgresql://a@[::1],127.0.0.1/x",
        f"{UNVERIFIED[0]}?sslmode=verify-full",
    ],
)
def test_verified_servers_and_those_of_this_machine_are_accepted(url: str) -> None:
    assert [finding.verdict for finding in doctor.settings(Config(database_url=url))] == [Verdict.FINE]


def test_compatible_settings_are_accepted() -> None:
    config = Config(database_url=AWAY, cors_origins=("*",), require_api_key=True)
    assert [finding.verdict for finding in doctor.settings(config)] == [Verdict.FINE]


# --- the server


@pytest.mark.parametrize(
    ("number", "verdict"),
    [(140_012, Verdict.WRONG), (150_000, Verdict.FINE), (180_006, Verdict.FINE), (190_000, Verdict.WARNING)],
)
def test_version_of_postgres_is_checked(server: Server, number: int, verdict: Verdict) -> None:
    finding = doctor.version(server._replace(version=number))
    assert_advises(finding, verdict)


@pytest.mark.parametrize(("ahead", "verdict"), [(0, Verdict.FINE), (-60, Verdict.WARNING), (60, Verdict.WARNING)])
def test_clock_difference_is_checked(server: Server, ahead: float, verdict: Verdict) -> None:
    assert_advises(doctor.clock(server, server.now + ahead), verdict)


@pytest.mark.parametrize(("room", "verdict"), [(21, Verdict.WRONG), (43, Verdict.WARNING), (44, Verdict.FINE)])
def test_number_of_connections_is_checked(server: Server, room: int, verdict: Verdict) -> None:
    config = Config(database_url=AWAY, workers=2, pool_size=8, bulk_calls=2)
    given = server._replace(max_connections=room + 5, reserved_connections=5, role_limit=-1)
    assert_advises(doctor.connections(config, given), verdict)


def test_another_encoding_is_reported(postgres: Cluster) -> None:
    status, found = findings(create_database(postgres, "template0", "ENCODING 'LATIN1' LOCALE 'C'"))
    assert status == 1
    assert found["encoding"]["verdict"] == "wrong"
    assert "LATIN1" in found["encoding"]["found"]
    assert "ENCODING 'UTF8'" in found["encoding"]["advice"]


def test_autovacuum_is_checked(server: Server) -> None:
    assert_advises(doctor.autovacuum(server), Verdict.FINE)
    assert_advises(doctor.autovacuum(server._replace(autovacuum=False)), Verdict.WRONG)


def test_extensions_are_checked(server: Server) -> None:
    may, may_not = server._replace(may_create=True), server._replace(may_create=False)
    assert_advises(doctor.extensions(may, {}), Verdict.FINE)
    assert_advises(doctor.extensions(may, {"pg_trgm": True}), Verdict.WARNING)
    assert_advises(doctor.extensions(may_not, {"pg_trgm": True}), Verdict.WRONG)
    assert "lacks pg_trgm" in assert_advises(doctor.extensions(may, {"pg_trgm": False}), Verdict.WRONG).found


def test_missing_extension_files_are_reported(database_url: str) -> None:
    with closing(Database(Config(database_url=database_url))) as database:
        assert health.missing_extensions(database, ["pg_trgm", "no_such_thing"]) == {"no_such_thing": False}


def test_permission_for_temporary_tables_is_checked(server: Server) -> None:
    [finding] = doctor.privileges(server._replace(may_temp=False, read_only=False, is_superuser=False))
    assert "GRANT TEMPORARY" in assert_advises(finding, Verdict.WRONG).advice


def test_a_superuser_is_reported_unless_the_server_is_embedded(server: Server) -> None:
    [warning] = doctor.privileges(server)
    assert "superuser" in assert_advises(warning, Verdict.WARNING).found
    for given in (doctor.privileges(server, is_embedded=True), doctor.privileges(server._replace(is_superuser=False))):
        [finding] = given
        assert_advises(finding, Verdict.FINE)


def test_unmerged_deltas_are_reported() -> None:
    assert_advises(doctor.counters(health.Counted(False, 10)), Verdict.FINE)
    assert_advises(doctor.counters(health.Counted(False, 1_000_000)), Verdict.WARNING)


# --- the model


def test_missing_model_is_accepted() -> None:
    assert_advises(doctor.model(Config(database_url=AWAY)), Verdict.FINE)


def test_model_that_responds_is_accepted(httpserver: HTTPServer) -> None:
    labels = {"category": "account", "priority": "high", "category_confidence": 0.9, "priority_confidence": 0.8}
    content = json.dumps({**labels, "category_reasons": [], "priority_reasons": []})
    message = {"role": "assistant", "content": content, "refusal": None}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    completion = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": choices}
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion)
    config = Config(
        database_url=AWAY, openai_api_key=KEY, openai_base_url=httpserver.url_for("/v1"), openai_timeout=20.0
    )
    assert_advises(doctor.model(config), Verdict.FINE)


def test_rejected_model_key_is_reported(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json({"error": {"message": KEY}}, status=401)
    config = Config(
        database_url=AWAY, openai_api_key=KEY, openai_base_url=httpserver.url_for("/v1"), openai_timeout=20.0
    )
    finding = assert_advises(doctor.model(config), Verdict.WARNING)
    assert "status 401" in finding.found
    assert KEY not in str(finding)


def assert_advises(finding: Finding, verdict: Verdict) -> Finding:
    """Check the verdict, and that each finding but a fine one has advice."""
    assert finding.verdict is verdict
    assert bool(finding.advice) == (verdict is not Verdict.FINE)
    return finding
