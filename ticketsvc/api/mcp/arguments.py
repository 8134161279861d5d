"""Arguments of tools as the parts of a request to their operations."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from ticketsvc.api.output import conditional
from ticketsvc.problems import FieldError, InvalidInput

Json = dict[str, Any]

STRICT = {"Prefer": "handling=strict"}
"""The header field with which arguments that an operation does not use are errors."""

_LARGEST_VERSION = 2**31 - 1
_WITH_COMMAS = ("tags", "tags_all")
"""The parameters in whose values a comma needs a backslash."""


def ticket_id(arguments: Json) -> UUID:
    """Take the id of a ticket out of the arguments. Raises InvalidInput."""
    text = arguments.pop("ticket_id", None)
    try:
        found = UUID(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != str(text).lower():
        raise invalid("ticket_id", "must be the id of a ticket, a UUID that search_tickets returns")
    return found


def idempotency_key(arguments: Json) -> dict[str, str]:
    """Take the idempotency key out of the arguments, as a header field. Raises InvalidInput."""
    key = arguments.pop("idempotency_key", None)
    if not isinstance(key, (str, type(None))):
        raise invalid("idempotency_key", "must be a string")
    return {} if key is None else {"Idempotency-Key": key}


def expected_version(arguments: Json) -> dict[str, str]:
    """Take the expected version of a ticket out of the arguments, as a header field. Raises InvalidInput."""
    version = arguments.pop("expected_version", None)
    if version is None:
        return {}
    if not isinstance(version, int) or isinstance(version, bool) or not 0 < version <= _LARGEST_VERSION:
        raise invalid("expected_version", "must be a whole number, the `version` of the ticket")
    return {"If-Match": conditional.etag(version)}


def names(arguments: Json, name: str, allowed: Collection[str]) -> list[str]:
    """Take a list of some of the allowed names out of the arguments, empty without one. Raises InvalidInput."""
    given: list[str] = arguments.pop(name, None) or []
    if not isinstance(given, list) or not all(each in allowed for each in given):
        raise invalid(name, f"must be a list of one or more of {', '.join(allowed)}")
    return given


def check_all_taken(arguments: Json, known: Collection[str]) -> None:
    """Raise InvalidInput if there are more arguments than a tool knows."""
    for name in arguments:
        raise invalid(name, f"is not an argument; there are {', '.join(known)}")


def query(arguments: Json) -> Iterator[tuple[str, str]]:
    """Yield arguments as query parameters: for a list one for each entry, for an object one for each member."""
    for name, value in arguments.items():
        members = value.items() if isinstance(value, dict) else [(None, value)]
        for key, texts in members:
            for text in texts if isinstance(texts, list) else [texts]:
                if text is not None:
                    yield f"{name}[{key}]" if key is not None else name, _parameter(name, text)


def invalid(name: str, rule: str) -> InvalidInput:
    """Return the problem of an argument that breaks a rule, which is the end of a sentence."""
    return InvalidInput(FieldError.in_field(name, f"{name} {rule}.", "not_allowed"))


def _parameter(name: str, value: object) -> str:
    """Return the value of a query parameter. Raises InvalidInput."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int)):
        raise invalid(name, "must be a string, a whole number, true, false, or a list of these")
    return str(value).replace(",", "\\,") if name in _WITH_COMMAS else str(value)
