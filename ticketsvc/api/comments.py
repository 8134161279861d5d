"""The comments of a ticket: add, list, read, delete. They cannot be changed."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from ticketsvc.api.auth.authenticator import author, is_public_only, require_internal_allowed
from ticketsvc.api.input import filters, idempotency, members
from ticketsvc.api.input.body import json_object
from ticketsvc.api.output import conditional
from ticketsvc.api.output.responses import NO_STORE, JsonResponse, empty_response
from ticketsvc.enums import STATUSES
from ticketsvc.services import services
from ticketsvc.store import comments
from ticketsvc.store.comments import NewComment
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import COMMENT_LENGTH

_CREATED = ("body", "author", "internal", "status")
"""The members of a body that adding a comment uses."""

bp = Blueprint("comments", __name__, url_prefix="/<uuid:ticket_id>/comments")


@bp.post("")
def create(ticket_id: UUID) -> Response:
    """Add a comment, and set the status of the ticket if the body has one."""
    document, editor = json_object(), author()
    key = idempotency.idempotency_key(document, str(ticket_id))
    fields = Fields(document)
    comment = NewComment(
        body=fields.text("body", COMMENT_LENGTH),
        author=fields.person("author") or editor.name,
        internal=fields.switch("internal"),
        status=fields.choice("status", STATUSES),
    )
    members.check_unused(fields, _CREATED)
    fields.check()
    if comment.internal:
        require_internal_allowed()
    added = comments.create(services().database, ticket_id, comment, conditional.condition(), editor, key)
    headers = {"Location": f"/api/tickets/{ticket_id}/comments/{added.id}", **NO_STORE}
    return JsonResponse(added.json, 201, headers | (idempotency.REPLAYED if added.is_replayed else {}))


@bp.get("")
def list_comments(ticket_id: UUID) -> Response:
    """Return a page of the comments, oldest first unless `sort` says otherwise."""
    parameters = filters.parse_comments(request.query_string, ticket_id)
    visible = tuple(internal for internal in _visible() if parameters.internal in (None, internal))
    found, following = comments.page(
        services().database, ticket_id, visible, parameters.sort, parameters.limit, parameters.cursor
    )
    headers = {**NO_STORE, **parameters.link(request.path, following)}
    return JsonResponse(found, headers=headers, may_compress=True)


@bp.get("/<uuid:comment_id>")
def read(ticket_id: UUID, comment_id: UUID) -> Response:
    """Return one comment."""
    return JsonResponse(comments.get(services().database, ticket_id, comment_id, _visible()), headers=NO_STORE)


@bp.delete("/<uuid:comment_id>")
def delete(ticket_id: UUID, comment_id: UUID) -> Response:
    """Delete a comment."""
    comments.delete(services().database, ticket_id, comment_id, _visible(), conditional.condition(), author())
    return empty_response(204)


def _visible() -> tuple[bool, ...]:
    return comments.PUBLIC if is_public_only() else comments.EVERY
