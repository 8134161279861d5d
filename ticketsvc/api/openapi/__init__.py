"""The OpenAPI document, kept by hand: a module for each part of the API, beside what all of them share.

Enums, limits and problem types come from the code that owns them. `tests/contract/test_openapi.py` holds it to the
routes, the parsers and the answers. Nothing here is imported before somebody asks for the document.
"""

from __future__ import annotations

from ticketsvc.api.openapi import bulk, operating, statistics, suggestions, tickets
from ticketsvc.api.openapi.answers import HEADERS
from ticketsvc.api.openapi.notation import Json
from ticketsvc.api.openapi.parameters import PARAMETERS
from ticketsvc.api.openapi.problem_types import examples
from ticketsvc.api.openapi.schemas import SCHEMAS
from ticketsvc.store.keys import SCOPES

VERSION = "1.0.0"

DESCRIPTION = """
Support tickets over HTTP: file, find, change and count them.

* Every path answers with and without its trailing slash. `HEAD` is answered wherever `GET` is, and `OPTIONS`
  everywhere; another method is 405 with `Allow`.
* Errors are problem documents (RFC 9457). Their types are at [/docs/errors](/docs/errors).
* An unknown query parameter is 400, so that a typo does not look like an answer. In a body unknown members are ignored.
* Values of closed lists are taken in any letter case.
* Every answer has an `X-Request-Id`; send one of your own to find the call in the service's log.
"""

TAGS = [
    {"name": "Tickets", "description": "File tickets, find them, change them without losing anybody's change."},
    {"name": "Files", "description": "Many tickets at once, into the service and out of it."},
    {"name": "Statistics", "description": "The queue in figures, each answer from one snapshot."},
    {"name": "Triage", "description": "What a text is about and how urgent it is."},
    {"name": "Operating", "description": "For those who run the service."},
]

SECURITY = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "An API key, made with `flask keys add`; needed where the operator asks for keys. "
            f"Each scope includes those before it: {', '.join(SCOPES)}."
        ),
    }
}


def document() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ticket service",
            "version": VERSION,
            "summary": "A support-ticket backend.",
            "description": DESCRIPTION.strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "Where this document comes from."}],
        "tags": TAGS,
        "paths": {**tickets.PATHS, **bulk.PATHS, **suggestions.PATHS, **statistics.PATHS, **operating.PATHS},
        "components": {
            "schemas": SCHEMAS,
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "examples": examples(),
            "securitySchemes": SECURITY,
        },
    }
