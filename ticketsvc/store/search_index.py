"""What of a search the index by text can look up, and how much is looked at before it is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence

NEAR = {"newest": 2000, "oldest": 2000, "updated": 50, "urgent": 50}
"""How many tickets each query looks at first; updated and urgent: of each combination of facets, in the first batch."""

FEW = 10_000
"""A filter by facets that leaves fewer tickets is served without the index by text."""

RARE = 20
"""What has no more hits in four weeks is looked up in all at once: one by one each costs up to a millisecond."""

DENSE, DENSE_WITH_FACETS = 1_000, 10_000
"""The texts of a week with more hits are read in order instead: a page is full long before they end."""

BATCHES = 4
BATCHES_WITHOUT_INDEX = 1_000_000_000

_SERVED = 4  # the queries have so many places for patterns
_LETTERS = re.compile(r"[^\W_]{3}")
_PAIR = re.compile(r"[^\W_]{1,2}")
_ASCII_PAIR = re.compile(r"[a-z0-9]{2}", re.ASCII | re.IGNORECASE)


def effort(sort: str, patterns: Sequence[str], has_facets: bool) -> dict[str, object]:
    """Values for the parameters of sql/tickets/search_*.sql that say how to find the page, not what is on it."""
    served = conditions(patterns)
    is_served = any(served.values())
    return {
        **served,
        "near": NEAR[sort],
        "few": FEW if has_facets else 0,
        "rare": RARE if is_served else -1,
        "dense": DENSE_WITH_FACETS if has_facets else DENSE,
        "batches": BATCHES if is_served else BATCHES_WITHOUT_INDEX,
    }


def conditions(patterns: Sequence[str]) -> dict[str, object]:
    """`index_patterns`, those of the patterns that have a trigram, the longest first, and `index_regex`.

    A trigram is three letters or digits in a row. Where no pattern has one, a word of two letters or digits does (or
    of one beyond ASCII), as a regular expression; sql/functions/search_text.sql says why. Nothing else is in the index.
    """
    words = {pattern: re.sub(r"\\(.)", r"\1", pattern[1:-1], flags=re.DOTALL) for pattern in patterns}
    served = sorted((p for p, word in words.items() if _LETTERS.search(word)), key=len, reverse=True)[:_SERVED]
    pairs = [] if served else [regex for word in words.values() if (regex := _regex(word))]
    return {"index_patterns": served, "index_regex": pairs[0] if pairs else ""}


def _regex(word: str) -> str:
    if _ASCII_PAIR.fullmatch(word):
        return rf"{word}[\u0001-\u007f]|{word[0]}\u0054{word[1]}"
    if _PAIR.fullmatch(word) and not word.isascii() and all(map(_keeps_its_kind, word)):
        return rf"\u0054{word}\u0054" if len(word) == 1 else rf"{word[0]}\u0054{word[1]}"
    return ""


def _keeps_its_kind(character: str) -> bool:
    """Whether the character is beyond ASCII in lower case too if it is in upper case: the Kelvin sign is not."""
    return character.isascii() == character.lower().isascii() and len(character.lower()) == 1
