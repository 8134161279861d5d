"""Cuts a ticket into words that can be compared: one case, no accents, no apostrophes.

There is no stemmer: the lexicon writes its stems itself ("refund*"), one rule for seven languages.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Digits and letters part company ("3pm", "2FA"); a number keeps its separators ("11,200", "9:30").
# Accents keep words in decomposed Unicode (NFD) whole. No two alternatives begin alike: nothing backtracks.
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:[\u0300-\u036f'’]+[^\W\d_]+)*[\u0300-\u036f]*|[$€£?]")
_SENTENCE_END = re.compile(r"[.!…]")
_CLAUSE_END = re.compile(r"[,;:()–—]| - ")
_PLAIN = frozenset({"", " ", "-"})  # between most words; nothing to look for
_LONGEST_WORD = 40  # letters; a longer word is compared by its beginning
_ENGLISH_ENDINGS = frozenset({"s", "m", "d", "ll", "re", "ve"})
_ELIDED = frozenset({"dell", "nell", "all", "sull", "dall", "quest", "un"})
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i"})


class Token(NamedTuple):
    """One word: as compared, where the text has it (code points), and its sentence and clause, counted."""

    word: str
    start: int
    end: int
    sentence: int
    clause: int


def fold(word: str) -> str:
    """Lower case, no accents, no apostrophes: "Can't" is "cant", "L'Été" is "ete", "user's" is "user"."""
    word = word.lower()
    if not word.isascii():
        word = _without_accents(word.replace("’", "'"))
    return word if "'" not in word else _without_apostrophe(word)


def _without_accents(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part)).translate(_LETTERS)


def _without_apostrophe(word: str) -> str:
    """English joins or loses what follows ("don't", "user's"), Romance languages what precedes ("l'été")."""
    head, _, tail = word.rpartition("'")
    if tail in _ENGLISH_ENDINGS:
        return head.replace("'", "")
    elided = tail != "t" and (len(head) <= 2 or head in _ELIDED)
    return tail if elided else (head + tail).replace("'", "")


def squeeze(word: str) -> str:
    """The word with doubled letters made single, so that "pasword" meets its correct spelling."""
    return "".join(letter for letter, before in zip(word, " " + word[:-1], strict=True) if letter != before)


def tokenize(text: str) -> list[Token]:
    """The words of a text in order, in time linear in its length."""
    tokens: list[Token] = []
    sentence = clause = end = 0
    word = ""
    for found in _TOKEN.finditer(text):
        start = found.start()
        between = text[end:start]
        if between not in _PLAIN or word == "?":
            if word == "?" or _SENTENCE_END.search(between) or _is_new_line(between, text[start]):
                sentence += 1
                clause += 1
            elif _CLAUSE_END.search(between):
                clause += 1
        end = found.end()
        word = fold(text[start : min(end, start + _LONGEST_WORD)])
        tokens.append(Token(word, start, end, sentence, clause))
    return tokens


def _is_new_line(between: str, following: str) -> bool:
    """A line break ends a sentence, but not a single one before a small letter: that wraps a line."""
    breaks = between.count("\n")
    return breaks > 1 or (breaks == 1 and not following.islower())
