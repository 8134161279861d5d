"""Who calls in the tests of keys: one person for each scope, and a stranger whose key nobody made."""

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
    """The header with a key."""
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def cast(database: Connection, clean: None) -> dict[str, dict[str, str]]:
    """The headers with which each of them calls: reader, writer, admin, stranger."""
    database.execute("DELETE FROM api_keys")
    headers = {name: bearer(f"tk_{secrets.token_hex()}") for name in (*SCOPES, "stranger")}
    for name, scope in SCOPES.items():
        key = headers[name]["Authorization"].removeprefix("Bearer ")
        database.execute(
            "INSERT INTO api_keys (name, scope, hash) VALUES (%s, %s, sha256(%s::text::bytea))", [name, scope, key]
        )
    return headers


@pytest.fixture
def guarded(make_app: Callable[..., Flask]) -> Flask:
    """The application with REQUIRE_API_KEY=on."""
    return make_app(require_api_key=True)
