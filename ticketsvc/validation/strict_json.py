"""JSON as callers send it, without what Python takes beyond RFC 8259, and without numbers that are too large."""

from __future__ import annotations

import json
import math


def decode(text: str) -> object:
    """The value of a JSON text; of a member given twice the last counts.

    Raises ValueError with what is wrong with it, for a text that is nested too deeply too.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise ValueError(f"{error.msg.lower()} at {line}column {error.colno}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > 308:
        raise ValueError("a number is too large")
    return int(text)


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, parse_int=_integer)
