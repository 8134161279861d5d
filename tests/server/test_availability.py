"""A database that is down, slow, full, read-only or not migrated: 503 within a bounded time, then recovery."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.conftest import serve
from tests.support import postgres as servers
from tests.support.locks import TIMEOUT, in_background, locked_tickets, wait_until, wait_until_blocked
from ticketsvc import migrations
from ticketsvc.store import single_flight
from ticketsvc_dev.embedded.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.support.http import Service

    MakeApp = Callable[..., Flask]

URL = "/api/tickets/"
ABSENT = "/api/tickets/01890000-0000-7000-8000-000000000000"
TICKET = {"title": "No connection", "description": "The office has been offline since noon."}
OURS = "FROM pg_stat_activity WHERE application_name = 'ticketsvc' AND datname = current_database()"
TERMINATE_SESSIONS = f"SELECT pg_terminate_backend(pid) {OURS}"

LONG_TIMEOUTS = {"lock_timeout": 300.0, "statement_timeout": 300.0}
"""Settings with which a statement waits for a lock as long as the test holds it."""
LONG_SERVICE_TIMEOUTS = {"DB_LOCK_TIMEOUT": "300", "DB_STATEMENT_TIMEOUT": "300"}
"""The same for a service of the test's own."""


def assert_unavailable(response: TestResponse, says: str = "") -> None:
    problem = response.get_json(force=True)
    assert (response.status_code, response.content_type, problem["status"]) == (503, "application/problem+json", 503)
    assert int(response.headers["Retry-After"]) > 0
    assert says in problem["error"]


def different_pages(count: int) -> list[str]:
    """Return URLs of lists that do not share a query."""
    return [f"{URL}?limit={limit}" for limit in range(1, count + 1)]


# --- a database that is busy


def test_an_exhausted_pool_fails_only_requests_that_need_it(make_app: MakeApp, database_url: str) -> None:
    client = make_app(pool_size=1, pool_timeout=0.3, **LONG_TIMEOUTS).test_client()
    wait_until(lambda: client.get(URL).status_code == 200)  # opens the connection
    with locked_tickets(database_url) as holder, in_background() as threads:
        blocked = threads.submit(lambda: client.get(URL).status_code)
        wait_until_blocked(holder)
        started = time.monotonic()
        assert_unavailable(client.get(URL), "overloaded")
        assert_unavailable(client.post(URL, json=TICKET), "overloaded")
        assert client.get("/readyz").status_code == 200  # on a connection of its own
        assert time.monotonic() - started < TIMEOUT
        others = [client.get("/livez"), client.get(f"{URL}nothing"), client.put(URL), client.post(URL, json={})]
        assert [response.status_code for response in others] == [200, 404, 405, 400]
        assert client.get(f"{URL}?sort=up").status_code == 400
        holder.rollback()
        assert blocked.result() == 200
    assert client.get(URL).status_code == 200


def test_identical_lists_share_one_connection(
    make_app: MakeApp, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_flight, "MAX_WAIT_SECONDS", 300)
    app = make_app(pool_size=1, pool_timeout=0.3, **LONG_TIMEOUTS)
    wait_until(lambda: app.test_client().get(URL).status_code == 200)  # opens the connection
    with locked_tickets(database_url) as holder, in_background() as threads:
        calls = [threads.submit(lambda: app.test_client().get(URL).status_code) for _ in range(10)]
        wait_until_blocked(holder)
        time.sleep(1)  # longer than pool_timeout
        assert_unavailable(app.test_client().get(f"{URL}?limit=7"), "overloaded")
        assert not any(call.done() for call in calls)
        holder.rollback()
        assert [call.result() for call in calls] == [200] * 10


