"""Named parameters of a request or a command, validated one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from ticketsvc.problems import FieldError, InvalidInput

_T = TypeVar("_T")
MAX_VALUES = 20
"""The maximum number of values of a filter that takes any text."""

_COMMA = re.compile(r"(?<!\\),")

_SWITCH = {"true": True, "1": True, "false": False, "0": False}
"""The values of a boolean parameter. Some clients, such as PHP's, send 1 and 0."""


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

    def texts(self, name: str, read: Callable[[str], str], are_entries: bool = False) -> tuple[str, ...] | None:
        """Return the results of `read` for the given values, sorted and each once; None if there are none.

        With `are_entries` they are those of `entries`. At most MAX_VALUES are allowed. `read` may raise ValueError.
        """
        return self._read(name, self.entries(name) if are_entries else self._take(name), read)

    def members(
        self, name: str, read_key: Callable[[str], str], read: Callable[[str], str]
    ) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
        """Return the keys and the values of all parameters `name[key]`, sorted; None if there are none.

        Each key and each value may be given several times. `read_key` and `read` may raise ValueError.
        """
        if self._take(name):
            self.add_error(name, f"has a key: {name}[KEY]=VALUE.", "not_allowed")
        found: dict[str, tuple[str, ...]] = {}
        for full_name in [given for given in self._given if given.startswith(f"{name}[") and given.endswith("]")]:
            texts = self._read(full_name, [value for value in self._given.pop(full_name) if value], read)
            key = self._read(full_name, [full_name[len(name) + 1 : -1]], read_key)
            if texts and key:
                found[key[0]] = texts
        if len(found) > MAX_VALUES:
            self.add_error(name, f"must have at most {MAX_VALUES} keys, not {len(found)}.", "too_long")
        return tuple(sorted(found.items())) or None

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

    def _read(self, name: str, texts: list[str], read: Callable[[str], str]) -> tuple[str, ...] | None:
        if len(texts) > MAX_VALUES:
            self.add_error(name, f"must have at most {MAX_VALUES} values, not {len(texts)}.", "too_long")
            return None
        try:
            return tuple(sorted({read(text) for text in texts})) or None
        except ValueError as error:
            self.add_error(name, f"{error}.", "not_allowed")
            return None

    def _take(self, name: str) -> list[str]:
        self.known.append(name)
        return [value for value in self._given.pop(name, ()) if value]


def switch(text: str) -> bool:
    """Return a boolean parameter. Raises ValueError with the end of a sentence."""
    value = _SWITCH.get(text.lower())
    if value is None:
        raise ValueError("must be true or false")
    return value


def whole_number(text: str, least: int, most: int, unit: str = "") -> int:
    """Return a number in a range. `unit`, such as " of seconds", is for the error. Raises as `switch` does."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise ValueError(f"must be a whole number{unit} from {least} to {most}")
    return int(text)
