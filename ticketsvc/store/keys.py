"""API keys in the database, known by their SHA-256 only: keys are random, so no slow hash is needed."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

SCOPES = ("read", "write", "admin")
"""Each includes those before it."""
PREFIX = "tk_"
SECRET_BYTES = 32

_FIND = queries.load("keys.find")
_USE = queries.load("keys.touch")
_ADD = queries.load("keys.add")
_LIST = queries.load("keys.list")
_REVOKE = queries.load("keys.revoke")


class Key(NamedTuple):
    """A valid key; `is_use_due`: its last use was recorded more than a minute ago."""

    name: str
    scope: str
    is_use_due: bool


class Listed(NamedTuple):
    """A key in the list; times are RFC 3339, "" for never."""

    name: str
    scope: str
    created_at: str
    last_used_at: str
    revoked_at: str


def digest(key: str) -> str:
    """What is stored of a key, in hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def find(database: Database, key_digest: str) -> Key | None:
    """The key with this digest; None: there is none, or it was revoked."""
    row = database.row(_FIND, {"hash": key_digest})
    return Key(row[0].decode(), row[1].decode(), row[2] == b"t") if row else None


def use(database: Database, name: str) -> None:
    """Record that a key is used now."""
    database.rows(_USE, {"name": name})


def add(database: Database, name: str, scope: str) -> str | None:
    """Make a key and return it: nobody can read it again. None: there is or was one of this name."""
    key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    return key if database.row(_ADD, {"name": name, "scope": scope, "hash": digest(key)}) else None


def listed(database: Database) -> list[Listed]:
    """All keys, revoked ones too, by name."""
    return [Listed(*[column.decode() for column in row]) for row in database.rows(_LIST)]


def revoke(database: Database, name: str) -> bool:
    """Revoke a key; False: there is none of this name to revoke."""
    return database.row(_REVOKE, {"name": name}) is not None
