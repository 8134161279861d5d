"""Export of tickets as the lines of a file, which Postgres writes."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from ticketsvc.filters import Filters
from ticketsvc.store.filter_parameters import filter_parameters
from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.database import Database

CSV_HEADER = b"id,title,description,category,priority,status,created_at,updated_at,version\r\n"

ROWS_AT_ONCE = 64
"""Rows in one part: few, so that memory stays flat even if every ticket has the maximum length."""

_ALONG_THE_KEY = {"enable_sort": "off"}
"""Forces a scan along the primary key: a sort would write the whole table to disk before the first line."""

_LINE_BREAKS = [(character.encode(), f"\\u{ord(character):04x}".encode()) for character in "\x85\u2028\u2029"]
"""Characters that many programs take for the end of a line, and their escapes in JSON."""

_EXPORT = queries.load("files.export")


class Part(NamedTuple):
    """The next lines of a file, and the number of tickets in them."""

    lines: bytes
    tickets: int


def stream(database: Database, filters: Filters, csv: bool, seconds: float) -> Generator[Part, None, None]:
    """Yield the tickets of one snapshot, oldest first, as NDJSON or as CSV with a header line.

    Close the generator to stop early. Raises Unavailable when BULK_CALLS imports and exports are running, or when the
    export takes longer than `seconds`.
    """
    values = _EXPORT.bind({**filter_parameters(filters), "csv": csv})
    with database.dedicated_connection(seconds, **_ALONG_THE_KEY) as connection:
        header = CSV_HEADER if csv else b""
        for result in statement.stream(connection, _EXPORT, values, ROWS_AT_ONCE):
            rows = range(result.ntuples)
            lines = b"".join([result.get_value(row, 0) or b"" for row in rows])
            if not csv:
                for line_break, escape in _LINE_BREAKS:
                    lines = lines.replace(line_break, escape)
            yield Part(header + lines, len(rows))
            header = b""
