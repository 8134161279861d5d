"""The people in the tests of API keys: one for each scope, and a stranger whose key does not exist."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from tests.support.tickets import Connection

SCOPES = {"reader": "read", "writer": "write", "admin": "admin"}


def bearer(key: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


def insert_key(database: Connection, name: str, scope: str, key: str) -> None:
    """Store an API key."""
    database.execute(
        "INSERT INTO api_keys (name, scope, hash) VALUES (%s, %s, sha256(%s::text::bytea))", [name, scope, key]
    )


@pytest.fixture
def cast(database: Connection, clean: None) -> dict[str, dict[str, str]]:
    """The headers that each person sends: reader, writer, admin, stranger."""
    database.execute("DELETE FROM api_keys")
    keys = {name: f"tk_{secrets.token_hex()}" for name in (*SCOPES, "stranger")}
    for name, scope in SCOPES.items():
        insert_key(database, name, scope, keys[name])
    return {name: bearer(key) for name, key in keys.items()}


@pytest.fixture
def guarded(make_app: Callable[..., Flask]) -> Flask:
    """The application with REQUIRE_API_KEY=on."""
    return make_app(require_api_key=True)
