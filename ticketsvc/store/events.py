"""The feed of events: references to the history, which triggers write and sql/functions/publish_events.sql numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

from ticketsvc.problems import EventsGone
from ticketsvc.store.bounded_page import PAGE_BYTES, rows_that_fit
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

_FORM = re.compile(r"([0-9a-f]{8})-(0|[1-9][0-9]{0,17})", re.ASCII)


class EventId(NamedTuple):
    """The id of an event, which is also the position after it. Numbers are unique within a generation."""

    generation: str
    seq: int

    def __str__(self) -> str:
        return f"{self.generation}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> EventId:
        """Parse an id. Raises ValueError."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError("not an id of an event")
        return cls(match[1], int(match[2]))


class Event(NamedTuple):
    """An event as clients see it."""

    id: EventId
    json: bytes


class Page(NamedTuple):
    """Successive events, the position after the last of them, and whether more follow."""

    events: list[Event]
    end: EventId
    has_more: bool


class _Row(NamedTuple):
    json: bytes | None
    id: str | None
    is_gone: bool


_PUBLISH = queries.load("events.publish", int)
_LIST = queries.load("events.list", _Row)
_LATEST = queries.load("events.latest", str)


def page(database: Database, after: EventId | None, limit: int, without_internal: bool = False) -> Page:
    """Return at most `limit` events after a position, or the oldest, of all changes that have been committed.

    `without_internal` hides internal comments. There are fewer events if they are large (`PAGE_BYTES`). Raises
    EventsGone if the events after the position are not kept.
    """
    database.rows(_PUBLISH)
    return _read(database.rows(_LIST, _parameters(after, limit, PAGE_BYTES, without_internal)), limit, PAGE_BYTES)


def latest(database: Database) -> EventId:
    """Return the position after all changes that have been committed."""
    database.rows(_PUBLISH)
    return EventId.parse(database.one(_LATEST))


def _parameters(after: EventId | None, limit: int, page_bytes: int, without_internal: bool) -> dict[str, object]:
    """Return the parameters of a page, and of one more event, which tells whether more follow."""
    generation, seq = after or (None, None)
    values = {"generation": generation, "seq": seq, "limit": limit + 1, "page_bytes": page_bytes}
    return {**values, "without_internal": without_internal}


def _read(rows: list[_Row], limit: int, page_bytes: int) -> Page:
    if rows[0].is_gone:
        raise EventsGone
    events = [Event(EventId.parse(row.id or ""), row.json) for row in rows if row.json is not None]
    length = min(limit, rows_that_fit(map(len, (event.json for event in events)), page_bytes)) if events else 0
    end = events[length - 1].id if events else EventId.parse(rows[0].id or "")
    return Page(events[:length], end, len(events) > length)
