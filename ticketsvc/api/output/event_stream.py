"""Responses that wait for events: long polling, and server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from flask import Response, request

from ticketsvc import compact_json
from ticketsvc.api.output import position as lsn
from ticketsvc.compact_json import json_array
from ticketsvc.feed import Feed, Listener, comment
from ticketsvc.problems import Problem
from ticketsvc.server import metrics
from ticketsvc.server.waiting import WaitingBody
from ticketsvc.store.events import EventId

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEARTBEAT_SECONDS = 15.0
RECONNECT_MS, OVERLOADED_MS = 3_000, 10_000
"""Time after which a browser connects again."""
HEARTBEAT = b":\n"
"""A comment. With an empty line after it some clients would see an event without data."""

STREAM = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",  # no proxy compresses it, and delays it for that
    "X-Accel-Buffering": "no",  # nginx sends each event at once
}


def position(end: EventId) -> dict[str, str]:
    """Return the header field with the id from which a client continues."""
    return {"X-Last-Event-Id": str(end)}


def overloaded() -> Response:
    """Return a stream that ends at once. After a 503 a browser would never connect again."""
    return Response(f"retry: {OVERLOADED_MS}\n\n", headers=STREAM)


class _Waiting(Response):
    """A response that waits for events. A greenlet sends it, outside of the request's context."""

    kind: str
    """Its kind in the metrics."""

    def __init__(self, feed: Feed, listener: Listener, headers: dict[str, str]) -> None:
        super().__init__((), headers=headers)
        self._feed, self._listener = feed, listener
        feed.join(listener)
        metrics.EVENT_LISTENERS.labels(self.kind).inc()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the response. The listener leaves when it is complete, or when its client has left."""
        return WaitingBody(self._chunks(start_response), str(request.url_rule), self._leave)

    def _chunks(self, start_response: StartResponse) -> Iterator[bytes]:
        raise NotImplementedError

    def _leave(self) -> None:
        self._feed.leave(self._listener)
        metrics.EVENT_LISTENERS.labels(self.kind).dec()


class EventStream(_Waiting):
    """Events as they happen, until the client leaves or the service ends."""

    kind = "stream"

    def __init__(self, feed: Feed, listener: Listener) -> None:
        super().__init__(feed, listener, STREAM)

    def _chunks(self, start_response: StartResponse) -> Iterator[bytes]:
        start_response(self.status, self.headers.to_wsgi_list())
        return self._events()

    def _events(self) -> Iterator[bytes]:
        yield comment(self._feed.position) + _first(self._listener.position)
        while True:
            try:
                batch = self._feed.next(self._listener, HEARTBEAT_SECONDS)
            except Problem:  # gone, or the database is away: the client learns it when it connects again
                return
            if self._listener.is_ended:
                return
            self._listener.sending_since = time.monotonic()
            if batch:
                metrics.EVENTS_SENT.inc(len(batch.events))
                self._listener.position = batch.end
            yield batch.stream if batch else HEARTBEAT
            self._listener.sending_since = 0.0
            time.sleep(0)  # sending does not yield while the client reads fast


class LongPoll(_Waiting):
    """The next events, at most `limit`, as soon as there are any, or none after `seconds`."""

    kind = "poll"

    def __init__(self, feed: Feed, listener: Listener, limit: int, seconds: float, headers: dict[str, str]) -> None:
        super().__init__(feed, listener, {"Content-Type": "application/json", **headers})
        self._limit, self._seconds = limit, seconds

    def _chunks(self, start_response: StartResponse) -> Iterator[bytes]:
        """Wait, then send the head as well."""
        batch = None
        with suppress(Problem):  # the client learns it with its next request
            batch = self._feed.next(self._listener, self._seconds)
        events = batch.events[: self._limit] if batch else []
        shared = batch.array if batch and len(events) == len(batch.events) else None
        body = shared or json_array(event.json for event in events)
        metrics.EVENTS_SENT.inc(len(events))
        end = events[-1].id if events else self._listener.position
        self.headers.update({"Content-Length": str(len(body)), **position(end)})
        if batch:
            self.headers.update(lsn.header(batch.position))
        start_response(self.status, self.headers.to_wsgi_list())
        yield body


def _first(start: EventId) -> bytes:
    """Return what tells the position before there is an event."""
    data = compact_json.encode({"id": str(start)})
    return f"retry: {RECONNECT_MS}\nid: {start}\nevent: position\ndata: {data}\n\n".encode()
