"""What happened to a ticket."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from ticketsvc.api.input import filters
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.services import services
from ticketsvc.store import history

bp = Blueprint("history", __name__)


@bp.get("/<uuid:ticket_id>/history")
def page(ticket_id: UUID) -> Response:
    """A page of a ticket's history, oldest first; of a deleted ticket without its texts."""
    asked = filters.parse_history(request.query_string, ticket_id)
    entries, following = history.page(services().database, ticket_id, asked.limit, asked.cursor)
    return JsonResponse(entries, headers={**NO_STORE, **asked.link(request.path, following)})
