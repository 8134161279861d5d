"""GET /api/events/: every committed change, in an order that never changes, as pages or as a stream."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ticketsvc.api.auth.authenticator import is_public_only, key_digest
from ticketsvc.api.input import events_query, media_types
from ticketsvc.api.input.events_query import EventParameters
from ticketsvc.api.output import event_stream
from ticketsvc.api.output.event_stream import EventStream, LongPoll
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.feed import Listener
from ticketsvc.problems import Unavailable
from ticketsvc.services import services
from ticketsvc.store import events
from ticketsvc.store.events import LATEST, EventId, Page

MAX_SECONDS = 25
"""A longer wait is shortened: routers end requests after 30 s."""

bp = Blueprint("events", __name__, url_prefix="/api/events")


@bp.get("")
def list_events() -> Response:
    """Return the next events after an id, or follow them."""
    if media_types.prefers_event_stream():
        return _stream(events_query.parse(request.query_string, request.headers.get("Last-Event-ID", "")))
    parameters = events_query.parse(request.query_string)
    database = services().database
    if parameters.after == LATEST:
        page = Page([], events.latest(database), False)
    else:
        page = events.page(database, parameters.after, parameters.limit, is_public_only())
    if parameters.wait and not page.events and parameters.after != LATEST and request.method == "GET":
        seconds = min(parameters.wait, MAX_SECONDS)
        return LongPoll(services().feed, _listener(page.end), parameters.limit, seconds, NO_STORE)
    headers = {**NO_STORE, **event_stream.position(page.end)}
    if page.has_more:
        headers |= parameters.link(request.path, page.end)
    return JsonResponse(page.json, headers=headers, may_compress=True)


def _stream(parameters: EventParameters) -> Response:
    """Return a stream of events, or what a browser needs if there are too many."""
    database, after = services().database, parameters.after
    start = events.latest(database) if after == LATEST else events.start(database, after)
    if request.method == "HEAD":
        return Response(iter(()), headers=event_stream.STREAM)  # not empty: Flask would set a Content-Length of 0
    try:
        return EventStream(services().feed, _listener(start))
    except Unavailable:
        return event_stream.overloaded()


def _listener(position: EventId) -> Listener:
    name, connection = services().database.client().name, request.environ.get("gunicorn.socket")
    return Listener(name, connection, position, key_digest(), is_public_only())
