"""Header fields that list what a client accepts, each with a quality (RFC 9110 section 12.4.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_LENGTH = 1_000
"""In characters. A longer field is disregarded (RFC 9110 section 12.4.1 allows it): parsing it would take too long."""

_NAME = r"[!#$%&'*+.^_`|~0-9a-z-]+"
_PARAMETER = rf'{_NAME}(?:\s*=\s*(?:{_NAME}|"[^"]*"))?'
_MEMBER = re.compile(rf"\s*({_NAME}(?:/{_NAME})?)((?:\s*;\s*(?:{_PARAMETER})?)*)\s*")
_QUALITY = re.compile(r";\s*q\s*=\s*([^;\s]*)")
_NUMBER = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)


class Qualities(NamedTuple):
    """The quality of each member, in lower case; `is_valid` is false if some could not be parsed and were left out."""

    of: dict[str, float]
    is_valid: bool


def parse(field: str) -> Qualities:
    """Parse a field. Of a member that is repeated, with other parameters for example, the highest quality counts."""
    found: dict[str, float] = {}
    is_valid = True
    for text in field.lower().split(","):
        member = _MEMBER.fullmatch(text)
        given = _QUALITY.search(member[2]) if member else None
        if member and (given is None or _NUMBER.fullmatch(given[1])):
            found[member[1]] = max(float(given[1]) if given else 1.0, found.get(member[1], 0.0))
        elif text.strip():
            is_valid = False
    return Qualities(found, is_valid)
