"""Import of a file of tickets: all of them or none.

COPY writes the tickets to a temporary table as they arrive. At the end they are stored, a batch at a time: the texts of
one batch are inserted into the index while the next one is stored. Only the last batch locks counters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import NamedTuple

from ticketsvc import background
from ticketsvc.problems import InvalidFile, LineError, Unavailable
from ticketsvc.store import search_index
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.database import Database

MAX_ERRORS = 1000
"""The maximum number of listed errors."""
MAX_INVALID_LINES = 10_000
"""The number of invalid lines after which the rest of the file is not read."""

BATCH = 5_000
"""The number of tickets that a statement stores."""

_STAGE = queries.load("files.stage")
_STAGE_ORDER = queries.load("files.stage_order")
_FILL = queries.load("files.fill")
_ORDER = queries.load("files.order", int)
_INSERT = queries.load("files.insert")

_SETTINGS = {"lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}
"""Waiting for a lock or for a busy worker beats rejecting an uploaded file; the statement timeout still applies."""


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
    deadline = time.monotonic() + seconds
    with ExitStack() as after_commit, database.dedicated_connection(seconds, **_SETTINGS) as connection:
        statement.run(connection, _STAGE, [])
        statement.run(connection, _STAGE_ORDER, [])
        with connection.cursor() as cursor, cursor.copy(_FILL.text.encode()) as copy:
            for ticket in _valid(lines):
                copy.write_row(ticket)
        [total] = _ORDER.decode(statement.run(connection, _ORDER, []))
        values = {"created_by": author.name, "created_request": author.request_id, "limit": BATCH}
        index_batch = after_commit.enter_context(_indexing(database))
        for stored in range(0, total, BATCH):
            if time.monotonic() > deadline:
                raise Unavailable("The import took too long and was rolled back. Split the file.", 60)
            counting = "deferred" if stored + BATCH < total else ""
            statement.run(connection, _INSERT, _INSERT.bind({**values, "after_number": stored, "counting": counting}))
            index_batch()
        return total


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
def _indexing(database: Database) -> Iterator[Callable[[], object]]:
    """Insert new texts into the trigram index meanwhile, on a connection of the pool: half the work of an import.

    Yields a function to call when a batch is stored. The end waits until the index has no pending texts, which would
    delay the next create: commit the import before. With a pool of one connection nothing is done, so that requests can
    use it.
    """
    if database.pool.max_size == 1:
        yield lambda: None
        return
    has_more, has_ended = Event(), Event()

    def work() -> None:  # raises a Problem if no connection is free
        while not has_ended.is_set():
            has_more.wait()
            has_more.clear()
            search_index.index_pending(database)
        search_index.index_pending(database)

    thread = background.run_in_background(work)
    try:
        yield has_more.set
    finally:
        has_ended.set()
        has_more.set()
        thread.join()
