"""Idempotency-Key on POST /api/tickets/."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.conftest import serve
from tests.support.locks import (
    KEY_LOCK,
    WAITING,
    in_background,
    locked_tickets,
    wait_until,
    wait_until_blocked,
    waiting_sessions,
)
from tests.support.tickets import LABELS, TICKET, URL, count_rows, problem
from ticketsvc.store.tickets import prune_idempotency_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.http import Service
    from tests.support.tickets import Connection

BODY = {**TICKET, **LABELS}


@pytest.fixture
def key() -> str:
    """Return a new key."""
    return str(uuid4())


def post(client: FlaskClient, key: str, body: object = BODY, headers: dict[str, str] | None = None) -> TestResponse:
    return client.post(URL, json=body, headers={"Idempotency-Key": key, **(headers or {})})


def assert_replayed(first: TestResponse, again: TestResponse) -> None:
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in ("Location", "ETag", "Content-Type", "Cache-Control"):
        assert again.headers[name] == first.headers[name]


def test_it_works(client: FlaskClient, database: Connection, key: str) -> None:
    first = post(client, key)
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    assert client.get(first.headers["Location"]).get_json() == first.get_json()
    for _ in range(3):
        assert_replayed(first, post(client, key))
    assert count_rows(database) == 1


def test_create_without_a_key_is_not_recorded(client: FlaskClient, database: Connection) -> None:
    assert client.post(URL, json=BODY).get_json()["id"] != client.post(URL, json=BODY).get_json()["id"]
    assert (count_rows(database), count_rows(database, "idempotency_records")) == (2, 0)


def test_another_key_creates_another_ticket(client: FlaskClient, key: str) -> None:
    assert post(client, key).get_json()["id"] != post(client, key + "2").get_json()["id"]


def test_first_response_outlives_changes_and_deletion(client: FlaskClient, database: Connection, key: str) -> None:
    first = post(client, key, TICKET)
    client.patch(first.headers["Location"], json={"title": "Other", "status": "closed"})
    assert_replayed(first, post(client, key, TICKET))
    client.delete(first.headers["Location"])
    assert_replayed(first, post(client, key, TICKET))
    assert count_rows(database) == 0


def test_equal_json_is_the_same_body(client: FlaskClient, key: str) -> None:
    first = post(client, key)
    spread = json.dumps(dict(reversed(BODY.items())), indent=4)
    assert_replayed(
        first,
        client.post(URL, data=spread, content_type="application/json; charset=utf-8", headers={"Idempotency-Key": key}),
    )


@pytest.mark.parametrize(
    "body", [{**BODY, "title": "Other"}, {**BODY, "priority": "low"}, TICKET, {**BODY, "tags": ["a"]}]
)
def test_another_body_is_422(client: FlaskClient, database: Connection, key: str, body: dict[str, object]) -> None:
    first = post(client, key)
    document = problem(post(client, key, body), 422)
    assert document["type"] == "/docs/errors#idempotency-key-reused"
    assert_replayed(first, post(client, key))
    assert count_rows(database) == 1


# --- the key itself

EVERY_CHARACTER = "".join(map(chr, range(35, 127)))


@pytest.mark.parametrize("key", ["a", "!", "a,b", "a" * 255, f'"{"a" * 255}"', '"a b"', r'"\"\\"', EVERY_CHARACTER])
def test_valid_key_is_accepted(client: FlaskClient, key: str) -> None:
    assert_replayed(post(client, key), post(client, key))


def test_quoted_and_bare_key_are_the_same(client: FlaskClient, key: str) -> None:
    assert_replayed(post(client, key), post(client, f'"{key}"'))


TOO_LONG = "a" * 256
BAD = ["", " ", '""', TOO_LONG, f'"{TOO_LONG}"', "a b", "a\tb", "ü", "\x7f", '"', '"a', '"a"b"', r'"\a"', "\xff"]


@pytest.mark.parametrize("key", BAD)
def test_invalid_key_is_400(client: FlaskClient, database: Connection, key: str) -> None:
    assert "Idempotency-Key" in problem(post(client, key), 400)["error"]
    assert (count_rows(database), count_rows(database, "idempotency_records")) == (0, 0)


def test_key_belongs_to_its_client(
    guarded: Flask, cast: dict[str, dict[str, str]], database: Connection, key: str
) -> None:
    client = guarded.test_client()
    first = post(client, key, headers=cast["writer"])
    other = post(client, key, headers=cast["admin"])
    assert (first.status_code, other.status_code, count_rows(database)) == (201, 201, 2)
    assert_replayed(first, post(client, key, headers=cast["writer"]))
    assert_replayed(other, post(client, key, headers=cast["admin"]))


def test_only_the_hash_of_the_key_is_stored(client: FlaskClient, database: Connection, key: str) -> None:
    post(client, key)
    row = database.execute("SELECT k::text FROM idempotency_records AS k").fetchone()
    assert row is not None
    assert key not in str(row[0])


# --- what is not recorded


def test_invalid_input_is_not_recorded(client: FlaskClient, key: str) -> None:
    problem(post(client, key, {"title": ""}), 400)
    problem(client.post(URL, data=b"{", headers={"Idempotency-Key": key}), 400)
    assert "Idempotent-Replayed" not in post(client, key).headers


def test_database_failure_is_not_recorded(
    make_app: Callable[..., Flask], database_url: str, database: Connection, key: str
) -> None:
    client = make_app(lock_timeout=0.1).test_client()
    with locked_tickets(database_url):
        problem(post(client, key), 503)
    response = post(client, key)
    assert (response.status_code, "Idempotent-Replayed" in response.headers) == (201, False)
    assert count_rows(database) == 1


# --- records are kept for 24 hours


def age(database: Connection, hours: int, keys: int) -> None:
    database.execute(
        "INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response, created_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{}', now() - make_interval(hours => %s)"
        " FROM generate_series(1, %s)",
        [hours, keys],
    )


def prune(client: FlaskClient) -> None:
    prune_idempotency_records(client.application.extensions["ticketsvc"].database)


def test_records_are_kept_for_a_day(client: FlaskClient, database: Connection, key: str) -> None:
    age(database, 25, keys=2_500)  # more than a batch
    age(database, 23, keys=5)
    first = post(client, key)
    prune(client)
    assert count_rows(database, "idempotency_records") == 6
    assert_replayed(first, post(client, key))


def test_an_expired_key_creates_another_ticket(client: FlaskClient, database: Connection, key: str) -> None:
    first = post(client, key)
    database.execute("UPDATE idempotency_records SET created_at = now() - interval '25 hours'")
    second = post(client, key)
    assert (second.status_code, "Idempotent-Replayed" in second.headers) == (201, False)
    assert second.get_json()["id"] != first.get_json()["id"]
    assert_replayed(second, post(client, key))
    assert (count_rows(database), count_rows(database, "idempotency_records")) == (2, 1)


def test_pruning_skips_records_that_another_process_is_deleting(
    client: FlaskClient, database_url: str, database: Connection
) -> None:
    age(database, 25, keys=3)
    with psycopg.connect(database_url) as other:
        other.execute("DELETE FROM idempotency_records WHERE ctid = (SELECT min(ctid) FROM idempotency_records)")
        prune(client)
        assert count_rows(database, "idempotency_records") == 1
    assert count_rows(database, "idempotency_records") == 0


def test_a_day_after_a_deletion_the_text_is_nowhere(
    database_url: str, database: Connection, tmp_path: Path, clean: None
) -> None:
    """Every table is searched, while nobody sends a request."""
    secret, changed = f"secret {uuid4()}", f"other {uuid4()}"
    with serve(database_url, tmp_path / "log", RATE_LIMIT="100/60") as service:
        made = service.call("POST", URL, {"title": secret, "description": secret}, {"Idempotency-Key": str(uuid4())})
        ticket = f"{URL}{made.json['id']}"
        assert service.call("PATCH", ticket, {"description": changed, "category": "billing"}).status == 200
        assert service.call("DELETE", ticket).status == 204
        assert tables_with(database, secret) == ["idempotency_records"]  # for replays, for a day
        database.execute("UPDATE idempotency_records SET created_at = created_at - interval '1 day'")
        wait_until(lambda: not tables_with(database, secret, changed))
        assert count_rows(database, "ticket_history") == 3


def tables_with(database: Connection, *texts: str) -> list[str]:
    """Return the tables that contain one of the texts in any column."""
    query = (
        "SELECT c.oid::regclass::text FROM pg_class AS c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    tables = [str(name) for (name,) in database.execute(query).fetchall()]
    part = "SELECT 1 FROM {} AS t, unnest(%s::text[]) AS part WHERE strpos(t::text, part) > 0"
    return [name for name in tables if database.execute(part.format(name).encode(), [list(texts)]).fetchone()]


# --- concurrency


def test_fifty_concurrent_creates_make_one_ticket(service: Service, database: Connection, key: str) -> None:
    def call(_: int) -> Any:
        return service.call("POST", URL, BODY, {"Idempotency-Key": key})

    with ThreadPoolExecutor(50) as threads:
        responses = list(threads.map(call, range(50)))
    made = [response for response in responses if response.status == 201]
    assert {response.status for response in responses} <= {201, 409}
    assert len([response for response in made if "Idempotent-Replayed" not in response.headers]) == 1
    assert len({response.body for response in made}) == 1
    assert all(response.headers["Retry-After"] == "1" for response in responses if response.status == 409)
    assert count_rows(database) == 1
    assert call(0).body == made[0].body


def test_concurrent_keys_make_one_ticket_each(service: Service, database: Connection, key: str) -> None:
    def call(number: int) -> int:
        return service.call("POST", URL, BODY, {"Idempotency-Key": f"{key}{number % 20}"}).status

    with ThreadPoolExecutor(20) as threads:
        statuses = set(threads.map(call, range(200)))
    assert statuses <= {201, 409}
    assert count_rows(database) == 20


def stored(key: str) -> str:
    """Return the hash that is stored for a key when API keys are not required."""
    return str(UUID(bytes=hashlib.sha256(f"\n{key}".encode()).digest()[:16]))


@contextmanager
def uncommitted_record(url: str, key: str) -> Iterator[Connection]:
    """Open a session with an uncommitted record for the key: a create with the key waits for it."""
    with psycopg.connect(url) as holder:
        holder.execute(
            "INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response)"
            " VALUES (%s, gen_random_uuid(), gen_random_uuid(), '{}')",
            [stored(key)],
        )
        yield holder
        holder.rollback()


def test_create_in_progress_is_409(client: FlaskClient, database: Connection, database_url: str, key: str) -> None:
    with in_background() as threads, uncommitted_record(database_url, key) as holder:
        first = threads.submit(post, client, key)
        wait_until(lambda: waiting_sessions(database))
        second = post(client, key)
        assert problem(second, 409)["type"] == "/docs/errors#create-in-progress"
        assert second.headers["Retry-After"] == "1"
        holder.rollback()
        assert first.result().status_code == 201
    assert_replayed(first.result(), post(client, key))
    assert count_rows(database) == 1


def test_key_is_free_after_its_session_is_killed(
    client: FlaskClient, database: Connection, database_url: str, key: str
) -> None:
    with closing(psycopg.connect(database_url)) as holder:
        holder.execute(f"SELECT pg_advisory_xact_lock({KEY_LOCK})".encode(), [stored(key)])
        problem(post(client, key), 409)
        database.execute("SELECT pg_terminate_backend(%s)", [holder.info.backend_pid])
        wait_until(lambda: post(client, key).status_code == 201)
    assert count_rows(database) == 1


def test_create_after_a_late_commit_gets_the_first_response(
    client: FlaskClient, database: Connection, database_url: str, key: str
) -> None:
    """The other create commits after the snapshot of this one, and has released its lock."""
    first = post(client, key)
    row = database.execute(
        "DELETE FROM idempotency_records RETURNING key_hash, body_hash, ticket_id, response"
    ).fetchone()
    with in_background() as threads, closing(psycopg.connect(database_url)) as other:
        other.execute(
            "INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response) VALUES (%s, %s, %s, %s)", row
        )
        later = threads.submit(post, client, key)
        wait_until(lambda: waiting_sessions(database))
        other.commit()
        assert_replayed(first, later.result())
    assert count_rows(database) == 1


@pytest.mark.parametrize(("has_key", "status"), [(True, 201), (False, 503)])
def test_create_with_a_key_survives_a_broken_connection(
    client: FlaskClient, database: Connection, database_url: str, has_key: bool, status: int
) -> None:
    """Without a key nobody knows whether the ticket was created before the connection broke."""
    headers = {"Idempotency-Key": str(uuid4())} if has_key else {}
    with in_background() as threads, locked_tickets(database_url) as holder:
        first = threads.submit(client.post, URL, json=BODY, headers=headers)
        wait_until_blocked(holder)
        database.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS found".encode())
        if has_key:
            wait_until_blocked(holder)
        holder.rollback()
        assert first.result().status_code == status
    assert count_rows(database) == int(has_key)
