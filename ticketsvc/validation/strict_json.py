"""A JSON decoder without Python's extensions of RFC 8259, and without numbers that are too large."""

from __future__ import annotations

import json
import math


def decode(data: bytes) -> object:
    """Return the value of a JSON text in UTF-8. Of duplicate members the last counts.

    Raises ValueError, also for a text that is nested too deeply, with the end of a sentence that begins with "The body
    is not". Positions in it begin with 1; a column is a number of characters.
    """
    try:
        return _DECODER.decode(data.decode())
    except RecursionError:
        raise ValueError("JSON: it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        what = (error.msg[0].lower() + error.msg[1:]).removesuffix(" at")
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise ValueError(f"JSON: {what} at {line}column {error.colno}") from None
    except ValueError as error:
        raise ValueError(f"JSON: {error}") from None


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _parse_int(text: str) -> int:
    if len(text) > 308:
        raise ValueError("a number is too large")
    return int(text)


_DECODER = json.JSONDecoder(parse_constant=_reject_constant, parse_float=_parse_float, parse_int=_parse_int)
