"""What the database driver raises, as problems: the only place that knows SQLSTATEs and constraint names."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout, TooManyRequests

from ticketsvc.problems import FieldError, InternalError, InvalidInput, Problem, Unavailable

CONSTRAINTS = {
    "tickets_title_not_empty": FieldError.in_field("title", "title must not be empty.", "empty"),
    "tickets_title_at_most_200": FieldError.in_field("title", "title must have at most 200 characters.", "too_long"),
    "tickets_description_not_empty": FieldError.in_field("description", "description must not be empty.", "empty"),
}
"""The rules that the table holds and a caller can break; validation before the statement says the same."""

IDEMPOTENCY_KEY_CONSTRAINT = "idempotency_keys_pkey"
"""Broken by a create whose idempotency key another create used first."""

_LOST_RACE = (errors.SerializationFailure, errors.DeadlockDetected)
_BUSY = (errors.LockNotAvailable, *_LOST_RACE)
_UNMIGRATED = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedObject,
)
_READ_ONLY = (errors.ReadOnlySqlTransaction,)


class ServerTimeout(psycopg.OperationalError):
    """The server did not answer in time, and did not say so itself."""


def is_worth_retrying(error: psycopg.Error, is_retry_safe: bool) -> bool:
    """Return whether running the statement again at once can succeed and cannot do anything twice."""
    if isinstance(error, _LOST_RACE):
        return True
    if isinstance(error, errors.UniqueViolation) and error.diag.constraint_name == IDEMPOTENCY_KEY_CONSTRAINT:
        return True
    return is_retry_safe and _connection_lost(error)


def kind(error: psycopg.Error) -> str:
    """What failed, for statistics: the SQLSTATE (PostgreSQL's documentation, appendix A), or what came before one."""
    if isinstance(error, PoolTimeout):
        return "pool_timeout"
    if isinstance(error, TooManyRequests):
        return "pool_full"
    return error.sqlstate or "connection"


def problem(error: psycopg.Error) -> Problem:
    """The answer to a failed statement. What the caller can do nothing about is 503 while it can pass, else 500."""
    if isinstance(error, errors.CheckViolation) and error.diag.constraint_name in CONSTRAINTS:
        return InvalidInput(CONSTRAINTS[error.diag.constraint_name])
    if isinstance(error, (PoolTimeout, TooManyRequests)):
        return Unavailable("The service is overloaded or its database is away: no connection came free in time.")
    if isinstance(error, errors.QueryCanceled):
        return Unavailable("The database took too long. Narrow the request with filters or a smaller limit.", 5)
    if isinstance(error, _BUSY):
        return Unavailable("Other work in the database is in the way.")
    if isinstance(error, _UNMIGRATED):
        return Unavailable("The database is not up to date: its operator must run `flask migrate`.", 30)
    if isinstance(error, _READ_ONLY):
        return Unavailable("The database takes no writes at the moment.", 30)
    if isinstance(error, errors.DiskFull):
        return Unavailable("The database has no room for more: its operator must make some.", 30)
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("The database is away.")
    return InternalError()


def _connection_lost(error: psycopg.Error) -> bool:
    """Whether the server or the network ended the connection: class 08, a shutdown, or no SQLSTATE at all."""
    if isinstance(error, (PoolTimeout, TooManyRequests, ServerTimeout)) or not isinstance(
        error, psycopg.OperationalError
    ):
        return False
    return error.sqlstate is None or error.sqlstate[:2] == "08" or error.sqlstate[:4] == "57P0"
