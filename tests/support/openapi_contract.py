"""Checks responses against the OpenAPI document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support import api_docs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
WHOLE = "urn:openapi"
ID = "0192a3b4-c5d6-7e8f-9012-3456789abcde"
COMMENT_ID = "0192a3b4-c5d6-7e8f-9012-3456789abcdf"
"""The ids of a ticket and a comment in the examples of the document."""


def _as_in_a_list(ticket: Json) -> Json:
    """Return a line of an export without what lists leave out: members of `triage` that are null."""
    for name, decision in ticket["triage"].items():
        ticket["triage"][name] = {member: value for member, value in decision.items() if value is not None}
    return ticket


@dataclass(frozen=True)
class Operation:
    """A method of a path in the document."""

    document: Document
    path: str
    method: str
    described: Json

    @property
    def name(self) -> str:
        return str(self.described["operationId"])

    @cached_property
    def parameters(self) -> list[Json]:
        """Return its parameters, including those of its path."""
        of_path = self.document.raw["paths"][self.path].get("parameters", [])
        return [self.document.resolved(each) for each in (*of_path, *self.described["parameters"])]

    def parameters_in(self, place: str) -> dict[str, Json]:
        """Return its parameters in the query, header or path, by name."""
        return {each["name"]: each for each in self.parameters if each["in"] == place}

    @cached_property
    def bodies(self) -> list[tuple[str, Any]]:
        """Return the examples of its body, each with its media type."""
        contents = self.described.get("requestBody", {}).get("content", {})
        return [(kind, each["value"]) for kind, content in contents.items() for each in content["examples"].values()]

    @cached_property
    def responses(self) -> dict[str, Json]:
        """Return its responses by status."""
        return {status: self.document.resolved(response) for status, response in self.described["responses"].items()}

    def check(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Check status, headers, media type and body of a response. Raises AssertionError or ValidationError."""
        where = f"{self.method} {self.path} {status}"
        assert str(status) in self.responses, f"{where} is not described"
        response = self.responses[str(status)]
        for name, reference in response.get("headers", {}).items():
            described = self.document.resolved(reference)
            assert name in headers or not described.get("required"), f"{where} has no {name}"
            if name in headers:
                value = int(headers[name]) if described["schema"]["type"] == "integer" else headers[name]
                self.document.validate(described["schema"], value)
        if not response.get("content"):
            assert body == b"", where
            return
        media_type = headers["Content-Type"].partition(";")[0]
        assert media_type in response["content"], f"{where} is {media_type}"
        if media_type == "application/x-ndjson":
            for line in body.splitlines():
                self.document.validate({"$ref": "#/components/schemas/Ticket"}, _as_in_a_list(json.loads(line)))
        elif media_type.endswith("json"):
            content, value = response["content"][media_type], json.loads(body)
            self.document.validate(content["schema"], value)
            if status >= 400:
                types = [self.document.resolved(example)["value"]["type"] for example in content["examples"].values()]
                assert (value["status"], value["type"] in types) == (status, True), f"{where} is {value['type']}"


class Document:
    """The OpenAPI document. Members of a response that it does not describe are errors."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw
        closed = Resource.from_contents(_closed(raw), default_specification=DRAFT202012)
        self._registry = Registry().with_resource(WHOLE, closed)

    def __iter__(self) -> Iterator[Operation]:
        for path, methods in self.raw["paths"].items():
            for method in METHODS:
                if method in methods:
                    yield Operation(self, path, method, methods[method])

    def __getitem__(self, name: str) -> Operation:
        """Return the operation with this id."""
        return next(operation for operation in self if operation.name == name)

    def at(self, method: str, path: str) -> Operation:
        """Return the operation of a request. Paths without variables take precedence."""
        wanted = path.partition("?")[0].rstrip("/")
        for operation in sorted(self, key=lambda each: "{" in each.path):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation.path.rstrip("/")))
            if re.fullmatch(pattern, wanted) and method.lower() in (operation.method, "head"):
                return operation
        raise AssertionError(f"{method} {path} is not described")

    def resolved(self, value: Json) -> Json:
        """Return the target of a reference."""
        while "$ref" in value:
            target: Any = self.raw
            for key in value["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            value = target
        return value

    def validate(self, schema: Json, value: object) -> None:
        """Check a value against a schema, without additional members. Raises ValidationError."""
        validator = Draft202012Validator(_closed(schema), registry=self._registry, format_checker=FormatChecker())
        validator.validate(value)


def _closed(node: Any) -> Any:
    """Return a schema that allows no additional members in objects with named members."""
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    if str(node.get("$ref", "")).startswith("#/"):
        return {**node, "$ref": WHOLE + node["$ref"]}
    inner = {
        key: value if key in ("example", "examples", "enum", "const") else _closed(value) for key, value in node.items()
    }
    if node.get("type") == "object" and "properties" in node and "additionalProperties" not in node:
        inner["unevaluatedProperties"] = False
    return inner


DOCUMENT = Document(api_docs.load())
"""The document of this release."""
