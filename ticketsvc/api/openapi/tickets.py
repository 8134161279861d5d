"""Tickets."""

from __future__ import annotations

from ticketsvc import problems
from ticketsvc.api.input.body import JSON, MERGE_PATCH
from ticketsvc.api.openapi.answers import WITH_BODY, empty_answer, json_answer
from ticketsvc.api.openapi.notation import Json, parameter, schema
from ticketsvc.api.openapi.operation import API, json_body, operation
from ticketsvc.api.openapi.parameters import FILTERS, PAGE

_VALIDATORS = ("ETag", "Accept-Patch")
_ONE = [parameter("ticket_id")]

_NEW = {
    "everything": (
        "All that can be said",
        {
            "title": "Charged twice",
            "description": "My card was charged twice for the May invoice.",
            "category": "billing",
            "priority": "high",
        },
    ),
    "texts": (
        "Category and priority left to triage",
        {"title": "Cannot log in", "description": "Nobody in our company can log in since this morning!"},
    ),
}
_CHANGES = {
    "status": ("Work on it begins", {"status": "in_progress"}),
    "labels": ("A correction, from which triage learns", {"category": "account", "priority": "low"}),
    "texts": ("Other words", {"title": "Charged twice in May", "description": "The invoice of 4 May."}),
    "nothing": ("No change", {}),
}

PATHS: Json = {
    "/api/tickets/": {
        "get": operation(
            "api.tickets.list_page",
            "listTickets",
            "Tickets",
            "List tickets",
            "A page of the tickets that all given filters allow. Follow `Link` to the next page: a walk meets every "
            "ticket that exists throughout exactly once, whatever else is written meanwhile.",
            {
                "200": json_answer(
                    "A page of tickets.", {"type": "array", "items": schema("Ticket")}, ("Link", "X-Total-Count")
                )
            },
            (*API, problems.InvalidInput),
            takes=(*FILTERS, "sort", *PAGE, "count"),
        ),
        "post": operation(
            "api.tickets.create",
            "createTicket",
            "Tickets",
            "Create a ticket",
            "A category or a priority that is left out is decided from the text, at once, without a model outside.",
            {
                "201": json_answer(
                    "The new ticket.", schema("Ticket"), ("Location", "Idempotent-Replayed", *_VALIDATORS)
                )
            },
            (*API, *WITH_BODY, problems.CreateInProgress, problems.KeyReused),
            takes=("Idempotency-Key",),
            body=json_body("NewTicket", _NEW, JSON),
        ),
    },
    "/api/tickets/{ticket_id}": {
        "parameters": _ONE,
        "get": operation(
            "api.tickets.read",
            "readTicket",
            "Tickets",
            "Read a ticket",
            "With its `ETag`, which a later change can name in `If-Match`.",
            {
                "200": json_answer("The ticket.", schema("Ticket"), _VALIDATORS),
                "304": empty_answer("The caller has it: If-None-Match names its ETag.", _VALIDATORS),
            },
            (*API, problems.NotFound),
            takes=("If-None-Match",),
        ),
        "patch": operation(
            "api.tickets.change",
            "changeTicket",
            "Tickets",
            "Change a ticket",
            "Changes the fields that the body has. With `If-Match` it is done only if nobody else has changed the "
            "ticket since: of two callers with the same ETag exactly one succeeds.",
            {"200": json_answer("The ticket after the change.", schema("Ticket"), _VALIDATORS)},
            (*API, *WITH_BODY, problems.NotFound, problems.VersionMismatch),
            takes=("If-Match",),
            body=json_body("TicketChange", _CHANGES, MERGE_PATCH),
        ),
        "delete": operation(
            "api.tickets.delete",
            "deleteTicket",
            "Tickets",
            "Delete a ticket",
            "For good.",
            {"204": empty_answer("It is deleted.")},
            (*API, problems.NotFound, problems.VersionMismatch),
            takes=("If-Match",),
        ),
    },
    "/api/tickets/{ticket_id}/history": {
        "parameters": _ONE,
        "get": operation(
            "api.history.page",
            "readHistory",
            "Tickets",
            "What happened to a ticket",
            "Oldest first. The history of a deleted ticket stays, without its texts.",
            {"200": json_answer("A page of entries.", {"type": "array", "items": schema("HistoryEntry")}, ("Link",))},
            (*API, problems.InvalidInput, problems.NotFound),
            takes=("limit", "cursor"),
        ),
    },
}
