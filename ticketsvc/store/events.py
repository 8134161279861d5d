"""The feed of events: references to the history, which triggers write and sql/functions/publish_events.sql numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from ticketsvc.compact_json import json_array
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


LATEST: Literal["latest"] = "latest"
"""In place of the id of an event: the newest one."""

After = EventId | Literal["latest"]
"""The last event that a reader does not get."""


def parse_after(text: str) -> After:
    """Return the event behind which a reader begins. Raises ValueError with the end of a sentence."""
    if text == LATEST:
        return LATEST
    try:
        return EventId.parse(text)
    except ValueError:
        raise ValueError(f"must be the id of an event, or {LATEST}") from None


class Event(NamedTuple):
    """An event as clients see it. `age` is the time since the change was begun, in seconds."""

    id: EventId
    json: bytes
    age: float


class Page(NamedTuple):
    """Successive events, the position after the last of them, and whether more follow."""

    events: list[Event]
    end: EventId
    has_more: bool

    @property
    def json(self) -> bytes:
        """The events as a JSON array."""
        return json_array(event.json for event in self.events)


class _Row(NamedTuple):
    json: bytes | None
    id: str | None
    is_gone: bool
    age: float | None


class Poll(NamedTuple):
    """Number of the events that were published, and the newest position before."""

    published: int
    latest: str


BATCH_BYTES = 32_768
"""The size of the JSON at which a batch for listeners ends."""
BATCH_EVENTS = 500
PUBLISHED_AT_ONCE = 10_000
"""The number in sql/events/publish.sql and poll.sql."""
PRUNED_AT_ONCE = 5_000
"""The number in sql/events/prune.sql."""

_PUBLISH = queries.load("events.publish", int)
_LIST = queries.load("events.list", _Row)
_LATEST = queries.load("events.latest", str)
_POLL = queries.load("events.poll", Poll)
_PRUNE = queries.load("events.prune", int)
_OPEN_GENERATION = queries.load("events.open_generation", str)
_UNPUBLISHED = queries.load("events.unpublished", float)


def page(database: Database, after: EventId | None, limit: int, without_internal: bool = False) -> Page:
    """Return at most `limit` events after a position, or the oldest, of all changes that have been committed.

    `without_internal` hides internal comments. There are fewer events if they are large (`PAGE_BYTES`). Raises
    EventsGone if the events after the position are not kept.
    """
    database.rows(_PUBLISH)
    return _page(database.rows(_LIST, _parameters(after, limit + 1, PAGE_BYTES, without_internal)), limit, PAGE_BYTES)


def batch(database: Database, after: EventId, without_internal: bool) -> Page:
    """Return the next published events after a position for a listener. Listeners at the same position share it.

    Raises EventsGone.
    """
    return database.shared(("events", after, without_internal), lambda: _batch(database.rows, after, without_internal))


def watched_batch(database: Database, after: EventId, without_internal: bool) -> Page:
    """Return the same as `batch`, on a connection that requests do not take."""
    return _batch(database.rows_in_reserve, after, without_internal)


def latest(database: Database) -> EventId:
    """Return the position after all changes that have been committed."""
    publish(database)
    return EventId.parse(database.one(_LATEST))


def start(database: Database, after: EventId | None) -> EventId:
    """Return a position from which a reader can continue, or that before the oldest event. Raises EventsGone."""
    return _page(database.rows(_LIST, _parameters(after, 0, 0, False)), 0, 0).end


def poll(database: Database) -> Poll:
    """Publish, and return what there is to read, on a connection that requests do not take."""
    [found] = database.rows_in_reserve(_POLL)
    return found


def publish(database: Database) -> None:
    """Publish the events of all changes that have been committed."""
    while database.one(_PUBLISH) == PUBLISHED_AT_ONCE:
        pass


def prune(database: Database, days: int) -> None:
    """Delete events that were published more than `days` ago."""
    while database.one(_PRUNE, {"days": days}) == PRUNED_AT_ONCE:
        pass


def open_generation(database: Database) -> str:
    """Let readers start over that have seen more than there is. Returns the position of the newest event."""
    return database.one(_OPEN_GENERATION)


def unpublished_seconds(database: Database) -> float:
    """Return the age of the oldest event of a committed change that is not published, 0 without one."""
    return database.one(_UNPUBLISHED)


def _batch(rows: Callable[..., list[_Row]], after: EventId, without_internal: bool) -> Page:
    parameters = _parameters(after, BATCH_EVENTS + 1, BATCH_BYTES, without_internal)
    return _page(rows(_LIST, parameters), BATCH_EVENTS, BATCH_BYTES)


def _parameters(after: EventId | None, limit: int, page_bytes: int, without_internal: bool) -> dict[str, object]:
    generation, seq = after or (None, None)
    values = {"generation": generation, "seq": seq, "limit": limit, "page_bytes": page_bytes}
    return {**values, "without_internal": without_internal}


def _page(rows: list[_Row], limit: int, page_bytes: int) -> Page:
    """Return the events that fit. One more row than that tells whether others follow."""
    if rows[0].is_gone:
        raise EventsGone
    events = [Event(EventId.parse(row.id or ""), row.json, row.age or 0.0) for row in rows if row.json is not None]
    length = min(limit, rows_that_fit(map(len, (event.json for event in events)), page_bytes)) if events else 0
    end = events[length - 1].id if length else EventId.parse(rows[0].id or "")
    return Page(events[:length], end, len(events) > length)
