"""Connections for migrating, and their errors in sentences. No message ever holds a password."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator


class MigrationError(Exception):
    """The database could not be migrated; the message says why and what to do next."""


def parameters(url: str) -> dict[str, Any]:
    """The parameters that libpq reads from a URL, with a connect timeout of 10 s unless it has one.

    Raises MigrationError when it is no connection URL.
    """
    try:
        read = {name: value for name, value in conninfo_to_dict(url).items() if value not in (None, "")}
    except psycopg.ProgrammingError:
        # libpq's own message quotes the piece it stumbled over, often a part of the password.
        raise MigrationError(
            "DATABASE_URL is no connection URL like postgresql://user:password@host:5432/database"
            " (special characters in a password are written %40 for @, %2F for /, %25 for %)."
        ) from None
    return {"connect_timeout": "10", "fallback_application_name": "ticketsvc migrations"} | read


def target(url: str) -> str:
    """What a URL points at, in words for messages: no password and no options."""
    read = parameters(url)
    place = read.get("host", read.get("hostaddr", "the default host"))
    return f'database "{read.get("dbname", "")}" on {place} as "{read.get("user", "")}"'


@contextmanager
def explained(url: str, doing: str = "migrate") -> Iterator[None]:
    """Turn psycopg's errors into MigrationError; `doing` is the verb for what was tried."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(
            f"{target(url)} may not change the schema ({_first_line(error)}):"
            " run the migrations with a DATABASE_URL of the role that owns the tables."
        ) from error
    except psycopg.Error as error:
        raise MigrationError(
            f"Cannot {doing} {target(url)}: {_first_line(error)}."
            " Check that the server is up and that DATABASE_URL is right, then run it again."
        ) from error


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).split("\n", 1)[0].rstrip(".")
