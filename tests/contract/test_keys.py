"""API keys: flask keys, and REQUIRE_API_KEY=on."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.conftest import serve
from tests.support.cast import bearer
from tests.support.commands import run
from tests.support.locks import wait_until
from tests.support.tickets import TICKET, URL, field_errors, problem
from ticketsvc.api.auth.authenticator import BURST, RECOVERY_SECONDS
from ticketsvc.api.auth.client_ip import TrustedProxies
from ticketsvc.api.auth.key_cache import MAX_ENTRIES, TTL_SECONDS, KeyCache
from ticketsvc.api.auth.throttle import MAX_NAMES, SITE_FACTOR, ClientThrottle, Throttle
from ticketsvc.store.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.support.tickets import Connection

Cast = dict[str, dict[str, str]]


@pytest.fixture
def no_keys(database: Connection) -> None:
    database.execute("DELETE FROM api_keys")


def add(url: str, name: str, scope: str = "read") -> str:
    """Create a key with the command."""
    status, printed = run("flask", "keys", "add", name, "--scope", scope, DATABASE_URL=url)
    assert status == 0, printed
    [key] = [line for line in printed.splitlines() if line.startswith("tk_")]
    return key


def stats(client: FlaskClient, headers: dict[str, str], address: str = "192.0.2.1") -> int:
    return client.get(f"{URL}stats", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code


# --- the commands


def test_key_is_created_used_listed_and_revoked(
    make_app: Callable[..., Flask], database_url: str, database: Connection, no_keys: None
) -> None:
    key = add(database_url, "desk", "write")
    assert len(key) == len("tk_") + 43  # 256 bits
    assert stats(make_app(require_api_key=True).test_client(), bearer(key)) == 200

    status, listed = run("flask", "keys", "list", DATABASE_URL=database_url)
    assert status == 0
    heading, row = r"NAME +SCOPE +COMMENTS +CREATED +LAST USED +REVOKED\n", r"desk +write +all +20\S+Z +20\S+Z\n"
    assert re.fullmatch(heading + row, listed), listed
    assert key not in listed

    assert run("flask", "keys", "revoke", "desk", DATABASE_URL=database_url) == (0, "Revoked desk.\n")
    assert stats(make_app(require_api_key=True).test_client(), bearer(key)) == 401
    assert re.search(r"^desk .* 20\S+Z  20\S+Z$", run("flask", "keys", "list", DATABASE_URL=database_url)[1], re.M)
    status, printed = run("flask", "keys", "revoke", "desk", DATABASE_URL=database_url)
    assert (status, printed.startswith("Error: There is no valid key called desk.")) == (1, True)


def test_key_can_be_limited_to_public_comments(
    make_app: Callable[..., Flask], database_url: str, database: Connection, no_keys: None
) -> None:
    keys = {}
    for name, options in (("desk", []), ("portal", ["--public"])):
        status, printed = run("flask", "keys", "add", name, "--scope", "write", *options, DATABASE_URL=database_url)
        assert status == 0, printed
        [keys[name]] = [line for line in printed.splitlines() if line.startswith("tk_")]
    client = make_app(require_api_key=True).test_client()
    path = client.post(URL, json=TICKET, headers=bearer(keys["desk"])).headers["Location"] + "/comments"
    statuses = [
        client.post(path, json={"body": "x", "internal": True}, headers=bearer(keys[name])).status_code
        for name in ("desk", "portal")
    ]
    assert statuses == [201, 403]
    assert [len(client.get(path, headers=bearer(keys[name])).get_json()) for name in keys] == [1, 0]
    listed = run("flask", "keys", "list", DATABASE_URL=database_url)[1].splitlines()
    assert [line.split()[:3] for line in listed] == [
        ["NAME", "SCOPE", "COMMENTS"],
        ["desk", "write", "all"],
        ["portal", "write", "public"],
    ]


def test_only_the_hash_of_a_key_is_stored(database_url: str, database: Connection, no_keys: None) -> None:
    key = add(database_url, "desk")
    [row] = database.execute("SELECT k::text, hash FROM api_keys AS k").fetchall()
    assert key.removeprefix("tk_") not in str(row[0])
    assert row[1] == hashlib.sha256(key.encode()).digest()


def test_keys_differ_and_names_are_not_reused(database_url: str, no_keys: None) -> None:
    assert add(database_url, "one") != add(database_url, "two")
    run("flask", "keys", "revoke", "one", DATABASE_URL=database_url)
    status, printed = run("flask", "keys", "add", "one", "--scope", "read", DATABASE_URL=database_url)
    assert (status, "A key named one already exists or was revoked." in printed) == (1, True)


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "ann's", "a" * 64, "ü", "a\n"])
def test_invalid_name_is_rejected(database_url: str, name: str) -> None:
    status, printed = run("flask", "keys", "add", "--scope", "read", "--", name, DATABASE_URL=database_url)
    assert (status, printed.startswith("Error: NAME must have 1 to 63")) == (1, True)


def test_unknown_scope_is_rejected(database_url: str) -> None:
    status, printed = run("flask", "keys", "add", "x", "--scope", "root", DATABASE_URL=database_url)
    assert status == 2
    assert "'read', 'write', 'admin'" in printed


# --- requests


def test_keys_are_not_required_by_default(client: FlaskClient) -> None:
    for headers in ({}, bearer("tk_unknown"), {"Authorization": "Basic YTpi"}):
        assert stats(client, headers) == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "tk_x", "Bearer\ttk_x"])
def test_missing_key_is_401(guarded: Flask, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = guarded.test_client().get(URL, headers=headers)
    document = problem(response, 401)
    assert document["type"] == "/docs/errors#unauthorized"
    assert "Authorization: Bearer" in document["error"]
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tickets"'


@pytest.mark.parametrize("key", ["tk_unknown", "x", "ü", "a" * 4000, "' OR true --"])
def test_unknown_key_is_401(guarded: Flask, cast: Cast, key: str) -> None:
    response = guarded.test_client().get(URL, headers=bearer(key))
    assert key not in str(problem(response, 401))
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_key_in_the_query_is_ignored(guarded: Flask, cast: Cast, client: FlaskClient) -> None:
    key = cast["reader"]["Authorization"].removeprefix("Bearer ")
    problem(guarded.test_client().get(f"{URL}?access_token={key}"), 401)
    assert field_errors(client.get(f"{URL}?access_token={key}")) == {"access_token": "unknown"}


def test_scheme_is_accepted_in_any_letter_case(guarded: Flask, cast: Cast) -> None:
    key = cast["reader"]["Authorization"].removeprefix("Bearer ")
    for scheme in ("bearer", "BEARER", "Bearer "):
        assert stats(guarded.test_client(), {"Authorization": f"{scheme} {key}"}) == 200


def test_health_needs_no_key(guarded: Flask) -> None:
    for path in ("/livez", "/readyz", "/livez/", "/readyz/"):
        assert guarded.test_client().get(path).status_code == 200


def test_unreachable_database_is_503(make_app: Callable[..., Flask]) -> None:
    client = make_app(database_url="postgresql://127.0.0.1:1/x", pool_timeout=0.1, require_api_key=True).test_client()
    problem(client.get(URL, headers=bearer("tk_x")), 503)
    assert client.get("/livez").status_code == 200


def test_last_use_is_recorded_once_a_minute(make_app: Callable[..., Flask], cast: Cast, database: Connection) -> None:
    def used() -> object:
        row = database.execute("SELECT last_used_at FROM api_keys WHERE name = 'reader'").fetchone()
        return row and row[0]

    assert stats(make_app(require_api_key=True).test_client(), cast["reader"]) == 200
    wait_until(lambda: used() is not None)
    first = used()
    app = make_app(require_api_key=True)
    assert stats(app.test_client(), cast["reader"]) == 200
    app.extensions["ticketsvc"].database.close()
    assert used() == first
    database.execute("UPDATE api_keys SET last_used_at = now() - '2 minutes'::interval")
    assert stats(make_app(require_api_key=True).test_client(), cast["reader"]) == 200
    wait_until(lambda: used() > first)  # type: ignore[operator]


def test_log_names_the_key_and_never_shows_it(database_url: str, cast: Cast, tmp_path: Path) -> None:
    with serve(database_url, tmp_path / "log", REQUIRE_API_KEY="on", WEB_CONCURRENCY="1") as service:
        assert service.call("POST", URL, TICKET, cast["writer"]).status == 201
        assert service.call("POST", URL, TICKET, cast["reader"]).status == 403
        assert service.call("POST", URL, TICKET, cast["stranger"]).status == 401
    text = service.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    asked = [line for line in lines if line["message"] == "request" and line.get("route") == "/api/tickets"]
    assert [(line["status"], line.get("key")) for line in asked] == [(201, "writer"), (403, "reader"), (401, None)]
    assert "tk_" not in text
    assert "REQUIRE_API_KEY" not in text


def test_log_warns_when_keys_are_not_required(database_url: str, tmp_path: Path) -> None:
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service:
        assert "REQUIRE_API_KEY is off" in service.log.read_text()


# --- the cache of keys


class Clock:
    """A clock that stands still unless it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_cached_key_is_looked_up_again_after_the_ttl() -> None:
    clock, asked, valid = Clock(), [], {"a": Key("ann", "read", False, False)}

    def find(digest: str) -> Key | None:
        asked.append(digest)
        return valid.get(digest)

    keyring = KeyCache(find, lambda _: None, clock)
    assert keyring.find("a") == keyring.find("a") == valid["a"]
    assert asked == ["a"]
    valid.clear()
    clock.now += TTL_SECONDS
    assert keyring.find("a") is None
    assert "a" not in keyring
    assert TTL_SECONDS <= 5


