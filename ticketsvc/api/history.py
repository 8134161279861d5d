"""The history of a ticket."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from ticketsvc.api.auth.authenticator import is_public_only
from ticketsvc.api.input import filters
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.services import services
from ticketsvc.store import history

bp = Blueprint("history", __name__)


@bp.get("/<uuid:ticket_id>/history")
def list_entries(ticket_id: UUID) -> Response:
    """Return a page of a ticket's history, oldest first. The history of a deleted ticket has no texts."""
    parameters = filters.parse_history(request.query_string, ticket_id)
    entries, next_cursor = history.page(
        services().database, ticket_id, parameters.limit, parameters.cursor, is_public_only()
    )
    headers = {**NO_STORE, **parameters.link(request.path, next_cursor)}
    return JsonResponse(entries, headers=headers, may_compress=True)