def test_requests_beyond_the_pool_queue_are_503_at_once(make_app: MakeApp, database_url: str) -> None:
    app = make_app(pool_size=1, pool_timeout=300, **LONG_TIMEOUTS)
    with locked_tickets(database_url) as holder, in_background() as threads:
        first = threads.submit(lambda: app.test_client().get(URL).status_code)
        wait_until_blocked(holder)
        pool = app.extensions["ticketsvc"].database.pool
        pool.max_waiting = 2
        waiting = [threads.submit(app.test_client().get, url) for url in different_pages(2)]
        wait_until(lambda: pool.get_stats()["requests_waiting"] == 2)
        started = time.monotonic()
        assert_unavailable(app.test_client().get(URL), "overloaded")
        assert time.monotonic() - started < TIMEOUT
        holder.rollback()
        assert [first.result(), *[call.result().status_code for call in waiting]] == [200] * 3


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({**LONG_TIMEOUTS, "statement_timeout": 1.0}, "took too long"),
        ({**LONG_TIMEOUTS, "lock_timeout": 0.3}, "conflicting transaction"),
    ],
)
def test_a_statement_or_lock_timeout_is_503(
    make_app: MakeApp, database_url: str, settings: dict[str, Any], says: str
) -> None:
    client = make_app(**settings).test_client()
    with locked_tickets(database_url):
        assert_unavailable(client.get(URL), says)
        assert_unavailable(client.post(URL, json=TICKET), says)
        assert_unavailable(client.patch(ABSENT, json={"status": "closed"}), says)
        assert_unavailable(client.delete(ABSENT), says)
        assert_unavailable(client.get(f"{URL}stats/"), says)
    wait_until(lambda: client.get(URL).get_json() == [])


FAIL_FIRST = """
CREATE SEQUENCE attempts;
CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('attempts') <= {failures} THEN
        RAISE EXCEPTION 'serialization failure' USING ERRCODE = '{sqlstate}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fail_first BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION fail_first()
"""


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_serialization_failure_is_retried(make_app: MakeApp, own_url: str, sqlstate: str) -> None:
    servers.execute(own_url, FAIL_FIRST.format(failures=3, sqlstate=sqlstate))
    client = make_app(database_url=own_url).test_client()
    assert client.post(URL, json=TICKET).status_code == 201
    assert len(client.get(URL).get_json()) == 1


def test_a_lasting_serialization_failure_is_503(make_app: MakeApp, own_url: str) -> None:
    servers.execute(own_url, FAIL_FIRST.format(failures=1000, sqlstate="40001"))
    assert_unavailable(make_app(database_url=own_url).test_client().post(URL, json=TICKET), "conflicting transaction")


# --- a database that refuses


def test_a_read_only_database_serves_reads_and_fails_writes(make_app: MakeApp, own_url: str) -> None:
    client = make_app(database_url=own_url).test_client()
    path = client.post(URL, json=TICKET).headers["Location"]
    servers.execute(
        own_url, f"ALTER DATABASE {servers.name_of(own_url)} SET default_transaction_read_only = on", TERMINATE_SESSIONS
    )
    client = make_app(database_url=own_url).test_client()
    for write in (client.post(URL, json=TICKET), client.patch(path, json={"title": "x"}), client.delete(path)):
        assert_unavailable(write, "read-only")
    for read in (URL, path, f"{URL}?search=noon", f"{URL}stats/"):
        assert client.get(read).status_code == 200
    assert client.get(path).get_json()["version"] == 1
    assert client.get("/readyz").status_code == 200  # reads are better than nothing, as on a standby


def test_a_role_that_may_only_read_serves_reads_and_fails_writes(make_app: MakeApp, own_url: str) -> None:
    path = make_app(database_url=own_url).test_client().post(URL, json=TICKET).headers["Location"]
    url = servers.guest(own_url, privileges="SELECT")
    client = make_app(database_url=url).test_client()
    for write in (client.post(URL, json=TICKET), client.patch(path, json={"title": "x"}), client.delete(path)):
        assert_unavailable(write, "privilege")
    for read in (URL, path, f"{URL}?search=noon", f"{URL}stats/"):
        assert client.get(read).status_code == 200
    assert_unavailable(client.get("/readyz"), "may not change tickets")


def test_a_database_without_the_schema_is_503(make_app: MakeApp, new_database: Callable[[], str]) -> None:
    url = new_database()
    client = make_app(database_url=url).test_client()
    responses = [
        client.get(URL),
        client.post(URL, json=TICKET),
        client.patch(ABSENT, json={}),
        client.get(f"{URL}stats/"),
        client.get("/readyz"),
    ]
    for response in responses:
        assert_unavailable(response, "flask migrate")
    assert client.get("/livez").status_code == 200
    migrations.apply(url)
    assert [client.get("/readyz").status_code, client.post(URL, json=TICKET).status_code] == [200, 201]


def test_readyz_is_503_while_a_migration_is_pending(make_app: MakeApp, own_url: str) -> None:
    (latest, *_) = sorted(migrations.expected_ids(), reverse=True)
    servers.execute(own_url, f"DELETE FROM _yoyo_migration WHERE migration_id = '{latest}'")
    response = make_app(database_url=own_url).test_client().get("/readyz")
    assert_unavailable(response, "flask migrate")
    assert latest in response.get_json(force=True)["error"]


