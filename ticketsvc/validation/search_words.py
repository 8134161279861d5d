"""The syntax of the `search` parameter."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_WORDS = 20
MAX_WORD_LENGTH = 200
"""In characters. Postgres compares each position of a text with a whole word, and cannot be interrupted meanwhile."""
MAX_LENGTH = 500
"""In characters, of all words together with what separates them."""

_SPACE = r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
WHITE_SPACE = re.compile(_SPACE + "+")
"""A run of characters with Unicode's property White_Space; `\\s` also has the separators U+001C to U+001F."""

_WORD = re.compile(
    rf"""
      (?P<hyphens>-+)(?={_SPACE}|\Z)                     # stands for itself
    | (?P<minus>-?)"(?P<phrase>[\s\S]*?)"(?={_SPACE}|\Z)  # a quote inside a word does not begin a phrase
    | (?P<not>-?)(?P<word>[^{_SPACE[1:]}+)
    """,
    re.VERBOSE,
)


class SearchWords(NamedTuple):
    """Words and phrases, each as the client wrote it. All of `include` must occur in a ticket, none of `exclude`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def parse(text: str) -> SearchWords | None:
    """Return the words of a search, or None if it has none.

    Words are separated by white space of any kind. `"a phrase"` is one word; each of its quotes is next to white space
    or at an end of the text. `-word` and `-"a phrase"` are excluded. All other quotes and hyphens are literal, as in
    `5"`, `"unbalanced`, `e-mail` and `-`. Empty phrases and repeated words are dropped. Raises ValueError.
    """
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must have at most {MAX_LENGTH} characters, not {len(text):,}")
    include: dict[str, None] = {}
    exclude: dict[str, None] = {}
    for number, match in enumerate(_WORD.finditer(text), 1):
        if number > MAX_WORDS:
            raise ValueError(f"must have at most {MAX_WORDS} words; put those that belong together into quotes")
        if word := match["hyphens"] or match["phrase"] or match["word"]:
            if len(word) > MAX_WORD_LENGTH:
                raise ValueError(f"must have at most {MAX_WORD_LENGTH} characters in a word or phrase, not {len(word)}")
            (exclude if match["minus"] or match["not"] else include)[word] = None
    return SearchWords(tuple(include), tuple(exclude)) if include or exclude else None
