"""PgBouncer between the service and PostgreSQL: what works, what is reported, and that no setting reaches others."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import serve
from tests.support import poolers
from tests.support.commands import run
from tests.support.every_route import STEPS, failures
from tests.support.locks import wait_until
from tests.support.postgres import execute, name_of, query
from ticketsvc.config import Config
from ticketsvc.problems import Unavailable
from ticketsvc.store.postgres import pooler, queries
from ticketsvc.store.postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ticketsvc_dev.embedded.cluster import Cluster

    Start = Callable[..., AbstractContextManager[str]]

SESSION = poolers.documented("ini", "pool_mode = session")
TRANSACTION = poolers.documented("ini", "pool_mode = transaction")
UNPREPARED = TRANSACTION.replace("max_prepared_statements = 500\n", "")  # versions before 1.21 do not know it
POOL = 6
SETTINGS = "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' AND name NOT LIKE '%.%'"
"""Without the name that PgBouncer keeps for each client, and without those of libraries that are loaded when used."""
ADVISORY_LOCKS = """
SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
WHERE locktype = 'advisory' AND datname = current_database()
"""
NOT_PREPARED = "does not support prepared statements"
NO_TRANSACTIONS = "is in statement mode"


@pytest.fixture
def start(postgres: Cluster, own_url: str) -> Start:
    """A function that runs a PgBouncer (is_current, configuration, settings) and returns the URL through it."""

    def start(is_current: bool, configuration: str, **settings: object) -> AbstractContextManager[str]:
        return poolers.pgbouncer(postgres, own_url, poolers.program(is_current), configuration, **settings)

    return start


@pytest.fixture
def with_role_settings(own_url: str) -> None:
    """The role has the settings that `flask role-settings` prints."""
    status, printed = run("flask", "role-settings", DATABASE_URL=own_url)
    assert status == 0, printed
    execute(own_url, *printed.splitlines())


def settings_of_sessions(url: str, number: int) -> set[tuple[str, str]]:
    """Return the settings of this number of sessions of a pooler, which other clients of it get."""
    with ExitStack() as stack:
        found = set()
        for _ in range(number):
            connection = stack.enter_context(closing(psycopg.connect(url)))  # in a transaction: keeps its session
            found.update(connection.execute(SETTINGS.encode()).fetchall())
    return found


def findings(url: str, **settings: str) -> tuple[int, dict[str, str]]:
    """Return the exit status of `flask doctor` and its finding about the pooler."""
    status, printed = run("flask", "doctor", "--json", DATABASE_URL=url, **settings)
    return status, next(finding for finding in json.loads(printed) if finding["check"] == "pooler")


# --- what works


@pytest.mark.parametrize("is_current", [False, True], ids=["old", "current"])
def test_session_mode_works_and_no_setting_leaks(start: Start, tmp_path: Path, is_current: bool) -> None:
    with start(is_current, SESSION) as url, serve(url, tmp_path / "log", READ_DATABASE_URL=url) as service:
        before = settings_of_sessions(url, 1)
        failed, done = failures(service, clients=8)
        assert failed == []
        assert done == 8 * STEPS
        with closing(Database(Config(database_url=url))) as database:
            assert not database.check_pooler()
        assert settings_of_sessions(url, 10) - before == set()
        assert findings(url)[1]["verdict"] == "ok"


@pytest.mark.usefixtures("with_role_settings")
def test_transaction_mode_works_and_no_setting_leaks(start: Start, tmp_path: Path) -> None:
    with (
        start(True, TRANSACTION, default_pool_size=POOL) as url,
        serve(url, tmp_path / "log", DB_POOLER="transaction", READ_DATABASE_URL=url) as service,
    ):
        before = settings_of_sessions(url, 1)
        assert ("statement_timeout", "15000") in before
        failed, done = failures(service, clients=8)
        assert failed == []
        assert done == 8 * STEPS
        assert settings_of_sessions(url, POOL) - before == set()
        assert findings(url, DB_POOLER="transaction")[1]["verdict"] == "ok"


@pytest.mark.usefixtures("with_role_settings")
def test_a_statement_that_postgres_rejects_costs_one_request(start: Start, own_url: str) -> None:
    missing = queries.parse("test.missing", "-- Returns nothing.\nSELECT 1 FROM missing", int)
    config = Config(database_url="", db_pooler="transaction", pool_size=1)
    with (
        start(True, TRANSACTION) as url,
        closing(Database(Config(**{**vars(config), "database_url": url}))) as database,
    ):
        for _ in range(3):
            with pytest.raises(Unavailable, match="flask migrate"):
                database.rows(missing)
        execute(own_url, "CREATE VIEW missing AS SELECT 1")
        assert database.rows(missing) == [1]
        assert database.pool.get_stats()["connections_num"] == 1


def test_imports_and_exports_have_their_settings_for_one_transaction(own_url: str) -> None:
    execute(own_url, f"ALTER DATABASE {name_of(own_url)} SET jit = on")
    with (
        closing(Database(Config(database_url=own_url))) as database,
        database.dedicated_connection(60, enable_sort="off") as connection,
    ):
        inside = dict(connection.execute(SETTINGS.encode()).fetchall())
        connection.execute("ROLLBACK")
        after = set(connection.execute(SETTINGS.encode()).fetchall())
    assert inside["statement_timeout"] == inside["idle_in_transaction_session_timeout"] == "60000"
    assert (inside["lock_timeout"], inside["enable_sort"], inside["jit"]) == ("3000", "off", "off")
    assert after - settings_of_sessions(own_url, 1) == set()


def test_an_export_does_not_wait_for_a_full_pooler(start: Start, own_url: str, tmp_path: Path) -> None:
    limits = {"default_pool_size": 1, "query_wait_timeout": 600}
    with (
        start(False, SESSION, **limits) as url,
        serve(url, tmp_path / "log", BULK_CALLS="1", DB_POOL_TIMEOUT="0.5", WEB_CONCURRENCY="1") as service,
        closing(psycopg.connect(url)) as other,
    ):
        other.execute("SELECT 1")
        for _ in range(2):
            response = service.call("GET", "/api/tickets/export/")
            assert response.status == 503
            assert "unreachable" in response.json["detail"]  # not that too many exports are running


# --- what does not work is reported


@pytest.mark.parametrize(
    ("is_current", "settings", "said"),
    [
        (False, {}, NOT_PREPARED),
        (False, {"server_round_robin": 1}, NOT_PREPARED),
        (False, {"pool_mode": "statement"}, NO_TRANSACTIONS),
        (True, {"max_prepared_statements": 0}, NOT_PREPARED),
        (True, {"pool_mode": "statement", "max_prepared_statements": 9}, NO_TRANSACTIONS),
    ],
)
def test_a_pooler_that_cannot_work_is_reported_everywhere(
    start: Start, tmp_path: Path, is_current: bool, settings: dict[str, object], said: str
) -> None:
    with (
        start(is_current, UNPREPARED, default_pool_size=POOL, **settings) as url,
        serve(url, tmp_path / "log") as service,
    ):
        wait_until(lambda: said in service.log.read_text())
        status, finding = findings(url)
        assert (status, finding["verdict"]) == (1, "wrong")
        assert said in finding["found"]

        def is_reported() -> bool:
            response = service.call("GET", "/readyz")
            return response.status == 503 and said in response.json.get("detail", "")

        wait_until(lambda: all(is_reported() for _ in range(8)))  # by both workers: the other one may still be checking
        responses = [service.call("GET", "/api/tickets/?limit=1") for _ in range(20)]
        assert {response.status for response in responses} <= {200, 503}
        responses = [service.call("POST", "/api/tickets/", {"title": "a", "description": "b"}) for _ in range(20)]
        assert {response.status for response in responses} <= {201, 503}
        assert service.call("GET", "/livez").status == 200


def test_settings_that_leak_are_reported(start: Start) -> None:
    with start(True, TRANSACTION) as url:
        status, finding = findings(url)
        assert (status, finding["verdict"]) == (1, "wrong")
        assert "DB_POOLER=transaction" in finding["advice"]


def test_a_role_without_the_settings_is_reported(start: Start, own_url: str) -> None:
    with start(True, TRANSACTION) as url:
        status, finding = findings(url, DB_POOLER="transaction")
    assert (status, finding["verdict"]) == (1, "wrong")
    assert "flask role-settings" in finding["advice"]
    assert "lock_timeout" in finding["found"]


@pytest.mark.usefixtures("with_role_settings")
def test_a_role_with_older_settings_is_reported(own_url: str) -> None:
    _, finding = findings(own_url, DB_POOLER="transaction", DB_STATEMENT_TIMEOUT="20")
    assert finding["found"] == "The role lacks the settings statement_timeout."
    assert findings(own_url, DB_POOLER="transaction")[1]["verdict"] == "ok"


def test_direct_connections_are_never_taken_for_a_pooler(own_url: str) -> None:
    connect = partial(psycopg.connect, own_url, autocommit=True)
    assert {pooler.detect(connect) for _ in range(20)} == {(False, "")}


# --- migrations


@pytest.mark.parametrize(("is_current", "settings"), [(True, {}), (False, {}), (False, {"pool_mode": "statement"})])
def test_migrate_refuses_a_shared_session(
    postgres: Cluster,
    new_database: Callable[[], str],
    is_current: bool,
    settings: dict[str, object],
) -> None:
    empty = new_database()
    program = poolers.program(is_current)
    with poolers.pgbouncer(postgres, empty, program, UNPREPARED, **settings) as url:
        status, printed = run("flask", "migrate", DATABASE_URL=url)
        assert (status, "MIGRATE_DATABASE_URL" in printed, poolers.PASSWORD in printed) == (1, True, False), printed
        assert query(empty, "SELECT to_regclass('tickets')") == [(None,)]
        assert query(empty, ADVISORY_LOCKS) == [(0,)]
        status, printed = run("flask", "migrate", DATABASE_URL=url, MIGRATE_DATABASE_URL=empty)
        assert status == 0, printed
        assert run("flask", "keys", "list", DATABASE_URL=url, MIGRATE_DATABASE_URL=empty)[0] == 0
