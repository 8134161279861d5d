"""How the document is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def schema(name: str) -> Json:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def parameter(name: str) -> Json:
    """A reference to a parameter of the document."""
    return {"$ref": f"#/components/parameters/{name}"}


def header(name: str) -> Json:
    """A reference to a header of the document."""
    return {"$ref": f"#/components/headers/{name}"}


def record(description: str, required: Mapping[str, Json], optional: Mapping[str, Json] | None = None) -> Json:
    """The schema of an object. Answers may get further members later."""
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def one_of(values: tuple[str, ...]) -> Json:
    """The schema of a closed list."""
    return {"type": "string", "enum": list(values)}
