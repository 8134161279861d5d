"""Import of a file of tickets: all of them or none.

COPY writes the tickets to a temporary table as they arrive. One INSERT at the end stores them, so that locks of
counters are held only for that statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import NamedTuple

from ticketsvc import background
from ticketsvc.problems import InvalidFile, LineError
from ticketsvc.store import search_index
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.database import Database

MAX_ERRORS = 1000
"""The maximum number of listed errors."""
MAX_INVALID_LINES = 10_000
"""The number of invalid lines after which the rest of the file is not read."""

_STAGE = queries.load("files.stage")
_FILL = queries.load("files.fill")
_INSERT = queries.load("files.insert")

_SETTINGS = {"lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}
"""Waiting for a lock or for a busy worker beats rejecting an uploaded file; the statement timeout still applies."""

_PAUSE_SECONDS = 0.05


class StagedTicket(NamedTuple):
    """A row of the staging table (sql/files/stage.sql): valid texts and labels, times that Postgres reads.

    Files have no suggestions; demo tickets do.
    """

    title: str
    description: str
    category: str | None
    priority: str | None
    status: str | None
    created_at: str | None
    updated_at: str | None
    resolved_at: str | None = None
    requester: str | None = None
    assignee: str | None = None
    tags: list[str] | None = None
    metadata: str | None = None
    first_response_at: str | None = None
    suggested_category: str | None = None
    category_confidence: float | None = None
    suggested_priority: str | None = None
    priority_confidence: float | None = None
    suggested_by: str | None = None


Line = StagedTicket | list[LineError]
"""A line of a file: its ticket, or what is wrong with it."""


def run(database: Database, lines: Iterable[Line], author: Author, seconds: float) -> int:
    """Import tickets and return their number. An exception raised by the iterable rolls everything back.

    Raises InvalidFile when any line has an error, Unavailable when BULK_CALLS imports and exports are running or when
    the import takes longer than `seconds`.
    """
    with ExitStack() as after_commit, database.dedicated_connection(seconds, **_SETTINGS) as connection:
        statement.run(connection, _STAGE, [])
        with connection.cursor() as cursor, cursor.copy(_FILL.text.encode()) as copy:
            for ticket in _valid(lines):
                copy.write_row(ticket)
        values = _INSERT.bind({"created_by": author.name, "created_request": author.request_id})
        after_commit.enter_context(_index_texts(database))
        return statement.run(connection, _INSERT, values).command_tuples or 0


def _valid(lines: Iterable[Line]) -> Iterator[StagedTicket]:
    """Yield the tickets until a line has an error; then only count errors, and raise InvalidFile at the end."""
    errors: list[LineError] = []
    total_errors = faulty_lines = 0
    for line in lines:
        if isinstance(line, StagedTicket):
            if not errors:
                yield line
            continue
        errors += line[: MAX_ERRORS - len(errors)]
        total_errors += len(line)
        faulty_lines += 1
        if faulty_lines == MAX_INVALID_LINES:
            break
    if errors:
        raise InvalidFile(errors, total_errors, faulty_lines, faulty_lines < MAX_INVALID_LINES)


@contextmanager
def _index_texts(database: Database) -> Iterator[None]:
    """Insert the new texts into the trigram index meanwhile, on a connection of the pool: half the work of an import.

    The end waits until the index has no pending texts, which would delay the next create: commit the import before.
    With a pool of one connection nothing is done, so that requests can use it.
    """
    if database.pool.max_size == 1:
        yield
        return
    has_ended = Event()

    def work() -> None:  # raises a Problem if no connection is free
        while not has_ended.wait(_PAUSE_SECONDS):
            search_index.index_pending(database)
        search_index.index_pending(database)

    thread = background.run_in_background(work)
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
