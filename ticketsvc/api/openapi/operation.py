"""A method of a path."""

from __future__ import annotations

from typing import Any

from ticketsvc.api.openapi import parameters
from ticketsvc.api.openapi.answers import EVERYWHERE, JSON_ONLY, STORED, WITH_BODY, ProblemTypes, problem_answers
from ticketsvc.api.openapi.notation import Json, parameter, schema

API: ProblemTypes = (*EVERYWHERE, *STORED, *JSON_ONLY)
"""What a call of a resource can end with."""


def operation(
    name: str,
    tag: str,
    summary: str,
    description: str,
    answers: Json,
    problems: ProblemTypes = API,
    takes: tuple[str | Json, ...] = (),
    body: Json | None = None,
) -> Json:
    """A method: `name` is for generated clients, `takes` are the names of its parameters or these themselves."""
    given = [parameter(each) if isinstance(each, str) else each for each in takes]
    documented: Json = {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "description": description,
        "parameters": [*given, *parameters.EVERYWHERE],
        "responses": {**answers, **problem_answers((*problems, *(WITH_BODY if body else ())))},
    }
    if body:
        documented["requestBody"] = body
    return documented


def json_body(name: str, examples: dict[str, Any], media_types: tuple[str, ...]) -> Json:
    """A body of JSON that has a schema's shape; examples by name: a summary and a value."""
    shown = {key: {"summary": summary, "value": value} for key, (summary, value) in examples.items()}
    content = {"schema": schema(name), "examples": shown}
    return {"required": True, "content": dict.fromkeys(media_types, content)}
