"""GET /api/events/: every committed change, in an order that never changes."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ticketsvc.api.auth.authenticator import is_public_only
from ticketsvc.api.input import events_query, media_types
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.services import services
from ticketsvc.store import events
from ticketsvc.store.events import EventId, Page

bp = Blueprint("events", __name__, url_prefix="/api/events")
bp.before_request(media_types.require_json_accepted)


@bp.get("")
def list_events() -> Response:
    """Return the next events after an id."""
    parameters = events_query.parse(request.query_string)
    database = services().database
    if isinstance(parameters.after, str):
        page = Page([], events.latest(database), False)
    else:
        page = events.page(database, parameters.after, parameters.limit, is_public_only())
    headers = {**NO_STORE, **position(page.end)}
    if page.has_more:
        headers |= parameters.link(request.path, page.end)
    return JsonResponse(
        b"[%b]\n" % b",".join([event.json for event in page.events]), headers=headers, may_compress=True
    )


def position(end: EventId) -> dict[str, str]:
    """Return the header field with the id from which a client continues."""
    return {"X-Last-Event-Id": str(end)}
