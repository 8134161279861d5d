"""Import of a file of tickets: all of them or none.

COPY writes the lines to a temporary table as they arrive. There one query checks all of them. One INSERT at the end
then stores the tickets, so that locks of counters are held only for that statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import NamedTuple

from ticketsvc import background
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import InvalidFile, LineError
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.database import Connection, Database

MAX_ERRORS = 1000

_STAGE = queries.load("files.stage")
_FILL = queries.load("files.fill")
_INSERT = queries.load("files.insert")
_INDEX = queries.load("files.index")

_SETTINGS = {"lock_timeout": "0", "gin_pending_list_limit": "16MB"}
"""Waiting for a lock beats rejecting an uploaded file; the statement timeout still applies. The larger pending list
leaves the insertion into the index of texts to `_index_texts`."""

_PAUSE_SECONDS = 0.05

_CHOICES = {"category": CATEGORIES, "priority": PRIORITIES, "status": STATUSES}
_SENTENCES = {
    "required": "is required.",
    "wrong_type": "must be a string.",
    "empty": "must not be empty.",
    "too_long": "must have at most 200 characters.",
    "bad_character": "must not contain a NUL character or half of a surrogate pair.",
    "not_allowed": "must be an RFC 3339 time (2026-01-31T12:00:00Z).",
    "out_of_range": "must be in the years 1970 to 9999, and updated_at not before created_at.",
}


class StagedTicket(NamedTuple):
    """A row of the staging table (sql/files/stage.sql): trimmed texts, labels in lower case, times that Postgres reads.

    `errors` is a JSON object with the error code of each field that cannot be staged; such a field has no value.
    """

    line: int
    title: str | None = None
    description: str | None = None
    category: str | None = None
    priority: str | None = None
    status: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    errors: str | None = None
    unreadable: str | None = None


class _ErrorRow(NamedTuple):
    line: int
    field: str
    code: str
    unreadable: str | None
    total_errors: int
    faulty_lines: int


_ERRORS = queries.load("files.line_errors", _ErrorRow)


def run(database: Database, tickets: Iterable[StagedTicket], author: Author, seconds: float) -> int:
    """Import tickets and return their number. An exception raised by the iterable rolls everything back.

    Raises InvalidFile when any line has an error, Unavailable when BULK_CALLS imports and exports are running or when
    the import takes longer than `seconds`.
    """
    with database.dedicated_connection(seconds, **_SETTINGS) as connection:
        statement.run(connection, _STAGE, [])
        with connection.cursor() as cursor, cursor.copy(_FILL.text.encode()) as copy:
            for ticket in tickets:
                copy.write_row(ticket)
        _check(connection)
        values = _INSERT.bind({"created_by": author.name, "created_request": author.request_id})
        with _index_texts(database):
            return statement.run(connection, _INSERT, values).command_tuples or 0


@contextmanager
def _index_texts(database: Database) -> Iterator[None]:
    """Insert the new texts into the trigram index meanwhile, on a connection of the pool: half the work of an import.

    At the end the index has no pending texts, which would delay the next create. With a pool of one connection nothing
    is done, so that requests can use it.
    """
    if database.pool.max_size == 1:
        yield
        return
    has_ended = Event()

    def work() -> None:  # raises a Problem if the role does not own the index, or if no connection is free
        while not has_ended.wait(_PAUSE_SECONDS):
            database.execute(_INDEX)
        database.execute(_INDEX)

    thread = background.run_in_background(work)
    try:
        yield
    finally:
        has_ended.set()
        thread.join()


def _check(connection: Connection) -> None:
    rows = _ERRORS.decode(statement.run(connection, _ERRORS, _ERRORS.bind({"limit": MAX_ERRORS})))
    if rows:
        raise InvalidFile([_line_error(row) for row in rows], rows[0].total_errors, rows[0].faulty_lines)


def _line_error(row: _ErrorRow) -> LineError:
    if row.unreadable and not row.field:
        detail = f"The line {row.unreadable}"
    elif row.code == "not_allowed" and row.field in _CHOICES:
        detail = f"{row.field} must be one of {', '.join(_CHOICES[row.field])}."
    else:
        detail = f"{row.field} {_SENTENCES[row.code]}"
    return LineError(row.line, row.field, detail, row.code)
