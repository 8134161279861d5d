"""Validation of the members of a request's body or of a line of a file. All errors are collected and seen at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.validation.values import has_visible_character, invalid_text_reason


class Fields:
    """Reads members of a body one by one and collects their errors; `check` raises them."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.errors: list[FieldError] = []

    def text(self, name: str, max_length: int) -> str:
        """Return a trimmed text that is not blank and has at most `max_length` code points; "" after an error."""
        value = self.body.get(name)
        if value is None and name not in self.body:
            return self.add_error(name, "is required.", "required")
        if not isinstance(value, str):
            return self.add_error(name, "must be a string.", "wrong_type")
        value = value.strip()
        if not value:
            return self.add_error(name, "must not be empty.", "empty")
        if len(value) > max_length:
            detail = f"must have at most {max_length:,} characters, not {len(value):,}."
            return self.add_error(name, detail, "too_long")
        if character := invalid_text_reason(value):
            return self.add_error(name, f"must not contain {character}.", "bad_character")
        if not has_visible_character(value):
            return self.add_error(name, "must have a visible character.", "empty")
        return value

    def text_if_given(self, name: str, max_length: int) -> str | None:
        """Return the same as `text`, or None if the body has no such member."""
        return self.text(name, max_length) if name in self.body else None

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """Return one of the allowed values, given in any letter case. Return None if it is absent, null or ""."""
        value = self.body.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.lower() in allowed:
            return value.lower()
        self.add_error(name, f"must be one of {', '.join(allowed)}.", "not_allowed")
        return None

    def check(self) -> None:
        """Raise InvalidInput with all errors, if there are any."""
        if self.errors:
            raise InvalidInput(*self.errors)

    def add_error(self, name: str, message: str, code: str) -> str:
        """Record an error of a member."""
        self.errors.append(FieldError.in_field(name, f"{name} {message}", code))
        return ""
