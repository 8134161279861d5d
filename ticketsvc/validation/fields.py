"""Validation of the members of a request's body or of a line of a file. All errors are collected and seen at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.validation import values
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

    def switch(self, name: str) -> bool:
        """Return a boolean. Return False if it is absent or null."""
        value = self.body.get(name)
        if value is not None and not isinstance(value, bool):
            self.add_error(name, "must be true or false.", "wrong_type")
        return value is True

    def person(self, name: str) -> str | None:
        """Return the name or address of a person, trimmed. Return None if it is absent, null or empty."""
        value = self.body.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        return self.text(name, values.PERSON_LENGTH) or None

    def ticket_id(self, name: str) -> str | None:
        """Return the id of a ticket. Return None if it is absent, null or empty."""
        value = self.body.get(name)
        if value is None or value == "":
            return None
        try:
            return values.ticket_id(value if isinstance(value, str) else "")
        except ValueError as error:
            self.add_error(name, f"{error}.", "not_allowed")
            return None

    def tags(self, name: str) -> list[str] | None:
        """Return a list of tags as they are stored: sorted, each once. Return None if there is none."""
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            self.add_error(name, "must be an array of strings.", "wrong_type")
            return None
        tags = set()
        for number, text in enumerate(value, 1):
            if not isinstance(text, str):
                self.add_error(name, f"must be an array of strings; number {number} is none.", "wrong_type")
                return None
            try:
                tags.add(values.tag(text))
            except ValueError as error:
                self.add_error(name, f"has an invalid tag, number {number}: it {error}.", "not_allowed")
                return None
        if len(tags) > values.MAX_TAGS:
            self.add_error(name, f"must have at most {values.MAX_TAGS} tags, not {len(tags):,}.", "too_long")
            return None
        return sorted(tags) or None

    def metadata(self, name: str) -> dict[str, str | None] | None:
        """Return an object of strings, null for members to remove. Return None if it is absent or null."""
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.add_error(name, "must be an object of strings.", "wrong_type")
            return None
        if sum(text is not None for text in value.values()) > values.MAX_METADATA:
            self.add_error(name, f"must have at most {values.MAX_METADATA} members.", "too_long")
            return None
        for key, text in value.items():
            if problem := _metadata_error(key, text):
                self.add_error(name, *problem)
                return None
        return value

    def check(self) -> None:
        """Raise InvalidInput with all errors, if there are any."""
        if self.errors:
            raise InvalidInput(*self.errors)

    def add_error(self, name: str, message: str, code: str) -> str:
        """Record an error of a member."""
        self.errors.append(FieldError.in_field(name, f"{name} {message}", code))
        return ""


def _metadata_error(key: str, text: object) -> tuple[str, str] | None:
    """Return what is wrong with a member of metadata, and its code."""
    if not values.METADATA_KEY.fullmatch(key):
        return "has a key that is not 1 to 40 letters, digits, dots, hyphens and underscores.", "not_allowed"
    if text is None:
        return None
    if not isinstance(text, str):
        return f"must be an object of strings; {key} has no string.", "wrong_type"
    if len(text) > values.METADATA_LENGTH:
        limit = values.METADATA_LENGTH
        return f"must have values of at most {limit} characters; that of {key} has {len(text):,}.", "too_long"
    if character := invalid_text_reason(text):
        return f"must not contain {character}, as the value of {key} does.", "bad_character"
    return None
