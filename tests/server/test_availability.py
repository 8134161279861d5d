"""A database that is away, slow, full, read-only or not migrated: 503 within a bounded time, and back by itself."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.conftest import serve
from tests.support import postgres as servers
from tests.support.locks import in_background, locked_tickets, wait_until, wait_until_blocked
from ticketsvc import migrations
from ticketsvc.store import single_flight

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
END_SESSIONS = f"SELECT pg_terminate_backend(pid) {OURS}"


def assert_unavailable(answer: TestResponse, says: str = "") -> None:
    problem = answer.get_json(force=True)
    assert (answer.status_code, answer.content_type, problem["status"]) == (503, "application/problem+json", 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert says in problem["error"]


def different_pages(count: int) -> list[str]:
    """Lists that do not share a query."""
    return [f"{URL}?limit={limit}" for limit in range(1, count + 1)]


# --- a database that is busy


def test_with_no_connection_free_only_what_needs_one_is_503(make_app: MakeApp, database_url: str) -> None:
    client = make_app(pool_size=1, pool_timeout=0.3, lock_timeout=30).test_client()
    with locked_tickets(database_url) as holder, in_background() as threads:
        blocked = threads.submit(lambda: client.get(URL).status_code)
        wait_until_blocked(holder)
        started = time.monotonic()
        assert_unavailable(client.get(URL), "overloaded")
        assert_unavailable(client.post(URL, json=TICKET), "overloaded")
        assert_unavailable(client.get("/readyz"), "overloaded")
        assert time.monotonic() - started < 5
        others = [client.get("/livez"), client.get(f"{URL}nothing"), client.put(URL), client.post(URL, json={})]
        assert [answer.status_code for answer in others] == [200, 404, 405, 400]
        assert client.get(f"{URL}?sort=up").status_code == 400
        holder.rollback()
        assert blocked.result() == 200
    assert client.get(URL).status_code == 200


def test_who_asks_for_the_same_page_needs_no_connection_more(
    make_app: MakeApp, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_flight, "MAX_WAIT_SECONDS", 30)
    app = make_app(pool_size=1, pool_timeout=0.3, lock_timeout=30)
    with locked_tickets(database_url) as holder, in_background() as threads:
        calls = [threads.submit(lambda: app.test_client().get(URL).status_code) for _ in range(10)]
        wait_until_blocked(holder)
        time.sleep(1)
        assert_unavailable(app.test_client().get(f"{URL}?limit=7"), "overloaded")
        assert not any(call.done() for call in calls)
        holder.rollback()
        assert [call.result() for call in calls] == [200] * 10


def test_more_callers_than_may_wait_are_turned_away_at_once(make_app: MakeApp, database_url: str) -> None:
    client = make_app(pool_size=1, pool_timeout=20, lock_timeout=30)
    with locked_tickets(database_url) as holder, in_background() as threads:
        first = threads.submit(lambda: client.test_client().get(URL).status_code)
        wait_until_blocked(holder)
        pool = client.extensions["ticketsvc"].database.pool
        pool.max_waiting = 2
        waiting = [threads.submit(client.test_client().get, url) for url in different_pages(2)]
        wait_until(lambda: pool.get_stats()["requests_waiting"] == 2)
        started = time.monotonic()
        assert_unavailable(client.test_client().get(URL), "overloaded")
        assert time.monotonic() - started < 5
        holder.rollback()
        assert [first.result(), *[call.result().status_code for call in waiting]] == [200] * 3


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"statement_timeout": 0.3, "lock_timeout": 30.0}, "took too long"),
        ({"statement_timeout": 30.0, "lock_timeout": 0.3}, "conflicting transaction"),
    ],
)
def test_what_takes_too_long_is_503(make_app: MakeApp, database_url: str, settings: dict[str, Any], says: str) -> None:
    client = make_app(**settings).test_client()
    with locked_tickets(database_url):
        assert_unavailable(client.get(URL), says)
        assert_unavailable(client.post(URL, json=TICKET), says)
        assert_unavailable(client.patch(ABSENT, json={"status": "closed"}), says)
        assert_unavailable(client.delete(ABSENT), says)
        assert_unavailable(client.get(f"{URL}stats/"), says)
    assert client.get(URL).get_json() == []


FAIL_AT_FIRST = """
CREATE SEQUENCE attempts;
CREATE FUNCTION fail_at_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('attempts') <= {failures} THEN
        RAISE EXCEPTION 'lost against another one' USING ERRCODE = '{sqlstate}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fail_at_first BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION fail_at_first()
