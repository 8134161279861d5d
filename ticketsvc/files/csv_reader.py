"""Reader of CSV (RFC 4180) in UTF-8, separated by commas, semicolons or tabs.

The first record names the columns. Records may span lines; blank ones are ignored.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ticketsvc.files.lines import split
from ticketsvc.files.rows import Rows, unreadable
from ticketsvc.store.imports import Line

csv.field_size_limit(2**31 - 1)  # _Lines enforces the limit

SEPARATORS = ",;\t"
_QUOTED = re.compile('"[^"]*"?')


def read(chunks: Iterable[bytes], record_limit: int, rows: Rows) -> Iterator[Line]:
    """Yield the ticket, or the errors, of each record. `record_limit` is in bytes. Stops after an invalid header."""
    records = _records(_Lines(chunks, record_limit))
    line, header, error = next(records, (1, [], ""))
    columns = [rows.column(name) for name in header]
    if error := error or _header_error(columns, rows):
        yield unreadable(line, error)
        return
    used = [(column, number) for number, column in enumerate(columns) if column]
    for line, cells, error in records:
        if error := error or _record_error(cells, columns):
            yield unreadable(line, error)
        else:
            yield rows.ticket(line, {column: cells[number].strip() for column, number in used})


class _Lines:
    """The lines of a file for csv.reader, with their number. Raises csv.Error if a record is too long or not UTF-8."""

    def __init__(self, chunks: Iterable[bytes], record_limit: int) -> None:
        self._lines = split(chunks, record_limit)
        self._limit = record_limit
        self._size = 0
        self.lines_read = 0

    def separator(self) -> str:
        """Return the separator that is most frequent in the header, outside quotes. Reads nothing."""
        header, size, quotes = [], 0, 0
        for line in self._lines:
            header.append(line)
            size += len(line)
            quotes += line.count(b'"')
            if (line.strip() and quotes % 2 == 0) or size > self._limit:
                break
        self._lines = chain(header, self._lines)
        unquoted = _QUOTED.sub("", b"\n".join(header).decode(errors="replace"))
        return max(SEPARATORS, key=unquoted.count)

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
            raise csv.Error(f"the record has more than {self._limit:,} bytes; a quotation mark may be missing")
        try:
            return f"{line.decode()}\n"
        except UnicodeDecodeError as error:
            raise csv.Error(f"line {self.lines_read:,} is not UTF-8 at byte {error.start + 1}") from None


def _records(lines: _Lines) -> Iterator[tuple[int, list[str], str]]:
    """Yield the first line, the cells and the error ("" for none) of each record.

    After an error, a new record begins with the next line.
    """
    reader = csv.reader(lines, strict=True, delimiter=lines.separator())
    while True:
        line = lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, [], f"is not CSV: {str(error).partition(' - ')[0]}."
        else:
            if any(cells) and any(map(str.strip, cells)):
                yield line, cells, ""


def _header_error(columns: Sequence[str | None], rows: Rows) -> str:
    if missing := rows.missing(columns):
        return f"must name the columns, separated by commas, semicolons or tabs. Missing: {', '.join(missing)}."
    twice = [column for column, number in Counter(columns).items() if column and number > 1]
    return f"names a column twice: {', '.join(sorted(twice))}." if twice else ""


def _record_error(cells: Sequence[str], columns: Sequence[str | None]) -> str:
    if len(cells) == len(columns):
        return ""
    return (
        f"has {len(cells):,} cells where the header has {len(columns):,}; a cell with a separator in it must be quoted."
    )
