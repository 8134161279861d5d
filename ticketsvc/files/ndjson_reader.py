"""Reader of NDJSON: one JSON object per line (https://github.com/ndjson/ndjson-spec). Blank lines are ignored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ticketsvc.files import rows
from ticketsvc.files.lines import split
from ticketsvc.store.imports import Line
from ticketsvc.validation import strict_json


def read(chunks: Iterable[bytes], line_limit: int) -> Iterator[Line]:
    """Yield the ticket, or the errors, of each line of a file. `line_limit` is in bytes."""
    for number, line in enumerate(split(chunks, line_limit), 1):
        if len(line) > line_limit:
            yield rows.unreadable(number, f"has more than {line_limit:,} bytes.")
        elif line and not line.isspace():
            yield _ticket(number, line)


def _ticket(number: int, line: bytes) -> Line:
    try:
        members = strict_json.decode(line)
    except ValueError as error:
        return rows.unreadable(number, f"is not {error}.")
    if not isinstance(members, dict):
        return rows.unreadable(number, 'must be a JSON object, such as {"title": "...", "description": "..."}.')
    return rows.ticket(number, members)
