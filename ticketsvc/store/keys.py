"""API keys. The database stores their SHA-256: keys are random, so no slow hash is needed."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

SCOPES = ("read", "write", "admin")
"""Each scope includes those before it."""
PREFIX = "tk_"
SECRET_BYTES = 32


class Key(NamedTuple):
    """A valid key. `public_only` keys may not read or write internal comments.

    `needs_touch` is true when its last use was recorded more than a minute ago.
    """

    name: str
    scope: str
    needs_touch: bool
    public_only: bool


class KeyInfo(NamedTuple):
    """A key in the list. The times are RFC 3339, None for never."""

    name: str
    scope: str
    public_only: bool
    created_at: str
    last_used_at: str | None
    revoked_at: str | None


_FIND = queries.load("keys.find", Key)
_TOUCH = queries.load("keys.touch")
_ADD = queries.load("keys.add", str)
_LIST = queries.load("keys.list", KeyInfo)
_REVOKE = queries.load("keys.revoke", str)


def digest(key: str) -> str:
    """Return the SHA-256 of a key in hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def find(database: Database, key_digest: str) -> Key | None:
    """Return the key with this digest, or None when there is none or it was revoked."""
    return database.one_or_none(_FIND, {"hash": key_digest})


def touch(database: Database, name: str) -> None:
    """Record that a key is used now."""
    database.execute(_TOUCH, {"name": name})


def add(database: Database, name: str, scope: str, public_only: bool = False) -> str | None:
    """Create a key and return it; it cannot be read again. Return None when the name is or was in use."""
    key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    values = {"name": name, "scope": scope, "hash": digest(key), "public_only": public_only}
    return key if database.one_or_none(_ADD, values) else None


def list_all(database: Database) -> list[KeyInfo]:
    """Return all keys, including revoked ones, ordered by name."""
    return database.rows(_LIST)


def revoke(database: Database, name: str) -> bool:
    """Revoke a key. Return False when no valid key has this name."""
    return database.one_or_none(_REVOKE, {"name": name}) is not None
