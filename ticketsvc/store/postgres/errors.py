"""Translation of psycopg's errors to problems: the only place that knows SQLSTATEs and constraint names."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout, TooManyRequests

from ticketsvc.problems import FieldError, InternalError, InvalidInput, NotConfirmed, Problem, Unavailable

CONSTRAINTS = {
    "tickets_title_not_empty": FieldError.in_field("title", "title must not be empty.", "empty"),
    "tickets_title_at_most_200": FieldError.in_field("title", "title must have at most 200 characters.", "too_long"),
    "tickets_description_not_empty": FieldError.in_field("description", "description must not be empty.", "empty"),
    "tickets_at_most_20_tags": FieldError.in_field(
        "add_tags", "add_tags: a ticket would have more than 20 tags.", "too_long"
    ),
    "tickets_at_most_50_metadata": FieldError.in_field(
        "metadata", "metadata must have at most 50 members.", "too_long"
    ),
    "tickets_duplicate_of_exists": FieldError.in_field(
        "duplicate_of", "duplicate_of must be the id of a ticket that exists.", "not_allowed"
    ),
    "tickets_duplicate_of_no_cycle": FieldError.in_field(
        "duplicate_of",
        "duplicate_of must not be the ticket itself or one of its duplicates: a chain of duplicates must end.",
        "not_allowed",
    ),
}
"""The table's constraints that a client can violate. Validation before the statement reports the same errors."""

IDEMPOTENCY_KEY_CONSTRAINT = "idempotency_keys_pkey"
"""Violated by a create when a concurrent create with the same idempotency key committed first."""

_LOST_RACE = (errors.SerializationFailure, errors.DeadlockDetected)
_BUSY = (errors.LockNotAvailable, *_LOST_RACE)
_UNMIGRATED = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.UndefinedObject)
_ENDED_BY_SERVER = ("25", "57")
"""Classes of SQLSTATEs: a transaction that was idle for too long, and intervention by an operator. Some of them are no
OperationalError in psycopg."""


_OVERLOADED = (PoolTimeout, TooManyRequests)
_NOT_PREPARED = (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement)


KINDS = (
    *("connection", "pool_timeout", "pool_full", "not_replicated"),
    *[str(known.sqlstate) for known in (*_BUSY, errors.QueryCanceled, errors.AdminShutdown, errors.DiskFull)],
    *[str(known.sqlstate) for known in (errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege, *_UNMIGRATED)],
)
"""The kinds of the errors that are expected."""
RETRIED_KINDS = ("connection", *[str(known.sqlstate) for known in (*_LOST_RACE, errors.AdminShutdown)])
"""The kinds of `is_worth_retrying`."""


class ServerTimeout(psycopg.OperationalError):
    """The server did not respond in time, and reported no timeout itself."""


class NotReplicated(psycopg.OperationalError):
    """The statement was committed, but the synchronous standby has not confirmed that."""


def is_worth_retrying(error: psycopg.Error, is_retry_safe: bool) -> bool:
    """Return whether running a statement again at once can succeed and does not apply its effect twice."""
    if isinstance(error, _LOST_RACE):
        return True
    if isinstance(error, errors.UniqueViolation) and error.diag.constraint_name == IDEMPOTENCY_KEY_CONSTRAINT:
        return True
    return is_retry_safe and _connection_lost(error)


def is_server_lost(error: BaseException | None) -> bool:
    """Return whether the connection broke, or the server did not respond."""
    return isinstance(error, ServerTimeout) or (isinstance(error, psycopg.Error) and _connection_lost(error))


def is_about_server(error: BaseException | None) -> bool:
    """Return whether another server might run a statement that failed: not if that was slow, or would only be next.

    An overloaded replica must not take the primary with it.
    """
    return isinstance(error, psycopg.Error) and not isinstance(error, (*_OVERLOADED, errors.QueryCanceled))


def is_about_values(error: BaseException | None) -> bool:
    """Return whether a statement failed for its values or for another transaction: it left nothing; a part may succeed.

    Otherwise the connection was lost, it took too long, or the server is read-only, shutting down or lacks resources.
    """
    state = (isinstance(error, psycopg.Error) and error.sqlstate) or ""
    return state != "" and state[:2] not in ("08", "25", "53", "57")


def kind(error: psycopg.Error) -> str:
    """Return the label of an error in metrics: its SQLSTATE (PostgreSQL's documentation, appendix A) or a word."""
    if isinstance(error, PoolTimeout):
        return "pool_timeout"
    if isinstance(error, TooManyRequests):
        return "pool_full"
    if isinstance(error, NotReplicated):
        return "not_replicated"
    return error.sqlstate or "connection"


def pooler_error(error: psycopg.Error) -> str:
    """Return what is wrong with the connection pooler in front of Postgres if that is the error, otherwise ""."""
    if isinstance(error, _NOT_PREPARED):
        return (
            "The connection pooler in front of the database does not support prepared statements: its operator must use"
            " session mode, or PgBouncer 1.21 or newer with max_prepared_statements above 0."
        )
    if isinstance(error, errors.ProtocolViolation) and "statement pooling mode" in str(error):
        return (
            "The connection pooler in front of the database is in statement mode, which has no transactions: its"
            " operator must use session or transaction mode."
        )
    return ""


def problem(error: psycopg.Error, known_error: str = "") -> Problem:
    """Return the response to a failed statement: 503 for a temporary failure, 500 for one that will not pass.

    `known_error` is what is known to be wrong with the connection pooler, which may be why connections are missing.
    """
    if found := pooler_error(error):
        return Unavailable(found, 30)
    if isinstance(error, errors.CheckViolation) and error.diag.constraint_name in CONSTRAINTS:
        return InvalidInput(CONSTRAINTS[error.diag.constraint_name])
    if isinstance(error, _OVERLOADED):
        return Unavailable(
            known_error or "The service is overloaded, or its database is unreachable: no connection was free in time."
        )
    if isinstance(error, errors.QueryCanceled):
        return Unavailable("The database took too long. Narrow the request with filters or a smaller limit.", 5)
    if isinstance(error, _BUSY):
        return Unavailable("The database is busy with a conflicting transaction.")
    if isinstance(error, _UNMIGRATED):
        return Unavailable("The database is not up to date: its operator must run `flask migrate`.", 30)
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return Unavailable("The database is read-only at the moment.", 30)
    if isinstance(error, errors.InsufficientPrivilege):
        return Unavailable("The role of the database may not do this: its operator must grant it the privilege.", 30)
    if isinstance(error, errors.DiskFull):
        return Unavailable("The database is out of disk space: its operator must free some.", 30)
    if isinstance(error, NotReplicated):
        return NotConfirmed()
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("The database is unreachable.")
    if (error.sqlstate or "")[:2] in _ENDED_BY_SERVER:
        return Unavailable("The database ended the transaction.")
    return InternalError()


def _connection_lost(error: psycopg.Error) -> bool:
    """Return whether the connection broke: an SQLSTATE of class 08, a shutdown (57P0x), or no SQLSTATE at all."""
    if isinstance(error, (*_OVERLOADED, ServerTimeout, NotReplicated)) or not isinstance(
        error, psycopg.OperationalError
    ):
        return False
    return error.sqlstate is None or error.sqlstate[:2] == "08" or error.sqlstate[:4] == "57P0"
