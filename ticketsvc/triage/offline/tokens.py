"""Splits a ticket into comparable words: lower case, without accents and apostrophes.

There is no stemmer: the lexicon contains stems ("refund*"), one rule for seven languages.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

# Digits and letters are separate tokens ("3pm", "2FA"); a number keeps its separators ("11,200", "9:30"). Combining
# accents (NFD) do not split a word. No two alternatives begin with the same character, so nothing backtracks.
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:[\u0300-\u036f'’]+[^\W\d_]+)*[\u0300-\u036f]*|[$€£?]")
_SENTENCE_END = re.compile(r"[.!…]")
_CLAUSE_END = re.compile(r"[,;:()–—]| - ")
_PLAIN_SEPARATORS = frozenset({"", " ", "-"})  # between most words; these end neither a sentence nor a clause
_MAX_WORD_LENGTH = 40  # letters; only the beginning of a longer word is compared
_ENGLISH_ENDINGS = frozenset({"s", "m", "d", "ll", "re", "ve"})
_ELIDED = frozenset({"dell", "nell", "all", "sull", "dall", "quest", "un"})
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i"})


class Token(NamedTuple):
    """A normalized word, its position in the text in code points, and the numbers of its sentence and clause."""

    word: str
    start: int
    end: int
    sentence: int
    clause: int


@lru_cache(4096)
def normalize(word: str) -> str:
    """Return the word in lower case without accents and apostrophes.

    "Can't" becomes "cant", "L'Été" becomes "ete", "user's" becomes "user".
    """
    word = word.lower()
    if not word.isascii():
        word = _without_accents(word.replace("’", "'"))
    return word if "'" not in word else _without_apostrophe(word)


def _without_accents(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part)).translate(_LETTERS)


def _without_apostrophe(word: str) -> str:
    """Remove the apostrophe and what it separates.

    English joins ("don't") or drops ("user's") the part after it, Romance languages drop the part before it ("l'été").
    """
    head, _, tail = word.rpartition("'")
    if tail in _ENGLISH_ENDINGS:
        return head.replace("'", "")
    elided = tail != "t" and (len(head) <= 2 or head in _ELIDED)
    return tail if elided else (head + tail).replace("'", "")


def squeeze(word: str) -> str:
    """Return the word with doubled letters reduced to one, so that "pasword" matches its correct spelling."""
    return "".join(letter for letter, before in zip(word, " " + word[:-1], strict=True) if letter != before)


def tokenize(text: str, limit: int | None = None) -> list[Token]:
    """Split a text into its words, at most `limit`, in time linear in its length. The first line may be a title."""
    tokens: list[Token] = []
    sentence = clause = end = 0
    word = ""
    for found in islice(_TOKEN.finditer(text), limit):
        start, stop = found.span()
        between = text[end:start]
        if between not in _PLAIN_SEPARATORS or word == "?":
            is_title = not sentence and "\n" in between
            if word == "?" or is_title or _SENTENCE_END.search(between) or _is_new_line(between, text[start]):
                sentence += 1
                clause += 1
            elif _CLAUSE_END.search(between):
                clause += 1
        end = stop
        word = normalize(found[0][:_MAX_WORD_LENGTH])
        tokens.append(Token(word, start, end, sentence, clause))
    return tokens


def _is_new_line(between: str, following: str) -> bool:
    """Return whether a line break ends the sentence. A single one before a lower-case letter only wraps the line."""
    breaks = between.count("\n")
    return breaks > 1 or (breaks == 1 and not following.islower())
