"""Filters as the values of SQL parameters: search words are LIKE patterns, and conditions for the trigram index."""

from __future__ import annotations

import re

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.filters import Filters
from ticketsvc.validation.search_words import SearchWords

_NO_SEARCH: dict[str, object] = {
    "search_patterns": (),
    "excluded_patterns": (),
    "index_patterns": (),
    "index_regex": "",
}
_MAX_INDEX_PATTERNS = 4  # sql/fragments/text_index.sql has as many conditions
_TRIGRAM = re.compile(r"[^\W_]{3}")
_PAIR = re.compile(r"[^\W_]{1,2}")
_ASCII_PAIR = re.compile(r"[a-z0-9]{2}", re.ASCII | re.IGNORECASE)


def filter_parameters(filters: Filters) -> dict[str, object]:
    """Return the values of the parameters in sql/fragments/*.sql. A facet that is not filtered has all its values."""
    return {
        **vars(filters),
        "categories": filters.categories or CATEGORIES,
        "priorities": filters.priorities or PRIORITIES,
        "statuses": filters.statuses or STATUSES,
        **_search_parameters(filters.search),
    }


def _search_parameters(search: SearchWords | None) -> dict[str, object]:
    """Return the values of the parameters in sql/fragments/text*.sql.

    The index serves words with a trigram, which is three letters or digits in a row; the longest are the most
    selective. If no word has one, it serves a word of two letters or digits (or one beyond ASCII) as a regular
    expression; migrations/0004_search.sql explains why. It serves nothing else.
    """
    if search is None:
        return _NO_SEARCH
    include, exclude = search
    indexed = sorted(filter(_TRIGRAM.search, include), key=len, reverse=True)[:_MAX_INDEX_PATTERNS]
    expressions = [] if indexed else [expression for word in include if (expression := _regex(word))]
    return {
        "search_patterns": [_pattern(word) for word in include],
        "excluded_patterns": [_pattern(word) for word in exclude],
        "index_patterns": [_pattern(word) for word in indexed],
        "index_regex": expressions[0] if expressions else "",
    }


def _pattern(word: str) -> str:
    """Return a pattern for LIKE that matches every text with the word in it."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


def _regex(word: str) -> str:
    if _ASCII_PAIR.fullmatch(word):
        return rf"{word}[\u0001-\u007f]|{word[0]}\u0054{word[1]}"
    if _PAIR.fullmatch(word) and not word.isascii() and all(map(_keeps_its_kind, word)):
        return rf"\u0054{word}\u0054" if len(word) == 1 else rf"{word[0]}\u0054{word[1]}"
    return ""


def _keeps_its_kind(character: str) -> bool:
    """Return whether lowercasing keeps the character ASCII or non-ASCII. U+212A KELVIN SIGN lowercases to ASCII `k`."""
    return character.isascii() == character.lower().isascii() and len(character.lower()) == 1
