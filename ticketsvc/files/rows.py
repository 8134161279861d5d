"""A line of a file as a row of the staging table.

What Postgres can judge is left to it (sql/files/line_errors.sql): whether a text is empty or too long, a label or a
time is allowed. Here is found what none of its columns can take. The rules are those of creating a ticket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ticketsvc.store.imports import StagedTicket
from ticketsvc.validation.texts import invalid_text_reason
from ticketsvc.validation.times import in_utc


def ticket(line: int, members: Mapping[str, Any]) -> StagedTicket:
    """The row of a line that could be read; members with other names are left out."""
    faults: dict[str, str] = {}
    return StagedTicket(
        line,
        _text(members, "title", faults),
        _text(members, "description", faults),
        _choice(members, "category", faults),
        _choice(members, "priority", faults),
        _choice(members, "status", faults),
        _time(members, "created_at", faults),
        _time(members, "updated_at", faults),
        json.dumps(faults) if faults else None,
    )


def unreadable(line: int, reason: str) -> StagedTicket:
    """The row of a line that could not be read; the reason ends a sentence that begins with "The line"."""
    return StagedTicket(line, unreadable=reason)


def _text(members: Mapping[str, Any], name: str, faults: dict[str, str]) -> str | None:
    value = members.get(name)
    if not isinstance(value, str):
        faults[name] = "wrong_type" if name in members else "required"
    elif invalid_text_reason(value):
        faults[name] = "bad_character"
    else:
        return value.strip()
    return None


def _choice(members: Mapping[str, Any], name: str, faults: dict[str, str]) -> str | None:
    value = members.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and not invalid_text_reason(value):
        return value.lower()
    faults[name] = "not_allowed"
    return None


def _time(members: Mapping[str, Any], name: str, faults: dict[str, str]) -> str | None:
    value = members.get(name)
    if value is None or value == "":
        return None
    try:
        return in_utc(value)
    except (TypeError, ValueError):
        faults[name] = "not_allowed"
        return None
