"""Conversion of the lines of an import file to rows of the staging table. The rules are those of creating a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import LineError
from ticketsvc.store.imports import Line, StagedTicket
from ticketsvc.validation.fields import Fields
from ticketsvc.validation.values import DESCRIPTION_LENGTH, TITLE_LENGTH

_EARLIEST = "1970"


def ticket(line: int, members: Mapping[str, Any]) -> Line:
    """Return the row of a line, or its errors. Unknown members are ignored."""
    fields = Fields(members)
    row = StagedTicket(
        fields.text("title", TITLE_LENGTH),
        fields.text("description", DESCRIPTION_LENGTH),
        fields.choice("category", CATEGORIES),
        fields.choice("priority", PRIORITIES),
        fields.choice("status", STATUSES),
        fields.time("created_at"),
        fields.time("updated_at"),
    )
    _check_times(fields, row.created_at, row.updated_at)
    if fields.errors:
        return [LineError(line, error.where["pointer"], error.detail, error.code) for error in fields.errors]
    return row


def unreadable(line: int, reason: str) -> list[LineError]:
    """Return the error of an invalid line. `reason` completes a sentence that begins with "The line"."""
    return [LineError(line, "#", f"The line {reason}", "unreadable")]


def _check_times(fields: Fields, created_at: str | None, updated_at: str | None) -> None:
    """Check the range of two times, whose form is in the order of time. A ticket without a time is created now."""
    if created_at and created_at < _EARLIEST:
        fields.add_error("created_at", "must be in the years 1970 to 9999.", "out_of_range")
    if updated_at and updated_at < (created_at or datetime.now(UTC).isoformat()):
        fields.add_error("updated_at", "must be in the years 1970 to 9999 and not before created_at.", "out_of_range")