def test_key_cache_is_bounded() -> None:
    keyring = KeyCache(lambda _: Key("ann", "read", False, False), lambda _: None)
    for number in range(MAX_ENTRIES + 1):
        keyring.find(str(number))
    assert "0" not in keyring
    assert str(MAX_ENTRIES) in keyring


# --- failed attempts


def test_failed_attempts_are_throttled(guarded: Flask, cast: Cast) -> None:
    client = guarded.test_client()
    assert stats(client, cast["reader"]) == 200
    assert [stats(client, bearer(f"tk_{number}")) for number in range(BURST + 3)] == [401] * BURST + [429] * 3
    response = client.get(URL, headers=bearer("tk_x"), environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert problem(response, 429)["type"] == "/docs/errors#too-many-failed-attempts"
    assert 0 < int(response.headers["Retry-After"]) <= RECOVERY_SECONDS
    assert stats(client, cast["reader"]) == 200  # no valid key is locked out, whether this worker has seen it or not
    assert stats(client, cast["admin"]) == 200
    assert stats(client, cast["writer"], "192.0.2.2") == 200
    assert stats(client, cast["stranger"], "192.0.2.2") == 401


def test_attempts_recover_over_time() -> None:
    clock = Clock()
    attempts = Throttle(BURST, RECOVERY_SECONDS, clock)
    for _ in range(BURST):
        assert attempts.wait("a") == 0
        attempts.add("a")
    assert attempts.wait("a") == pytest.approx(RECOVERY_SECONDS)
    assert attempts.wait("b") == 0
    clock.now += RECOVERY_SECONDS
    assert attempts.wait("a") == pytest.approx(0)
    attempts.add("a")
    assert attempts.wait("a") == pytest.approx(RECOVERY_SECONDS)
    clock.now += BURST * RECOVERY_SECONDS
    assert attempts.wait("a") == 0


def test_number_of_throttled_addresses_is_bounded() -> None:
    attempts = Throttle(BURST, RECOVERY_SECONDS, Clock())
    for _ in range(2 * BURST):
        attempts.add("first")
    for number in range(MAX_NAMES):
        attempts.add(str(number))
    assert attempts.wait("first") == 0


def test_a_site_has_a_larger_limit_than_its_networks() -> None:
    attempts = ClientThrottle(1, 3600)
    for number in range(SITE_FACTOR):
        network = f"address 2001:db8:1:{number:x}::/64"
        assert attempts.wait(network) == 0
        attempts.add(network)
        assert attempts.wait(network) > 0
    assert attempts.wait("address 2001:db8:1:ffff::/64") > 0
    assert (
        attempts.wait("address 2001:db8:2::/64") == attempts.wait("address 192.0.2.1") == attempts.wait("key x/64") == 0
    )


# --- addresses

LOCAL = ("127.0.0.1", "10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client_ip"),
    [
        (LOCAL, "192.0.2.1", None, "192.0.2.1"),
        (LOCAL, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
        (LOCAL, "127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (LOCAL, "127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (LOCAL, "127.0.0.1", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        (LOCAL, "10.9.9.9", "10.0.0.1 , 10.0.0.2", "10.0.0.1"),
        (LOCAL, "127.0.0.1", "", "127.0.0.1"),
        (LOCAL, "127.0.0.1", " , ", "127.0.0.1"),
        (LOCAL, "127.0.0.1", "nonsense", "127.0.0.1"),
        (LOCAL, "127.0.0.1", "nonsense, 10.1.2.3", "10.1.2.3"),
        (LOCAL, "127.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        (LOCAL, "127.0.0.1", "203.0.113.7:4711, 10.1.2.3:80", "203.0.113.7"),
        (LOCAL, "127.0.0.1", "[2001:db8:1:2::1]:4711", "2001:db8:1:2::/64"),
        (LOCAL, "127.0.0.1", "[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        (LOCAL, "127.0.0.1", "2002:cb00:7107:1::1", "203.0.113.7"),  # 6to4
        (LOCAL, "127.0.0.1", "2002:cb00:7107:2::1", "203.0.113.7"),
        (LOCAL, "", "nonsense", "unknown"),
        (LOCAL, "", "198.51.100.7", "198.51.100.7"),
        (LOCAL, "::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (LOCAL, "::ffff:192.0.2.1", None, "192.0.2.1"),
        (("*",), "192.0.2.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (("*",), "192.0.2.1", None, "192.0.2.1"),
    ],
)
def test_client_ip_behind_trusted_proxies(
    trusted: tuple[str, ...], peer: str, forwarded: str | None, client_ip: str
) -> None:
    environ = {"REMOTE_ADDR": peer} | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})
    assert TrustedProxies(trusted).client_ip(environ) == client_ip
