"""Files of tickets."""

from __future__ import annotations

from ticketsvc import problems
from ticketsvc.api.files import MEDIA_TYPES
from ticketsvc.api.openapi.answers import empty_answer, json_answer
from ticketsvc.api.openapi.notation import Json, schema
from ticketsvc.api.openapi.operation import API, operation
from ticketsvc.api.openapi.parameters import FILTERS

_FILES = {
    "ndjson": (
        '{"title": "Charged twice", "description": "The May invoice", "status": "closed"}\n'
        '{"title": "Slow", "description": "It takes a minute", "created_at": "2026-05-05T09:30:00Z"}\n'
    ),
    "csv": 'title,description,priority\r\n"Charged twice","The May invoice, again",high\r\n',
}
_SHAPES = {
    "ndjson": "A ticket a line, as a JSON object.",
    "csv": "RFC 4180, in UTF-8; the first line names the columns.",
}


def _content(media_types: dict[str, str]) -> Json:
    return {
        media_type: {
            "schema": {"type": "string", "description": _SHAPES[kind]},
            "examples": {kind: {"summary": "Some tickets", "value": _FILES[kind]}},
        }
        for media_type, kind in media_types.items()
    }


PATHS: Json = {
    "/api/tickets/import/": {
        "post": operation(
            "api.bulk.import_file",
            "importTickets",
            "Files",
            "Import a file",
            "All its tickets, or none: then every bad line is told. The fields are those of a new ticket, and "
            "`status`, `created_at` and `updated_at`; others are ignored. What is left out is general, medium, "
            "open, now.",
            {"200": json_answer("All tickets are there.", schema("Imported"))},
            (
                *API,
                problems.InvalidInput,
                problems.InvalidFile,
                problems.BodyTooLarge,
                problems.UnsupportedMediaType,
            ),
            body={"required": True, "content": _content(MEDIA_TYPES)},
        )
    },
    "/api/tickets/export/": {
        "get": operation(
            "api.bulk.export_file",
            "exportTickets",
            "Files",
            "Export a file",
            "The tickets that the filters allow, oldest first, of one snapshot. NDJSON has the tickets as they are "
            "read one by one; CSV has the columns that an import takes, and `id` and `version`.",
            {
                "200": {
                    **empty_answer("The file.", ("Content-Disposition",)),
                    "content": _content({"application/x-ndjson": "ndjson", "text/csv": "csv"}),
                }
            },
            (*API, problems.InvalidInput),
            takes=(*FILTERS, "format"),
        )
    },
}