"""


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_lost_race_is_run_again(make_app: MakeApp, own_url: str, sqlstate: str) -> None:
    servers.execute(own_url, FAIL_AT_FIRST.format(failures=3, sqlstate=sqlstate))
    client = make_app(database_url=own_url).test_client()
    assert client.post(URL, json=TICKET).status_code == 201
    assert len(client.get(URL).get_json()) == 1


def test_a_race_that_is_always_lost_is_503(make_app: MakeApp, own_url: str) -> None:
    servers.execute(own_url, FAIL_AT_FIRST.format(failures=1000, sqlstate="40001"))
    assert_unavailable(make_app(database_url=own_url).test_client().post(URL, json=TICKET), "conflicting transaction")


# --- a database that refuses


def test_a_read_only_database_still_reads(make_app: MakeApp, own_url: str) -> None:
    client = make_app(database_url=own_url).test_client()
    path = client.post(URL, json=TICKET).headers["Location"]
    servers.execute(
        own_url, f"ALTER DATABASE {servers.name_of(own_url)} SET default_transaction_read_only = on", END_SESSIONS
    )
    client = make_app(database_url=own_url).test_client()
    for write in (client.post(URL, json=TICKET), client.patch(path, json={"title": "x"}), client.delete(path)):
        assert_unavailable(write, "no writes")
    for read in (URL, path, f"{URL}?search=noon", f"{URL}stats/", "/readyz"):
        assert client.get(read).status_code == 200
    assert client.get(path).get_json()["version"] == 1


def test_a_database_without_the_schema_is_503(make_app: MakeApp, new_database: Callable[[], str]) -> None:
    url = new_database()
    client = make_app(database_url=url).test_client()
    calls = [client.get(URL), client.post(URL, json=TICKET), client.patch(ABSENT, json={}), client.get(f"{URL}stats/")]
    for answer in [*calls, client.get("/readyz")]:
        assert_unavailable(answer, "flask migrate")
    assert client.get("/livez").status_code == 200
    migrations.apply(url)
    assert [client.get("/readyz").status_code, client.post(URL, json=TICKET).status_code] == [200, 201]


def test_it_is_not_ready_while_a_migration_is_pending(make_app: MakeApp, own_url: str) -> None:
    (latest, *_) = sorted(migrations.expected_ids(), reverse=True)
    servers.execute(own_url, f"DELETE FROM _yoyo_migration WHERE migration_id = '{latest}'")
    answer = make_app(database_url=own_url).test_client().get("/readyz")
    assert_unavailable(answer, "flask migrate")
    assert latest in answer.get_json(force=True)["error"]


def test_it_is_ready_on_the_schema_of_a_newer_release(make_app: MakeApp, own_url: str) -> None:
    servers.execute(own_url, "INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999_newer')")
    assert make_app(database_url=own_url).test_client().get("/readyz").status_code == 200


def test_connections_taken_by_others_are_503(make_app: MakeApp, own_url: str) -> None:
    url = servers.guest(own_url, connections=1)
    client = make_app(database_url=url, pool_timeout=0.5).test_client()
    with psycopg.connect(url):
        started = time.monotonic()
        assert_unavailable(client.get(URL), "overloaded")
        assert time.monotonic() - started < 5
    wait_until(lambda: client.get(URL).status_code == 200)


def test_a_database_that_does_not_exist_is_503(make_app: MakeApp, database_url: str) -> None:
    url = database_url.replace(servers.name_of(database_url), "no_such_database")
    client = make_app(database_url=url, pool_timeout=0.5).test_client()
    assert_unavailable(client.get(URL))
    assert_unavailable(client.get("/readyz"))


def test_a_server_that_never_answers_is_503(make_app: MakeApp) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"postgresql://ann:secret@127.0.0.1:{silent.getsockname()[1]}/tickets"
        client = make_app(database_url=url, pool_timeout=0.5).test_client()
        started = time.monotonic()
        assert_unavailable(client.get(URL))
        assert time.monotonic() - started < 5
        assert client.get("/livez").status_code == 200


# --- a database that goes, and comes back


def fill_pool(service: Service, url: str, size: int) -> None:
    """Make the service open all the connections that it may have."""
    with locked_tickets(url) as holder, in_background() as threads:
        calls = [threads.submit(service.call, "GET", url) for url in different_pages(size)]
        wait_until_blocked(holder, size)
        holder.rollback()
        assert [call.result().status for call in calls] == [200] * size


def test_ended_sessions_cost_nothing(own_url: str, tmp_path: Path) -> None:
    with (
        serve(own_url, tmp_path / "log", WEB_CONCURRENCY="1", DB_POOL_SIZE="8") as service,
        psycopg.connect(own_url, autocommit=True) as database,
    ):
        for _ in range(3):
            fill_pool(service, own_url, 8)
            assert len(database.execute(END_SESSIONS.encode()).fetchall()) == 8
            wait_until(lambda: database.execute(f"SELECT {OURS}".encode()).fetchall() == [])
            started = time.monotonic()
            statuses = [service.call("POST", URL, TICKET).status for _ in range(20)]
            assert time.monotonic() - started < 2
            assert statuses == [201] * 20


def test_a_session_that_ends_amid_a_statement_costs_a_writer_a_503_and_a_reader_nothing(
    service: Service, database_url: str, database: psycopg.Connection[Any]
) -> None:
    with locked_tickets(database_url) as holder, in_background() as threads:
        reader, writer = threads.submit(service.call, "GET", URL), threads.submit(service.call, "POST", URL, TICKET)
        wait_until_blocked(holder, 2)
        database.execute(END_SESSIONS.encode())
        wait_until(lambda: writer.done())
        holder.rollback()
        assert (reader.result().status, writer.result().status) == (200, 503)
        assert writer.result().headers["Retry-After"]
    assert service.call("POST", URL, TICKET).status == 201


def test_a_server_that_stops_and_starts_is_found_again(tmp_path: Path) -> None:
    with servers.server() as cluster:
        url = servers.create_database(cluster)
        migrations.apply(url)
        with serve(url, tmp_path / "log", DB_POOL_TIMEOUT="0.5", DB_POOL_SIZE="5") as service:
            fill_pool(service, url, 5)
            cluster.stop()
            for method, path, body in [("GET", URL, None), ("POST", URL, TICKET), ("GET", "/readyz", None)] * 3:
                started = time.monotonic()
                answer = service.call(method, path, body)
                assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
                assert int(answer.headers["Retry-After"]) > 0
                assert time.monotonic() - started < 5
            assert service.call("GET", "/livez").status == 200
            cluster.start(servers.NOT_DURABLE)
            started = time.monotonic()
            wait_until(lambda: [service.call("GET", URL).status for _ in range(10)] == [200] * 10)
            assert time.monotonic() - started < 10
            assert service.call("POST", URL, TICKET).status == 201
