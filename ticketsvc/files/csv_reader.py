"""Reader of CSV (RFC 4180) in UTF-8.

The first record names the columns. Records may span lines; blank lines are ignored.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from ticketsvc.files import rows
from ticketsvc.files.lines import split
from ticketsvc.store.imports import Line

csv.field_size_limit(2**31 - 1)  # _Lines enforces the limit


def read(chunks: Iterable[bytes], record_limit: int) -> Iterator[Line]:
    """Yield the ticket, or the errors, of each record. `record_limit` is in bytes. Stops after an invalid header."""
    records = _records(_Lines(chunks, record_limit))
    line, columns, error = next(records, (1, [], ""))
    if error := error or _header_error(columns):
        yield rows.unreadable(line, error)
        return
    for line, cells, error in records:
        if error := error or _record_error(cells, columns):
            yield rows.unreadable(line, error)
        else:
            yield rows.ticket(line, dict(zip(columns, cells, strict=True)))


class _Lines:
    """The lines of a file for csv.reader, with their number. Raises csv.Error if a record is too long or not UTF-8."""

    def __init__(self, chunks: Iterable[bytes], record_limit: int) -> None:
        self._lines = split(chunks, record_limit)
        self._limit = record_limit
        self._size = 0
        self.lines_read = 0

    def begin_record(self) -> int:
        """Start a record and return the number of its first line."""
        self._size = 0
        return self.lines_read + 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.lines_read += 1
        self._size += len(line) + 1
        if self._size > self._limit + 1:
            raise csv.Error(f"the record has more than {self._limit:,} bytes; is a quotation mark missing?")
        try:
            return f"{line.decode()}\n"
        except UnicodeDecodeError as error:
            raise csv.Error(f"line {self.lines_read:,} is not UTF-8 at byte {error.start + 1}") from None


def _records(lines: _Lines) -> Iterator[tuple[int, list[str], str]]:
    """Yield the first line, the cells and the error ("" for none) of each record.

    After an error, a new record begins with the next line.
    """
    reader = csv.reader(lines, strict=True)
    while True:
        line = lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, [], f"is not CSV: {str(error).partition(' - ')[0]}."
        else:
            if cells:
                yield line, cells, ""


def _header_error(columns: list[str]) -> str:
    if "title" not in columns or "description" not in columns:
        return "must name the columns, separated by commas, including title and description."
    if len(set(columns)) < len(columns):
        return "names a column twice."
    return ""


def _record_error(cells: list[str], columns: list[str]) -> str:
    if len(cells) == len(columns):
        return ""
    return f"has {len(cells):,} cells where the header has {len(columns):,}; a cell with a comma in it must be quoted."
