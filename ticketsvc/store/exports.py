"""Many tickets out of the database, as the lines of a file. Postgres writes the lines; here they pass through."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from ticketsvc.filters import Filters
from ticketsvc.store.filter_parameters import filter_parameters
from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.database import Database

CSV_HEADER = b"id,title,description,category,priority,status,created_at,updated_at,version\r\n"

ROWS_AT_ONCE = 64
"""Few, so that memory stays flat where every ticket is as long as one can be."""

_ALONG_THE_KEY = {"enable_sort": "off"}
"""The table is walked in the order of its ids: to sort it, Postgres would write it to disk before the first line."""

_EXPORT = queries.load("files.export")


class Part(NamedTuple):
    """The next lines of a file, and how many tickets they have."""

    lines: bytes
    tickets: int


def stream(database: Database, filters: Filters, csv: bool, seconds: float) -> Generator[Part, None, None]:
    """The tickets, oldest first, of one snapshot, as NDJSON or as CSV with its header.

    Close it to end it early. Raises Unavailable when others hold all connections for this, or when it takes longer
    than `seconds`.
    """
    values = _EXPORT.bind({**filter_parameters(filters), "csv": csv})
    with database.dedicated_connection(seconds, **_ALONG_THE_KEY) as connection:
        header = CSV_HEADER if csv else b""
        for result in statement.stream(connection, _EXPORT, values, ROWS_AT_ONCE):
            rows = range(result.ntuples)
            yield Part(header + b"".join([result.get_value(row, 0) or b"" for row in rows]), len(rows))
            header = b""
