"""Named parameters of a request or a command, validated one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from ticketsvc.problems import FieldError, InvalidInput

_T = TypeVar("_T")
_COMMA = re.compile(r"(?<!\\),")


class Parameters:
    """Takes known parameters out of (name, value) pairs and collects what is wrong with them.

    Empty values count as absent. Parameters that nobody takes are errors: a misspelled filter must not be ignored.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.known: list[str] = []
        self._given: dict[str, list[str]] = {}
        self._errors: list[FieldError] = []
        for name, value in pairs:
            self._given.setdefault(name, []).append(value)

    def choices(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the given values, repeated or separated by commas; None if none or all of the allowed are given."""
        texts = [text for value in self._take(name) for text in value.lower().split(",")]
        chosen = {text.strip() for text in texts} - {""}
        if not chosen <= set(allowed):
            self.add_error(name, f"must be one or more of {', '.join(allowed)}.", "not_allowed")
        return tuple([value for value in allowed if value in chosen]) if 0 < len(chosen) < len(allowed) else None

    def entries(self, name: str) -> list[str]:
        """Return the given values, repeated or separated by commas. A comma after a backslash is part of a value."""
        entries = [entry for value in self._take(name) for entry in _COMMA.split(value)]
        return [entry.replace("\\,", ",") for entry in entries if entry.strip()]

    def one(self, name: str, read: Callable[[str], _T], default: _T) -> _T:
        """Return the result of `read` for the only value; the default if there is none or `read` raises ValueError."""
        values = self._take(name)
        if not values:
            return default
        if len(values) > 1:
            self.add_error(name, "must be given once.", "repeated")
            return default
        try:
            return read(values[0])
        except ValueError as error:
            self.add_error(name, f"{error}.", "not_allowed")
            return default

    def add_error(self, name: str, what: str, code: str) -> None:
        """Record an error, which `check` raises."""
        self._errors.append(FieldError.in_parameter(name, f"{name} {what}", code))

    def check(self) -> None:
        """Raise InvalidInput with all errors, one for each unknown parameter included, if there are any."""
        for name in self._given:
            self.add_error(name, f"is not a parameter; there are {', '.join(self.known) or 'none'}.", "unknown")
        if self._errors:
            raise InvalidInput(*self._errors)

    def _take(self, name: str) -> list[str]:
        self.known.append(name)
        return [value for value in self._given.pop(name, ()) if value]
