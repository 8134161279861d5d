"""Tickets: create, list, read, change, delete."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from ticketsvc import compact_json
from ticketsvc.api.auth.authenticator import author
from ticketsvc.api.input import filters, idempotency, members
from ticketsvc.api.input.body import json_object
from ticketsvc.api.input.media_types import MERGE_PATCH
from ticketsvc.api.output import conditional
from ticketsvc.api.output.responses import NO_STORE, JsonResponse, empty_response
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.services import services
from ticketsvc.store import claims, pages, tickets
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import DESCRIPTION_LENGTH, PERSON_LENGTH, TITLE_LENGTH

_NULLABLE = ("requester", "assignee", "tags", "metadata")
"""The members of a body that a change clears if they are null."""
_TEXTS_AND_LABELS = ("title", "description", "category", "priority")
_CREATED = (*_TEXTS_AND_LABELS, *_NULLABLE)
"""The members of a body that creating a ticket uses."""
_CHANGED = (*_TEXTS_AND_LABELS, "status", *_NULLABLE, "duplicate_of")
"""The members of a body that changing a ticket uses."""

bp = Blueprint("tickets", __name__)


@bp.post("")
def create() -> Response:
    """Store a ticket. Labels that the client left out are suggested by the offline classifier."""
    body = json_object()
    key = idempotency.idempotency_key(body)
    fields = Fields(body)
    new = tickets.NewTicket(
        title=fields.text("title", TITLE_LENGTH),
        description=fields.text("description", DESCRIPTION_LENGTH),
        category=fields.choice("category", CATEGORIES),
        priority=fields.choice("priority", PRIORITIES),
        requester=fields.person("requester"),
        assignee=fields.person("assignee"),
        tags=fields.tags("tags"),
        metadata=compact_json.encode_or_none(fields.metadata("metadata")),
    )
    members.check_unused(fields, _CREATED)
    fields.check()
    suggestion = None if new.category and new.priority else services().triage(f"{new.title}\n{new.description}")
    ticket, ticket_id, is_replay = tickets.create(services().database, new, suggestion, author(), key)
    headers = {"Location": f"/api/tickets/{ticket_id}", **(idempotency.REPLAYED if is_replay else {})}
    return _ticket_response(ticket, 201, headers)


@bp.get("")
def list_tickets() -> Response:
    """Return one page of the tickets that match the filters."""
    parameters = filters.parse(request.query_string)
    database, selected = services().reader, parameters.filters
    counted = {"X-Total-Count": str(pages.count(database, selected))} if parameters.count else {}
    page = pages.page(database, selected, parameters.sort, parameters.limit, parameters.cursor)
    headers = {**NO_STORE, **parameters.link(request.path, page.next), **counted}
    return JsonResponse(page.json, headers=headers, may_compress=True)


@bp.post("/claim")
def claim() -> Response:
    """Assign the next ticket that matches the filters, and return it."""
    selected = filters.parse_filters(request.query_string)
    fields = Fields(json_object())
    assignee = fields.text("assignee", PERSON_LENGTH)
    members.check_unused(fields, ("assignee",))
    fields.check()
    ticket = claims.claim(services().database, selected, assignee, author())
    return _ticket_response(ticket) if ticket else empty_response(204)


@bp.get("/<uuid:ticket_id>")
def read(ticket_id: UUID) -> Response:
    """Return one ticket, or 304 if the client has its current version. Raises the problem of an unmet If-Match."""
    condition, ticket = conditional.condition(), tickets.get(services().database, ticket_id)
    if not condition.allows(ticket.version):
        raise condition.unmet(ticket.version)
    if condition.excludes(ticket.version):
        return empty_response(304, _validators(ticket))
    return _ticket_response(ticket)


@bp.patch("/<uuid:ticket_id>")
def change(ticket_id: UUID) -> Response:
    """Change the fields of a ticket that the body contains."""
    fields = Fields(json_object(MERGE_PATCH))
    changes = {
        "title": fields.text_if_given("title", TITLE_LENGTH),
        "description": fields.text_if_given("description", DESCRIPTION_LENGTH),
        "category": fields.choice("category", CATEGORIES),
        "priority": fields.choice("priority", PRIORITIES),
        "status": fields.choice("status", STATUSES),
        "requester": fields.person("requester"),
        "assignee": fields.person("assignee"),
        "tags": fields.tags("tags"),
        "metadata": compact_json.encode_or_none(fields.metadata("metadata")),
        "duplicate_of": fields.ticket_id("duplicate_of"),
        **{f"has_{name}": name in fields.body for name in (*_NULLABLE, "duplicate_of")},
    }
    if changes["duplicate_of"] and changes["status"] not in (None, "closed"):
        fields.add_error("status", "must be closed, or absent, with duplicate_of.", "not_allowed")
    members.check_unused(fields, _CHANGED)
    fields.check()
    return _ticket_response(tickets.update(services().database, ticket_id, changes, conditional.condition(), author()))


@bp.delete("/<uuid:ticket_id>")
def delete(ticket_id: UUID) -> Response:
    """Delete a ticket."""
    tickets.delete(services().database, ticket_id, conditional.condition(), author())
    return empty_response(204)


def _ticket_response(ticket: tickets.Ticket, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JsonResponse(ticket.json, status, {**_validators(ticket), **(headers or {})})


def _validators(ticket: tickets.Ticket) -> dict[str, str]:
    return {
        "ETag": conditional.etag(ticket.version),
        "Cache-Control": "private, no-cache",
        "Accept-Patch": ", ".join(MERGE_PATCH),
    }
