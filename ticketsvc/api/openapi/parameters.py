"""Parameters. The limits are those of the parsers (`ticketsvc.api.input.filters`)."""

from __future__ import annotations

from collections.abc import Iterable

from ticketsvc.api.input.filters import DEFAULT_LIMIT, MAX_LIMIT
from ticketsvc.api.input.idempotency import MAX_LENGTH as MAX_KEY
from ticketsvc.api.openapi.notation import Json, parameter
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.files import FORMATS
from ticketsvc.store.pages import SORTS

NO_NUL = "^[^\\u0000]*$"
EMPTY: Json = {"const": ""}
"""An empty parameter counts as absent."""
DATE: Json = {"anyOf": [{"type": "string", "format": "date"}, EMPTY]}
TIME: Json = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}, EMPTY]}


def _query(name: str, description: str, schema: Json, *examples: object, **more: object) -> Json:
    shape = {**schema, "examples": list(examples)} if examples else schema
    return {"name": name, "in": "query", "description": description, "schema": shape, **more}


def _header(name: str, description: str, example: str) -> Json:
    shape = {"type": "string", "examples": [example]}
    return {"name": name, "in": "header", "description": description, "schema": shape}


def _or_empty(values: Iterable[str]) -> Json:
    return {"type": "string", "enum": [*values, ""]}


def _facet(name: str, values: tuple[str, ...], example: str) -> Json:
    return _query(
        name,
        f"Only tickets with one of these, separated by commas; it may also be repeated. Empty: any {name}.",
        {"type": "array", "items": _or_empty(values)},
        [example],
        style="form",
        explode=False,
    )


def _time(name: str, description: str) -> Json:
    return _query(name, f"{description}: RFC 3339, or a date for its first moment in UTC.", TIME, "2026-01-31")


PARAMETERS: Json = {
    "ticket_id": {
        "name": "ticket_id",
        "in": "path",
        "required": True,
        "description": "The ticket's id, as creating it answered.",
        "schema": {"type": "string", "format": "uuid", "examples": ["0192a3b4-c5d6-7e8f-9012-3456789abcde"]},
    },
    "category": _facet("category", CATEGORIES, "billing"),
    "priority": _facet("priority", PRIORITIES, "high"),
    "status": _facet("status", STATUSES, "open"),
    "search": _query(
        "search",
        "Only tickets that have all these words in the title or the description, in any letter case, as parts of words "
        'too. `"a phrase"` keeps its words together, `-word` excludes.',
        {"type": "string", "pattern": NO_NUL},
        "invoice",
    ),
    "created_since": _time("created_since", "Only tickets created at this time or later"),
    "created_before": _time("created_before", "Only tickets created before this time"),
    "updated_since": _time("updated_since", "Only tickets changed (or created) at this time or later"),
    "updated_before": _time("updated_before", "Only tickets not changed (or created) since this time"),
    "sort": _query(
        "sort",
        "The order. `-priority` has the most urgent first, then the newest.",
        {**_or_empty(SORTS), "default": "-created_at"},
        "-priority",
    ),
    "limit": _query(
        "limit",
        "How many there are on a page at most.",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        50,
    ),
    "cursor": _query(
        "cursor",
        "Where the page starts. Take it from the `Link` of the page before: it means nothing by itself, and belongs to "
        "one order of one list.",
        {"type": "string", "format": "cursor"},
    ),
    "count": _query(
        "count",
        "Whether the answer has X-Total-Count.",
        {"type": "boolean", "default": False},
        True,
    ),
    "If-Match": _header("If-Match", "Do it only if this is still the ticket's ETag; otherwise answer 412.", '"1"'),
    "If-None-Match": _header("If-None-Match", "Answer 304 without a body if this is still the ETag.", '"1"'),
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A new one for each new ticket, such as a UUID: the call can then be sent again, for a day.",
        "schema": {
            "type": "string",
            "pattern": "^[!#-~][!-~]*$",
            "maxLength": MAX_KEY,
            "examples": ["7d0b6c2e-58a1-4f0e-9a0f-3f6d1c2b4a59"],
        },
    },
    "format": _query(
        "format",
        "The kind of file; otherwise `Accept` decides.",
        _or_empty(FORMATS),
        "csv",
    ),
    "tz": _query(
        "tz",
        "The IANA name of the time zone whose days are counted.",
        {"type": "string", "format": "time-zone", "default": "UTC"},
        "Europe/Berlin",
    ),
    "since": _query("since", "The first day.", DATE, "2026-05-01"),
    "before": _query("before", "The day after the last; without it, tomorrow.", DATE, "2026-06-01"),
    "X-Request-Id": _header(
        "X-Request-Id",
        "A name for this call: up to 128 letters, digits and `._:/+=@-`. Another is replaced.",
        "order-4711",
    ),
}

FILTERS = [
    parameter(name)
    for name in (
        *("category", "priority", "status", "search"),
        *("created_since", "created_before", "updated_since", "updated_before"),
    )
]
"""Which tickets: for lists, and for whatever else takes the filters of a list."""
PAGE = [parameter("limit"), parameter("cursor")]
"""Which page."""
EVERYWHERE = [parameter("X-Request-Id")]
"""What any call may have."""
