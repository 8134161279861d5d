"""What callers write into `search`, read into patterns for LIKE."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_WORDS = 20

_WORD = re.compile(
    r"""
      (?P<hyphens>-+)(?=[ ]|\Z)                     # stands for itself
    | (?P<minus>-?)"(?P<phrase>[\s\S]*?)"(?=[ ]|\Z)  # a quote that ends nothing does not begin a phrase
    | (?P<not>-?)(?P<word>[^ ]+)
    """,
    re.VERBOSE,
)


@dataclass
class SearchWords:
    """Patterns of which all must match, and patterns of which none may. Both empty: any text."""

    patterns: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)


def parse(text: str) -> SearchWords:
    """Words are what spaces separate (no other white space does); each is to occur somewhere, as it stands.

    `"a phrase"` is one word; its quotes stand at its ends, next to a space or nothing. `-word` and `-"a phrase"` are
    not to occur. Every other quote and hyphen stands for itself: in `5"`, in `"unbalanced`, in `e-mail`, in `-`.
    Empty phrases say nothing, and nor does a word that comes again. Raises ValueError with a sentence.
    """
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    words = SearchWords()
    for number, match in enumerate(_WORD.finditer(text), 1):
        if number > MAX_WORDS:
            raise ValueError(f"must have at most {MAX_WORDS} words; put those that belong together into quotes")
        _add(words, match)
    return words


def _add(words: SearchWords, match: re.Match[str]) -> None:
    word = match["hyphens"] or match["phrase"] or match["word"]
    place = words.excluded if match["minus"] or match["not"] else words.patterns
    if word and (pattern := _pattern(word)) not in place:
        place.append(pattern)


def _pattern(word: str) -> str:
    """A pattern for LIKE that matches where the word occurs; every character of it stands for itself."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
