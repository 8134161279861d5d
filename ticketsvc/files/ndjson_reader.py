"""Reader of NDJSON: one JSON object per line (https://github.com/ndjson/ndjson-spec). Blank lines are ignored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ticketsvc.files.lines import split
from ticketsvc.files.rows import Rows, unreadable
from ticketsvc.store.imports import Line
from ticketsvc.validation import strict_json


def read(chunks: Iterable[bytes], line_limit: int, rows: Rows) -> Iterator[Line]:
    """Yield the ticket, or the errors, of each line of a file. `line_limit` is in bytes.

    Stops after a first line that begins another form of JSON.
    """
    unseen, number, is_first = set(rows.renamed), 0, True
    for number, line in enumerate(split(chunks, line_limit), 1):
        if not line or line.isspace():
            continue
        if is_first and (error := _form_error(line.strip())):
            yield unreadable(number, error)
            return
        is_first = False
        if len(line) > line_limit:
            yield unreadable(number, f"has more than {line_limit:,} bytes.")
            continue
        try:
            members = rows.members(_object(line))
        except ValueError as error:
            yield unreadable(number, f"{error}.")
            continue
        if unseen:
            unseen.difference_update(members)
        yield rows.ticket(number, members)
    if not is_first:
        for name in unseen:
            yield unreadable(number, f"is the last one, and none has the member {rows.renamed[name]}.")


def _form_error(line: bytes) -> str:
    """Return the error of a file that begins with a line of JSON, but not with one object."""
    if line.startswith(b"["):
        return "begins a JSON array. Write one object per line: jq -c '.[]' converts such a file."
    return (
        "begins an object over several lines. Write one per line: jq -c . converts such a file." if line == b"{" else ""
    )


def _object(line: bytes) -> dict[str, Any]:
    """Return the members of a line. Raises ValueError with the end of a sentence."""
    try:
        members = strict_json.decode(line)
    except ValueError as error:
        raise ValueError(f"is not {error}") from None
    if not isinstance(members, dict):
        raise ValueError('must be a JSON object, such as {"title": "...", "description": "..."}')
    return members
