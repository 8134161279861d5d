"""A method of a path."""

from __future__ import annotations

from typing import Any

from ticketsvc.api.auth import scopes
from ticketsvc.api.openapi import parameters
from ticketsvc.api.openapi.answers import (
    EVERYWHERE,
    JSON_ONLY,
    LIMITED,
    STORED,
    ProblemTypes,
    problem_answers,
    with_limits,
)
from ticketsvc.api.openapi.notation import Json, parameter, schema

API: ProblemTypes = (*EVERYWHERE, *STORED, *JSON_ONLY)
"""What a call of a resource can end with."""


def operation(
    endpoint: str,
    name: str,
    tag: str,
    summary: str,
    description: str,
    answers: Json,
    problems: ProblemTypes = API,
    takes: tuple[str | Json, ...] = (),
    body: Json | None = None,
) -> Json:
    """A method: `endpoint` is the route's, `name` is for generated clients, `takes` are names of parameters.

    A body of JSON brings its problems along.
    """
    given = [parameter(each) if isinstance(each, str) else each for each in takes]
    scope = scopes.needed(endpoint)
    is_open = scope == scopes.OPEN
    responses = {**answers, **problem_answers((*problems, *(() if is_open else LIMITED)))}
    documented: Json = {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "description": description,
        "parameters": [*given, *parameters.EVERYWHERE],
        "responses": responses if is_open else with_limits(responses),
        "security": [] if is_open else [{"apiKey": [scope]}, {}],
    }
    return documented | ({"requestBody": body} if body else {})


def json_body(name: str, examples: dict[str, Any], media_types: tuple[str, ...]) -> Json:
    """A body of JSON that has a schema's shape; examples by name: a summary and a value."""
    shown = {key: {"summary": summary, "value": value} for key, (summary, value) in examples.items()}
    content = {"schema": schema(name), "examples": shown}
    return {"required": True, "content": dict.fromkeys(media_types, content)}
