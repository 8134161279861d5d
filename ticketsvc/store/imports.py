"""Many tickets into the database: all of them or none.

The rows go by COPY into a temporary table as they come. There they are judged, by sets, and from there they are
inserted, in one statement at the end: rows of the counters and other tickets are locked for no longer than that.
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
"""A file that was sent is worth waiting for a lock; the time of the statement is limited all the same. And it is not
this connection that sorts texts into the index, unless nobody else does."""

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

    `faults` is a JSON object with a code for each field that has no value for that reason.
    """

    line: int
    title: str | None = None
    description: str | None = None
    category: str | None = None
    priority: str | None = None
    status: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    faults: str | None = None
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
    """Import tickets and return their number. What iterating over them raises undoes it all.

    Raises InvalidFile when any has a fault, Unavailable when others hold all connections for this, or when it takes
    longer than `seconds`.
    """
    with database.dedicated_connection(seconds, **_SETTINGS) as connection, connection.transaction():
        statement.run(connection, _STAGE, [])
        with connection.cursor() as cursor, cursor.copy(_FILL.text.encode()) as copy:
            for ticket in tickets:
                copy.write_row(ticket)
        _check(connection)
        values = _INSERT.bind({"created_by": author.name, "created_request": author.request_id})
        with _indexing(database):
            return statement.run(connection, _INSERT, values).command_tuples or 0


@contextmanager
def _indexing(database: Database) -> Iterator[None]:
    """Meanwhile a connection of the pool sorts the new texts into the index by text: half of the work of an import.

    At the end none is left for the next who creates a ticket. A pool of one connection is left to the calls.
    """
    if database.pool.max_size == 1:
        yield
        return
    ended = Event()

    def work() -> None:  # its Problem: only the owner of the index may, and only while a connection is free
        while not ended.wait(_PAUSE_SECONDS):
            database.execute(_INDEX)
        database.execute(_INDEX)

    thread = background.start(work)
    try:
        yield
    finally:
        ended.set()
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
