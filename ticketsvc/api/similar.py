"""Tickets that resemble a ticket, or a text that is not one yet."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from ticketsvc.api.input import filters, members
from ticketsvc.api.input.body import json_object
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.problems import FieldError
from ticketsvc.services import services
from ticketsvc.store import similar
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import DESCRIPTION_LENGTH, TITLE_LENGTH

_TEXTS = ("title", "description")
"""The members of a body, one of which may be missing."""

bp = Blueprint("similar", __name__)


@bp.get("/<uuid:ticket_id>/similar")
def to_ticket(ticket_id: UUID) -> Response:
    """Return the tickets that resemble a ticket."""
    filters.parse_none(request.query_string)
    return _response(similar.to_ticket(services().reader, ticket_id))


@bp.post("/similar")
def to_text() -> Response:
    """Return the tickets that resemble a text."""
    body = json_object()
    fields = Fields({name: value for name, value in body.items() if name not in _TEXTS or value not in (None, "")})
    title = fields.text_if_given("title", TITLE_LENGTH)
    description = fields.text_if_given("description", DESCRIPTION_LENGTH)
    members.check_unused(fields, _TEXTS)
    if not any(name in fields.body for name in _TEXTS):
        rule = "The body must have a text: title, description or both."
        fields.errors.append(FieldError({"pointer": "#"}, rule, "required"))
    fields.check()
    return _response(similar.to_text(services().reader, title, description, services().signs))


def _response(json: bytes) -> Response:
    return JsonResponse(json, headers=NO_STORE, may_compress=True)
