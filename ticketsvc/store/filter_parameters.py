"""Filters as the values of SQL parameters: search words are LIKE patterns, and conditions for the index of texts."""

from __future__ import annotations

import re
from unicodedata import normalize

from ticketsvc import compact_json
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.filters import Filters
from ticketsvc.validation.search_words import WHITE_SPACE, SearchWords

_NO_SEARCH: dict[str, object] = {
    "search_patterns": (),
    "excluded_patterns": (),
    "index_patterns": (),
    "index_regex": "",
    "index_words": (),
}
_MAX_INDEX_PATTERNS = 4  # sql/fragments/text_index.sql has as many conditions
_TRIGRAM = re.compile(r"[^\W_]{3}")
_ASCII_TRIGRAM = re.compile(r"[a-z0-9]{3}")
_ASCII_PAIR = re.compile(r"[a-z0-9]{2}")


VARIANTS = ("", "attributes", "unassigned")
"""The variants of queries that read few tickets if there are filters by attributes."""


def variant(filters: Filters) -> str:
    """Return which of VARIANTS serves the filters."""
    if filters.attribute_groups:
        return "attributes"
    return "unassigned" if filters.is_assigned is False else ""


def filter_parameters(filters: Filters) -> dict[str, object]:
    """Return the values of the parameters in sql/fragments/*.sql. A facet that is not filtered has all its values."""
    groups = filters.attribute_groups
    return {
        **vars(filters),
        "categories": filters.categories or CATEGORIES,
        "priorities": filters.priorities or PRIORITIES,
        "statuses": filters.statuses or STATUSES,
        "metadata": compact_json.encode(dict(filters.metadata)) if filters.metadata else None,
        "attribute_groups": compact_json.encode(groups) if groups else None,
        "has_more_groups": has_more_groups(filters),
        **_search_parameters(filters.search),
    }


def has_more_groups(filters: Filters) -> bool:
    """Return whether there are filters by attributes that a ticket with an attribute of one group may not meet."""
    groups = filters.attribute_groups
    return len(groups) > 1 or (groups != [] and filters.is_assigned is False)


def _search_parameters(search: SearchWords | None) -> dict[str, object]:
    """Return the values of the parameters in sql/fragments/text*.sql.

    The index serves words with a trigram, which is three letters or digits in a row; the longest are the most
    selective. Which characters beyond ASCII are letters depends on the locale of the database, so one word must have a
    trigram of ASCII. Otherwise it serves words with characters beyond ASCII by pairs, or else a word of two ASCII
    letters or digits as a regular expression. It serves nothing else.
    docs/decisions/search-pairs.md explains why.
    """
    if search is None:
        return _NO_SEARCH
    include, exclude = search
    values = {
        **_NO_SEARCH,
        "search_patterns": [_pattern(word) for word in include],
        "excluded_patterns": [_pattern(word) for word in exclude],
    }
    folded = {word: _fold(word) for word in sorted(include, key=len, reverse=True)}
    if any(map(_ASCII_TRIGRAM.search, folded.values())):
        indexed = sorted(
            (word for word in folded if _TRIGRAM.search(folded[word])),
            key=lambda word: not _ASCII_TRIGRAM.search(folded[word]),
        )
        values["index_patterns"] = [_pattern(word) for word in indexed[:_MAX_INDEX_PATTERNS]]
    elif beyond := [word for word in folded if not folded[word].isascii()]:
        values["index_words"] = beyond[:_MAX_INDEX_PATTERNS]
    elif pairs := [word for word in folded.values() if _ASCII_PAIR.fullmatch(word)]:
        values["index_regex"] = pairs[0] + r"[\u0001-\u007f]"
    return values


def _fold(word: str) -> str:
    """Return a word as search_fold() returns it, as far as its characters are or become ASCII.

    Which index serves a search depends on no other character: their folding depends on the version of Unicode.
    """
    folded = normalize("NFC", normalize("NFC", word).casefold())
    return WHITE_SPACE.sub(" ", folded)


def _pattern(word: str) -> str:
    """Return a pattern for LIKE that matches every text with the word in it."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
