"""Suggestions for a text."""

from __future__ import annotations

from ticketsvc.api.input.body import JSON
from ticketsvc.api.openapi.answers import WITH_BODY, json_answer
from ticketsvc.api.openapi.notation import Json, schema
from ticketsvc.api.openapi.operation import API, json_body, operation

_TEXTS = {"urgent": ("A text", {"description": "Nobody in our company can log in since this morning!"})}

PATHS: Json = {
    "/api/tickets/classify/": {
        "post": operation(
            "api.classify.classify",
            "classifyText",
            "Triage",
            "Suggest a category and a priority",
            "Stores nothing. Where a model outside is asked and fails, the offline classifier answers instead.",
            {"200": json_answer("A suggestion.", schema("Suggestion"))},
            (*API, *WITH_BODY),
            body=json_body("Text", _TEXTS, JSON),
        )
    }
}
