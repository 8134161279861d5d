"""JSON Schemas of the arguments and results of tools, made of those of their operations in the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from flask import current_app

from ticketsvc.api import docs
from ticketsvc.api.mcp import operations

Json = dict[str, Any]

_SHAPE = {"type", "enum", "properties", "required", "items", "additionalProperties"}
"""The keywords of results. A client that finds a result invalid drops it, after the tool has had its effect: so they
have no limits, and no formats and patterns, which some validators do not know."""
_LIMITS = {"minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "maxProperties"}
_INPUT = _SHAPE | _LIMITS | {"description", "default"}
_EXPECTED_VERSION = {
    "type": "integer",
    "minimum": 1,
    "description": (
        "Only proceed if the ticket still has this `version`, so that no change by somebody else is overwritten. "
        "Otherwise nothing is changed, and the error names the current version."
    ),
}


class Operation:
    """The operation of an endpoint, as the document describes it."""

    def __init__(self, endpoint: str) -> None:
        (rule,) = current_app.url_map.iter_rules(endpoint)
        path = rule.rule.replace("<uuid:", "{").replace(">", "}")
        paths = _document()["paths"]
        methods = paths.get(path) or paths[f"{path}/"]
        self._described = methods[operations.method(endpoint).lower()]
        self._parameters = [
            _resolved(each) for each in (*methods.get("parameters", ()), *self._described["parameters"])
        ]

    def arguments(self, changes: Mapping[str, Json], omitted: Collection[str]) -> Json:
        """Return the schema of the arguments of a tool: parameters of the path and of the query, and the body.

        `changes` are added to the schemas of arguments, or are arguments of their own. `omitted` names parameters of
        the query that are none. `fields` takes names of members of the result.
        """
        body = self._body()
        named = {each["name"]: each for each in self._parameters}
        of_path = [name for name, each in named.items() if each["in"] == "path"]
        properties = {
            name: {**_inlined(each["schema"], _INPUT), "description": each["description"]}
            for name, each in named.items()
            if each["in"] in ("path", "query") and name not in omitted
        } | body.get("properties", {})
        if key := named.get("Idempotency-Key"):
            properties["idempotency_key"] = {**_inlined(key["schema"], _INPUT), "description": key["description"]}
        if "If-Match" in named and self._described.get("requestBody"):
            properties["expected_version"] = _EXPECTED_VERSION
        for name, change in changes.items():
            properties[name] = {**properties.get(name, {}), **change}
        if "fields" in changes:
            properties["fields"]["items"] = {"type": "string", "enum": self.fields()}
        required = [*of_path, *body.get("required", [])]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def fields(self) -> list[str]:
        """Return the names of the members of a result, such as those of a ticket."""
        schema = self.result()
        return list(schema.get("items", schema)["properties"])

    def result(self) -> Json:
        """Return the schema of the body of a successful response; it allows null if there may be no content."""
        responses = self._described["responses"]
        (content,) = [responses[status]["content"] for status in ("200", "201") if status in responses]
        schema = _inlined(content["application/json"]["schema"], _SHAPE)
        return {**schema, "type": [schema["type"], "null"]} if "204" in responses else schema

    def _body(self) -> Json:
        content = self._described.get("requestBody", {}).get("content", {})
        return _inlined(content["application/json"]["schema"], _INPUT) if content else {}


@cache
def _document() -> Json:
    """Return the OpenAPI document. It is parsed on the first request for tools."""
    document: Json = json.loads(docs.read("openapi.json"))
    return document


def _resolved(node: Json) -> Json:
    """Return the target of a reference, with what stands next to the reference."""
    if "$ref" not in node:
        return node
    target: Any = _document()
    for key in node["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    return {**_resolved(target), **{name: value for name, value in node.items() if name != "$ref"}}


def _inlined(schema: Json, kept: Collection[str]) -> Json:
    """Return a schema without references, with some of its keywords.

    Values of an enumeration that mean the same as an absent member are left out.
    """
    inlined: Json = {}
    for keyword, value in _resolved(schema).items():
        if keyword == "enum":
            inlined |= {"type": "string", "enum": [each for each in value if each]}
        elif keyword == "properties":
            inlined[keyword] = {name: _inlined(each, kept) for name, each in value.items()}
        elif keyword in kept:
            inlined[keyword] = _inlined(value, kept) if isinstance(value, dict) else value
    return inlined
