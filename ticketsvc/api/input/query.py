"""Reading query strings. Unknown parameters are faults: a typo must not look like an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qsl

from ticketsvc.problems import BadRequest, FieldError, InvalidInput

MAX_PARAMETERS = 100

_T = TypeVar("_T")


def query_pairs(query_string: bytes) -> list[tuple[str, str]]:
    """The names and values of a query string, percent-decoded. Raises BadRequest."""
    try:
        text = query_string.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeError:
        raise BadRequest("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        raise BadRequest(f"The query string has more than {MAX_PARAMETERS} parameters.") from None


def allow_none(query_string: bytes) -> None:
    """Read the query string of a route without parameters. Raises InvalidInput and BadRequest."""
    Parameters(query_pairs(query_string)).check()


class Parameters:
    """Takes known parameters out of the pairs; what nobody took is unknown. Empty values count as absent."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.given: dict[str, list[str]] = {}
        for name, value in pairs:
            self.given.setdefault(name, []).append(value)
        self.known: list[str] = []
        self.faults: list[FieldError] = []

    def take(self, name: str) -> list[str]:
        """All values of a parameter."""
        self.known.append(name)
        return [value for value in self.given.pop(name, ()) if value]

    def choices(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the allowed values that are given, by repetition or as a comma list; all where none is given."""
        texts = [text for value in self.take(name) for text in value.lower().split(",")]
        wanted = {text.strip() for text in texts} - {""}
        if not wanted <= set(allowed):
            self.fault(name, f"must be one or more of {', '.join(allowed)}.", "not_allowed")
        return tuple([value for value in allowed if value in wanted]) if wanted else allowed

    def one(self, name: str, read: Callable[[str], _T], default: _T) -> _T:
        """What `read` makes of the only value; with a fault (it raises ValueError) the default."""
        values = self.take(name)
        if not values:
            return default
        if len(values) > 1:
            self.fault(name, "must be given once.", "repeated")
            return default
        try:
            return read(values[0])
        except ValueError as error:
            self.fault(name, f"{error}.", "not_allowed")
            return default

    def fault(self, name: str, what: str, code: str) -> None:
        """Tell of a fault; `check` will raise it."""
        self.faults.append(FieldError.in_parameter(name, f"{name} {what}", code))

    def check(self) -> None:
        """Raises InvalidInput with every fault found, unknown parameters included."""
        for name in self.given:
            self.fault(name, f"is not a parameter; there are {', '.join(self.known) or 'none'}.", "unknown")
        if self.faults:
            raise InvalidInput(*self.faults)
