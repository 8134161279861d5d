"""The members of a request's body, checked. All faults are collected, so that a caller sees every one at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.validation.texts import invalid_text_reason

TITLE_LENGTH = 200
"""Code points at most; the table holds the same rule (tickets_title_at_most_200)."""


class Fields:
    """Reads members of a body one by one; `check` raises all that was wrong with them."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.faults: list[FieldError] = []

    def text(self, name: str, max_length: int | None = None) -> str:
        """A text that is not empty after trimming. With a fault, "" (and `check` will raise)."""
        value = self.body.get(name)
        if value is None and name not in self.body:
            return self._fault(name, "is required.", "required")
        if not isinstance(value, str):
            return self._fault(name, "must be a string.", "wrong_type")
        value = value.strip()
        if not value:
            return self._fault(name, "must not be empty.", "empty")
        if max_length is not None and len(value) > max_length:
            return self._fault(name, f"must have at most {max_length} characters, not {len(value)}.", "too_long")
        if character := invalid_text_reason(value):
            return self._fault(name, f"must not contain {character}.", "bad_character")
        return value

    def text_if_given(self, name: str, max_length: int | None = None) -> str | None:
        """Like `text`; None when the body has no such member."""
        return self.text(name, max_length) if name in self.body else None

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """One of the allowed values in any letter case; None when absent, null or ""."""
        value = self.body.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.lower() in allowed:
            return value.lower()
        self._fault(name, f"must be one of {', '.join(allowed)}.", "not_allowed")
        return None

    def check(self) -> None:
        """Raises InvalidInput with every fault found."""
        if self.faults:
            raise InvalidInput(*self.faults)

    def _fault(self, name: str, what: str, code: str) -> str:
        self.faults.append(FieldError.in_field(name, f"{name} {what}", code))
        return ""
