"""The query string of the feed of events."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from ticketsvc.api.input.filters import DEFAULT_LIMIT, page_limit
from ticketsvc.api.input.query import query_parameters
from ticketsvc.store.events import After, EventId, parse_after
from ticketsvc.validation.parameters import whole_number

MAX_WAIT = 30
"""The greatest value of `wait`, in seconds."""


class EventParameters(NamedTuple):
    """The part of the feed that a client requests. `after` None is its beginning."""

    after: After | None
    limit: int
    wait: int

    def link(self, path: str, end: EventId) -> dict[str, str]:
        """Return the header field that links to the page after a position (RFC 8288)."""
        query = urlencode({"after": str(end), "limit": self.limit})
        return {"Link": f'<{path}?{query}>; rel="next"'}


def parse(query_string: bytes, last_event_id: str = "") -> EventParameters:
    """Parse the query string of the feed. `last_event_id` is the header field of that name, which replaces `after`.

    Raises InvalidInput with all errors, and BadRequest if it cannot be decoded.
    """
    parameters = query_parameters(query_string)
    after = parameters.one("after", parse_after, None)
    parsed = EventParameters(
        after=after,
        limit=parameters.one("limit", page_limit, DEFAULT_LIMIT),
        wait=parameters.one("wait", lambda text: whole_number(text, 0, MAX_WAIT, " of seconds"), 0),
    )
    if last_event_id:
        try:
            parsed = parsed._replace(after=EventId.parse(last_event_id))
        except ValueError:
            parameters.add_error("after", "(from Last-Event-ID) must be the id of an event.", "not_allowed")
    parameters.check()
    return parsed
