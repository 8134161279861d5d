"""CSV (RFC 4180) in UTF-8: the first record names the columns. Records may span lines; blank lines are passed over."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from ticketsvc.files import rows
from ticketsvc.files.lines import split
from ticketsvc.store.imports import StagedTicket

csv.field_size_limit(2**31 - 1)  # _Lines has the limit


def read(chunks: Iterable[bytes], record_limit: int) -> Iterator[StagedTicket]:
    """The tickets of a file, record by record; `record_limit` is in bytes. After a faulty header there are none."""
    records = _records(_Lines(chunks, record_limit))
    line, columns, fault = next(records, (1, [], ""))
    if fault := fault or _fault_of_header(columns):
        yield rows.unreadable(line, fault)
        return
    for line, cells, fault in records:
        if fault := fault or _fault_of_record(cells, columns):
            yield rows.unreadable(line, fault)
        else:
            yield rows.ticket(line, dict(zip(columns, cells, strict=True)))


class _Lines:
    """The lines of a file for csv.reader, and how many it has taken. Raises csv.Error for one that it must not see."""

    def __init__(self, chunks: Iterable[bytes], record_limit: int) -> None:
        self._lines = split(chunks, record_limit)
        self._limit = record_limit
        self._size = 0
        self.taken = 0

    def begin_record(self) -> int:
        """The number of the line with which the next record begins."""
        self._size = 0
        return self.taken + 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken += 1
        self._size += len(line) + 1
        if self._size > self._limit + 1:
            raise csv.Error(f"the record has more than {self._limit:,} bytes; is a quotation mark missing?")
        try:
            return f"{line.decode()}\n"
        except UnicodeDecodeError as error:
            raise csv.Error(f"line {self.taken:,} is not UTF-8 at byte {error.start + 1}") from None


def _records(lines: _Lines) -> Iterator[tuple[int, list[str], str]]:
    """Line, cells, and what is wrong with each record, or ""; after one that is wrong the next line begins another."""
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


def _fault_of_header(columns: list[str]) -> str:
    if "title" not in columns or "description" not in columns:
        return "must name the columns, title and description among them, with commas between them."
    if len(set(columns)) < len(columns):
        return "names a column twice."
    return ""


def _fault_of_record(cells: list[str], columns: list[str]) -> str:
    if len(cells) == len(columns):
        return ""
    return f"has {len(cells):,} cells where the header has {len(columns):,}; a cell with a comma in it must be quoted."
