"""Conversion of the lines of an import file to rows of the staging table.

Postgres checks the length of texts and the values of labels and times (sql/files/line_errors.sql). This module finds
the values that no column of the staging table can hold. The rules are those of creating a ticket.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ticketsvc.store.imports import StagedTicket
from ticketsvc.validation.values import in_utc, invalid_text_reason


def ticket(line: int, members: Mapping[str, Any]) -> StagedTicket:
    """Return the row of a valid line. Unknown members are ignored."""
    errors: dict[str, str] = {}
    return StagedTicket(
        line,
        _text(members, "title", errors),
        _text(members, "description", errors),
        _optional(members, "category", errors, _lower),
        _optional(members, "priority", errors, _lower),
        _optional(members, "status", errors, _lower),
        _optional(members, "created_at", errors, in_utc),
        _optional(members, "updated_at", errors, in_utc),
        json.dumps(errors) if errors else None,
    )


def unreadable(line: int, reason: str) -> StagedTicket:
    """Return the row of an invalid line. `reason` completes a sentence that begins with "The line"."""
    return StagedTicket(line, unreadable=reason)


def _text(members: Mapping[str, Any], name: str, errors: dict[str, str]) -> str | None:
    value = members.get(name)
    if not isinstance(value, str):
        errors[name] = "wrong_type" if name in members else "required"
    elif invalid_text_reason(value):
        errors[name] = "bad_character"
    else:
        return value.strip()
    return None


def _optional(
    members: Mapping[str, Any], name: str, errors: dict[str, str], convert: Callable[[Any], str]
) -> str | None:
    value = members.get(name)
    if value is None or value == "":
        return None
    try:
        return convert(value)
    except (TypeError, ValueError):
        errors[name] = "not_allowed"
        return None


def _lower(value: Any) -> str:
    if not isinstance(value, str) or invalid_text_reason(value):
        raise ValueError
    return value.lower()
