"""Recognises disclaimers and courtesies by the kinds of words they are made of, which `furniture.txt` lists.

A disclaimer is a run of sentences in which words about addressees, secrecy, liability and the firm outweigh the others.
A courtesy is a sentence, or a clause at an end of one, with a word of hope, thanks, apology or wish, hardly a word that
is not usual in such sentences, and no cue of a problem: "I hope that my refund arrives" is none.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ticketsvc.enums import CATEGORIES
from ticketsvc.triage.offline.evidence import HARM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ticketsvc.triage.offline.lexicon import Match
    from ticketsvc.triage.offline.tokens import Token

_VALUES = {"disclaimer": 1.0, "notice": 0.5, "self": -2.0}
_OTHER = -0.15  # the value of another word
_SENTENCE = 0.25  # what a sentence costs, so that one of a ticket with a word of notices is not added to a disclaimer
_MIN_VALUE = 2.0  # of the sentences of a disclaimer together
_MIN_STRONG, _MIN_WORDS = 2, 5  # different ones that are hardly said but in disclaimers, and with those of notices
_MIN_LEFT = 2  # words that are left of a text. Thanks, for one, may be what it is about
_SHORT = 3  # letters of a word that says nothing, unless it is listed
_TITLE = 4  # words that a first sentence has at least if it may be a courtesy: "Thanks" is what a ticket is about
_WORDS_FOR_UNUSUAL = 6  # words of a courtesy for each that is not usual
_NAMES = 2  # words of a name
_HINT = 1.5  # weight of a cue
_USUAL, _MARKS = frozenset({"courtesy", "neutral"}), frozenset({"courtesy", "introduction"})
_CONTENT = frozenset({*CATEGORIES, *HARM, "unhurried", "deadline", "wish"}) - {"general"}


def _read(text: str) -> dict[str, frozenset[str]]:
    words: dict[str, set[str]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("//"):
            for word in line.split(", "):
                words.setdefault(word, set()).add(section)
    return {word: frozenset(sections) for word, sections in words.items()}


_WORDS = _read(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))
_NONE = frozenset[str]()


@lru_cache(4096)
def _sections(word: str) -> frozenset[str]:
    """Return the sections of a word: those of the word itself and of all its stems."""
    stems = (_WORDS.get(word[:end] + "*", _NONE) for end in range(2, len(word) + 1))
    return _WORDS.get(word, _NONE).union(*stems)


@lru_cache(4096)
def _value(word: str) -> float:
    """Return what a word counts for a disclaimer."""
    sections = _sections(word)
    for section, value in _VALUES.items():
        if section in sections:
            return value
    return 0.0 if _is_usual(word) else _OTHER


def without_disclaimers(tokens: list[Token]) -> list[Token]:
    """Return a text without its disclaimers. The first sentence, which may be a title, is none."""
    sentences = [list(group) for _, group in groupby(tokens, lambda token: token.sentence)]
    values = [sum(_value(token.word) for token in sentence) - _SENTENCE for sentence in sentences]
    while len(sentences) > 1:
        value, first, last = _best(values)
        while last < len(sentences) and _is_appendix(sentences[last], values[last]):
            last += 1
        found = [token for sentence in sentences[first:last] for token in sentence]
        words = {token.word: _sections(token.word) for token in found}
        strong = sum("disclaimer" in sections for sections in words.values())
        weak = sum("notice" in sections for sections in words.values())
        left = sum(map(len, sentences)) - len(found)
        if value < _MIN_VALUE or strong < _MIN_STRONG or strong + weak < _MIN_WORDS or left < _MIN_LEFT:
            break
        del sentences[first:last], values[first:last]
    return [token for sentence in sentences for token in sentence]


def _is_appendix(sentence: Sequence[Token], value: float) -> bool:
    """Return whether a sentence behind a disclaimer is part of it: it has some word of notices, and no cause of its own."""
    return value > -_SENTENCE and any(not _sections(token.word).isdisjoint({"disclaimer", "notice"}) for token in sentence)


def _best(values: Sequence[float]) -> tuple[float, int, int]:
    """Return the greatest sum of neighbours behind the first, and where they begin and end (Kadane's algorithm)."""
    best, start, total = (-1.0, 1, 1), 1, 0.0
    for index, value in enumerate(values[1:], 1):
        if total <= 0:
            start, total = index, 0.0
        total += value
        best = max(best, (total, start, index + 1), key=lambda each: each[0])
    return best


def without_courtesies(tokens: list[Token], find: Callable[[list[Token]], Sequence[Match]]) -> list[Token]:
    """Return a text without its courtesies and the empty phrases beside them. `find` returns the cues of a text."""
    words = [token.word for token in tokens]
    if all(_sections(word).isdisjoint(_MARKS) for word in words):
        return tokens
    content = _content(words, find(tokens))
    polite: set[int] = set()
    for sentence in _runs(tokens, range(len(tokens)), "sentence"):
        if sentence[0] or len(sentence) >= _TITLE:
            for part in ([sentence], _runs(tokens, sentence, "clause")):
                for run in part:
                    if polite.isdisjoint(run) and content.isdisjoint(run) and _is_courtesy(words[run[0] : run[-1] + 1]):
                        polite.update(run)
    if polite:
        clauses = list(_runs(tokens, range(len(tokens)), "clause"))
        for ordered in (clauses, clauses[::-1]):
            for before, clause in pairwise(ordered):
                is_empty = content.isdisjoint(clause) and all(_is_usual(words[position]) for position in clause)
                if is_empty and before[0] in polite and clause[0]:
                    polite.update(clause)
    left = [token for position, token in enumerate(tokens) if position not in polite]
    return left if sum(not _is_usual(token.word) for token in left) >= _MIN_LEFT else tokens


def _runs(tokens: Sequence[Token], positions: Iterable[int], part: str) -> Iterator[list[int]]:
    for _, run in groupby(positions, lambda position: getattr(tokens[position], part)):
        yield list(run)


def _content(words: Sequence[str], matches: Iterable[Match]) -> set[int]:
    """Return the positions of cues of a problem. One of words that courtesies use, too, has more than a hint."""
    return {
        position
        for match in matches
        if match.cue.section in _CONTENT
        for position in match.positions
        if (match.cue.weight > _HINT and match.cue.section != "wish") or not _is_usual(words[position])
    }


def _is_usual(word: str) -> bool:
    return not _sections(word).isdisjoint(_USUAL) or (len(word) <= _SHORT and not word.isdigit())


def _is_courtesy(words: Sequence[str]) -> bool:
    found = set[str]().union(*map(_sections, words), *(_WORDS.get(" ".join(pair), _NONE) for pair in pairwise(words)))
    if found.isdisjoint(_MARKS):
        return False
    unusual = len(words) - sum(map(_is_usual, words))
    return unusual <= len(words) // _WORDS_FOR_UNUSUAL + _NAMES * ("introduction" in found)