def test_readyz_is_200_on_the_schema_of_a_newer_release(make_app: MakeApp, own_url: str) -> None:
    servers.execute(own_url, "INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999_newer')")
    assert make_app(database_url=own_url).test_client().get("/readyz").status_code == 200


def test_no_free_connection_in_postgres_is_503(make_app: MakeApp, own_url: str) -> None:
    url = servers.guest(own_url, connections=1)
    client = make_app(database_url=url, pool_timeout=0.5).test_client()
    with psycopg.connect(url):
        started = time.monotonic()
        assert_unavailable(client.get(URL), "overloaded")
        assert time.monotonic() - started < TIMEOUT
    wait_until(lambda: client.get(URL).status_code == 200)


def test_a_database_that_does_not_exist_is_503(make_app: MakeApp, database_url: str) -> None:
    url = database_url.replace(servers.name_of(database_url), "no_such_database")
    client = make_app(database_url=url, pool_timeout=0.5).test_client()
    assert_unavailable(client.get(URL))
    assert_unavailable(client.get("/readyz"))


def test_a_database_server_that_never_responds_is_503(make_app: MakeApp) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"postgresql://ann:secret@127.0.0.1:{silent.getsockname()[1]}/tickets"
        client = make_app(database_url=url, pool_timeout=0.5).test_client()
        started = time.monotonic()
        assert_unavailable(client.get(URL))
        assert time.monotonic() - started < TIMEOUT
        assert client.get("/livez").status_code == 200


# --- a database that fails and recovers


def fill_pool(service: Service, url: str, size: int) -> None:
    """Make the service open all connections of its pool."""
    with locked_tickets(url) as holder, in_background() as threads:
        calls = [threads.submit(service.call, "GET", url) for url in different_pages(size)]
        wait_until_blocked(holder, size)
        holder.rollback()
        assert [call.result().status for call in calls] == [200] * size


def test_terminated_idle_sessions_fail_no_request(own_url: str, tmp_path: Path) -> None:
    with (
        serve(own_url, tmp_path / "log", WEB_CONCURRENCY="1", DB_POOL_SIZE="8", **LONG_SERVICE_TIMEOUTS) as service,
        psycopg.connect(own_url, autocommit=True) as database,
    ):
        for _ in range(3):
            fill_pool(service, own_url, 8)
            assert len(database.execute(TERMINATE_SESSIONS.encode()).fetchall()) == 8
            wait_until(lambda: database.execute(f"SELECT {OURS}".encode()).fetchall() == [])
            started = time.monotonic()
            statuses = [service.call("POST", URL, TICKET).status for _ in range(20)]
            assert time.monotonic() - started < TIMEOUT
            assert statuses == [201] * 20


def test_a_session_terminated_mid_statement_fails_only_writes(
    service: Service, database_url: str, database: psycopg.Connection[Any]
) -> None:
    with locked_tickets(database_url) as holder, in_background() as threads:
        reader, writer = threads.submit(service.call, "GET", URL), threads.submit(service.call, "POST", URL, TICKET)
        wait_until_blocked(holder, 2)
        database.execute(TERMINATE_SESSIONS.encode())
        wait_until(writer.done)
        holder.rollback()
        assert (reader.result().status, writer.result().status) == (200, 503)
        assert writer.result().headers["Retry-After"]
    assert service.call("POST", URL, TICKET).status == 201


def test_the_service_recovers_after_a_database_restart(tmp_path: Path) -> None:
    with servers.server(cluster_class=Cluster) as cluster:
        url = servers.create_database(cluster)
        migrations.apply(url)
        with serve(url, tmp_path / "log", DB_POOL_TIMEOUT="1.5", DB_POOL_SIZE="5", **LONG_SERVICE_TIMEOUTS) as service:
            fill_pool(service, url, 5)
            cluster.stop()
            for method, path, body in [("GET", URL, None), ("POST", URL, TICKET), ("GET", "/readyz", None)] * 2:
                started = time.monotonic()
                response = service.call(method, path, body)
                assert (response.status, response.headers["Content-Type"]) == (503, "application/problem+json")
                assert int(response.headers["Retry-After"]) > 0
                assert time.monotonic() - started < TIMEOUT
            assert service.call("GET", "/livez").status == 200
            cluster.start(servers.SETTINGS)
            started = time.monotonic()
            wait_until(lambda: [service.call("GET", URL).status for _ in range(10)] == [200] * 10)
            assert time.monotonic() - started < TIMEOUT
            assert service.call("POST", URL, TICKET).status == 201
