"""Responses that wait for events: long polling, and server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from flask import Response, request

from ticketsvc import compact_json
from ticketsvc.feed import Feed, Listener, json_array
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


class EventStream(Response):
    """Events as they happen, until the client leaves or the service ends."""

    def __init__(self, feed: Feed, listener: Listener) -> None:
        super().__init__((), headers=STREAM)
        self._feed, self._listener = feed, listener
        feed.join(listener)
        metrics.EVENT_LISTENERS.labels("stream").inc()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the response. A greenlet serves it, outside of the request's context."""
        start_response(self.status, self.headers.to_wsgi_list())
        return _body(_stream(self._feed, self._listener), self._feed, self._listener, "stream")


def _stream(feed: Feed, listener: Listener) -> Iterator[bytes]:
    yield _first(listener.position)
    while True:
        try:
            batch = feed.next(listener, HEARTBEAT_SECONDS)
        except Problem:  # gone, or the database is away: the client learns it when it connects again
            return
        if listener.is_ended:
            return
        listener.sending_since = time.monotonic()
        if batch:
            metrics.EVENTS_SENT.inc(len(batch.events))
            listener.position = batch.end
        yield batch.stream if batch else HEARTBEAT
        listener.sending_since = 0.0
        time.sleep(0)  # sending does not yield while the client reads fast


def _first(start: EventId) -> bytes:
    """Return what tells the position before there is an event."""
    data = compact_json.encode({"id": str(start)})
    return f"retry: {RECONNECT_MS}\nid: {start}\nevent: position\ndata: {data}\n\n".encode()


class LongPoll(Response):
    """The next events, at most `limit`, as soon as there are any, or none after `seconds`."""

    def __init__(self, feed: Feed, listener: Listener, limit: int, seconds: float, headers: dict[str, str]) -> None:
        super().__init__((), headers={"Content-Type": "application/json", **headers})
        self._feed, self._listener, self._limit, self._seconds = feed, listener, limit, seconds
        feed.join(listener)
        metrics.EVENT_LISTENERS.labels("poll").inc()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the response. Its head is sent at the end of the wait."""
        body = _poll(
            self._feed, self._listener, self._limit, self._seconds, self.headers.to_wsgi_list(), start_response
        )
        return _body(body, self._feed, self._listener, "poll")


def _poll(
    feed: Feed,
    listener: Listener,
    limit: int,
    seconds: float,
    headers: list[tuple[str, str]],
    start_response: StartResponse,
) -> Iterator[bytes]:
    batch = None
    with suppress(Problem):  # the client learns it with its next request
        batch = feed.next(listener, seconds)
    events = batch.events[:limit] if batch else []
    body = batch.array if batch and len(events) == len(batch.events) else json_array(events)
    metrics.EVENTS_SENT.inc(len(events))
    end = events[-1].id if events else listener.position
    start_response("200 OK", [*headers, *position(end).items(), ("Content-Length", str(len(body)))])
    yield body


def _body(chunks: Iterator[bytes], feed: Feed, listener: Listener, kind: str) -> WaitingBody:
    return WaitingBody(chunks, str(request.url_rule), partial(_leave, feed, listener, kind))


def _leave(feed: Feed, listener: Listener, kind: str) -> None:
    feed.leave(listener)
    metrics.EVENT_LISTENERS.labels(kind).dec()
