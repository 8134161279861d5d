"""Export of tickets as the lines of a file, which Postgres writes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from types import NoneType
from typing import NamedTuple

from ticketsvc.filters import Filters
from ticketsvc.store.filter_parameters import VARIANTS, filter_parameters, variant
from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.database import Database, cancel_when

CSV_HEADER = (
    b"id,title,description,category,priority,status,created_at,updated_at,version,resolved_at"
    b",requester,assignee,tags,metadata,first_response_at,duplicate_of\r\n"
)

ROWS_AT_ONCE = 8
"""Rows that are received at once: few, so that memory stays flat even if every ticket has the maximum length."""

PART_BYTES = 65_536
"""The size from which a part is sent. Sending each few rows would take three times as much CPU time."""

_ALONG_THE_KEY = {"enable_sort": "off"}
"""Forces a scan along the primary key: a sort would write the whole table to disk before the first line."""

_LINE_BREAKS = [(character.encode(), f"\\u{ord(character):04x}".encode()) for character in "\x85\u2028\u2029"]
"""Characters that many programs take for the end of a line, and their escapes in JSON."""

_EXPORT = queries.load_each("files.export", NoneType, VARIANTS)


class Part(NamedTuple):
    """The next lines of a file, and the number of tickets in them."""

    lines: bytes
    tickets: int


def stream(database: Database, filters: Filters, csv: bool, seconds: float) -> Generator[Part, None, None]:
    """Yield the tickets of one snapshot, oldest first, as NDJSON or as CSV with a header line.

    Close the generator to stop early. Raises the problems of `dedicated_connection`, and Unavailable when the first
    part takes longer than a statement may, or the export longer than `seconds`.
    """
    query = _EXPORT[variant(filters)]
    values = query.bind({**filter_parameters(filters), "csv": csv})
    client, first_until, is_first = database.client(), time.monotonic() + database.statement_timeout, True

    def is_unneeded() -> bool:
        return client.has_left() or (is_first and time.monotonic() > first_until)

    with database.dedicated_connection(seconds, **_ALONG_THE_KEY) as connection:
        cancel_when(connection, is_unneeded)
        results = statement.stream(connection, query, values, ROWS_AT_ONCE)
        for part in _gather(results, CSV_HEADER if csv else b""):
            is_first = False
            yield part if csv else part._replace(lines=_escape_line_breaks(part.lines))


def _escape_line_breaks(lines: bytes) -> bytes:
    for line_break, escape in _LINE_BREAKS:
        lines = lines.replace(line_break, escape)
    return lines


def _gather(results: Iterable[statement.Result], header: bytes) -> Iterator[Part]:
    """Yield the lines of the first result at once, then those of several results together."""
    lines, size, tickets, wanted = [header], len(header), 0, 0
    for result in results:
        rows = [result.get_value(row, 0) or b"" for row in range(result.ntuples)]
        result.clear()  # frees its memory before the lines are copied again
        lines += rows
        size += sum(map(len, rows))
        tickets += len(rows)
        if size >= wanted:
            yield Part(b"".join(lines), tickets)
            lines, size, tickets, wanted = [], 0, 0, PART_BYTES
    if tickets:
        yield Part(b"".join(lines), tickets)
