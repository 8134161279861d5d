"""Recognises disclaimers, polite openings and courtesies by the words they are made of.

A disclaimer is a run of sentences in which words about addressees, secrecy, liability and the firm outweigh the others.
A courtesy is a sentence or clause with a word of hope, thanks, apology or wish, hardly a word that is not usual in such
sentences, and no cue of a problem: "I hope that my refund arrives" is none. `furniture.txt` lists the words of both.
An opening is a paragraph above others in which somebody greets, thanks or introduces himself. `openings.txt` has a
weight for each word, and for each section of the lexicon that has a cue in it: the log odds of an opening.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ticketsvc.enums import CATEGORIES
from ticketsvc.triage.offline import linear
from ticketsvc.triage.offline.evidence import HARM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ticketsvc.triage.offline.lexicon import Lexicon, Match
    from ticketsvc.triage.offline.tokens import Token

OPENINGS = Path(__file__).with_name("openings.txt")
_VALUES = {"disclaimer": 1.0, "notice": 0.5, "self": -2.0}
_OTHER = -0.15  # the value of a word that is not usual in any furniture
_SENTENCE = 0.25  # what a sentence costs, so that one of a ticket with a word of notices is not added to a disclaimer
_MIN_VALUE = 2.0  # of the sentences of a disclaimer together
_MIN_STRONG, _MIN_WORDS = 4, 7  # different words that are hardly said but in disclaimers, and with those of notices
_MIN_SIZE = 9  # the same of a paragraph of its own, where one of the former counts as four
_MIN_VALUE_LAST, _MIN_SIZE_LAST = 1.0, 6  # of the last paragraph, where disclaimers are
_MIN_LEFT = 2  # words that are left of a text: thanks, for one, may be what it is about
_MIN_TEXT = 8  # words above a paragraph that is a disclaimer: more than a title
_SHORT = 3  # letters of a word that says nothing, unless it is listed
_TITLE = 4  # words that a first sentence has at least if it may be a courtesy: "Thanks" is what a ticket is about
_WORDS_FOR_UNUSUAL = 6  # words of a courtesy for each that is not usual
_NAMES = 2  # words of a name
_HINT = 1.5  # weight of a cue that words of courtesies may have
_CONTENT = frozenset({*CATEGORIES, *HARM, "unhurried", "deadline", "wish"}) - {"general"}


class _Word(NamedTuple):
    """A word as furniture: its value for a disclaimer, and its part in one and in a courtesy."""

    value: float
    is_strong: bool
    is_notice: bool
    is_mark: bool
    is_usual: bool


def _read(text: str) -> dict[str, set[str]]:
    sections: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("//"):
            for entry in line.split(", "):
                sections.setdefault(entry, set()).add(section)
    return sections


_SECTIONS = _read(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))
_PAIRS = {tuple(entry.split()): sections for entry, sections in _SECTIONS.items() if " " in entry}


@lru_cache(4096)
def _word(word: str) -> _Word:
    sections = _SECTIONS.get(word, set()).union(
        *(_SECTIONS.get(word[:end] + "*", ()) for end in range(2, len(word) + 1))
    )
    is_usual = not sections.isdisjoint({"courtesy", "neutral"}) or (len(word) <= _SHORT and not word.isdigit())
    value = next(
        (value for section, value in _VALUES.items() if section in sections),
        0.0 if is_usual or word[:1].isdigit() else _OTHER,
    )
    is_strong, is_mark = "disclaimer" in sections, "courtesy" in sections
    return _Word(value, is_strong, is_strong or "notice" in sections, is_mark, is_usual)


def _runs(tokens: Sequence[Token], part: str) -> list[list[Token]]:
    """Return the sentences or clauses of a text."""
    return [list(run) for _, run in groupby(tokens, lambda token: getattr(token, part))]


def without_disclaimers(tokens: list[Token], text: str) -> list[Token]:
    """Return the words of a text without its disclaimers: paragraphs, and runs of sentences with more such words.

    The first sentence, which may be a title, and the first paragraph are none.
    """
    if _size({token.word for token in tokens}) < _MIN_SIZE_LAST:
        return tokens
    left: list[Token] = []
    for paragraph in _paragraphs(tokens, text):
        if len(left) < _MIN_TEXT or not _is_disclaimer(paragraph, paragraph[-1] is tokens[-1]):
            left += paragraph
    sentences = _runs(left, "sentence")
    values = [_value(sentence) for sentence in sentences]
    while len(sentences) > 1:
        value, first, last = _best(values)
        while last < len(sentences) and _is_appendix(sentences[last], values[last]):
            last += 1
        words = [_word(word) for word in {token.word for sentence in sentences[first:last] for token in sentence}]
        if (
            value < _MIN_VALUE
            or sum(word.is_strong for word in words) < _MIN_STRONG
            or sum(word.is_notice for word in words) < _MIN_WORDS
            or sum(map(len, sentences[:first])) + sum(map(len, sentences[last:])) < _MIN_LEFT
        ):
            break
        del sentences[first:last], values[first:last]
    return [token for sentence in sentences for token in sentence]


def _paragraphs(tokens: Sequence[Token], text: str) -> Iterator[list[Token]]:
    """Yield the words of each paragraph: behind a line that is empty, or was furniture."""
    start = 0
    for index, (before, token) in enumerate(pairwise(tokens), 1):
        if text.count("\n", before.end, token.start) > 1:
            yield list(tokens[start:index])
            start = index
    yield list(tokens[start:])


def _is_disclaimer(paragraph: Sequence[Token], is_last: bool) -> bool:
    value = sum(map(_value, _runs(paragraph, "sentence")))
    least_value, least_size = (_MIN_VALUE_LAST, _MIN_SIZE_LAST) if is_last else (_MIN_VALUE, _MIN_SIZE)
    return value >= least_value and _size({token.word for token in paragraph}) >= least_size


def _value(sentence: Sequence[Token]) -> float:
    return sum(_word(token.word).value for token in sentence) - _SENTENCE


def _size(words: Iterable[str]) -> int:
    """Return how many of the words are those of notices, where those of disclaimers count as four."""
    return sum(word.is_notice + 3 * word.is_strong for word in map(_word, words))


def _best(values: Sequence[float]) -> tuple[float, int, int]:
    """Return the greatest sum of neighbours behind the first, and where they begin and end (Kadane's algorithm)."""
    best, start, total = (-1.0, 1, 1), 1, 0.0
    for index, value in enumerate(values[1:], 1):
        if total <= 0:
            start, total = index, 0.0
        total += value
        if total > best[0]:
            best = total, start, index + 1
    return best


def _is_appendix(sentence: Sequence[Token], value: float) -> bool:
    """Return whether a sentence behind a disclaimer is part of it: it has some word of notices, and hardly others."""
    return value > -_SENTENCE and any(_word(token.word).is_notice for token in sentence)


def without_openings(tokens: list[Token], text: str, lexicon: Lexicon) -> list[Token]:
    """Return the words of a text without the polite paragraphs above what it is about.

    The first sentence, which may be a title, is kept.
    """
    paragraphs = [[token for token in paragraph if token.sentence] for paragraph in _paragraphs(tokens, text)]
    start = 0
    opening: list[Token] = []
    for paragraph, following in pairwise(filter(None, paragraphs)):
        opening += paragraph
        if len(opening) < _MIN_TEXT:  # a salutation
            continue
        if len(following) < _MIN_TEXT or opening_score(opening_features(opening, lexicon)) <= 0:
            break
        start, opening = following[0].start, []
    return [token for token in tokens if not token.sentence or token.start >= start]


def opening_features(tokens: Sequence[Token], lexicon: Lexicon) -> list[str]:
    """Return by what a paragraph is recognised: its stems, and the sections of the lexicon that have cues in it."""
    matches = lexicon.find_all(tokens, lexicon.languages(tokens))
    return [*linear.words(tokens), *{f"[{match.cue.section}]": None for match in matches if match.cue.weight > _HINT}]


def opening_score(features: Iterable[str]) -> int:
    """Return the log odds that a paragraph with these features is an opening, in hundredths of a nat."""
    weights = _weights_of_openings()
    return weights[linear.ALWAYS] + sum(weights.get(feature, 0) for feature in features)


@cache
def _weights_of_openings() -> dict[str, int]:
    return {
        feature: weight for feature, (weight,) in linear.read_weights(OPENINGS.read_text(encoding="utf-8"), 1).items()
    }


def without_courtesies(tokens: list[Token], lexicon: Lexicon) -> list[Token]:
    """Return the words of a text without its courtesies and the empty clauses next to them."""
    if not _is_marked(tokens):
        return tokens
    languages = lexicon.languages(tokens)
    clauses = _runs(tokens, "clause")
    polite: list[bool] = []
    for sentence in _runs(tokens, "sentence"):
        own = _runs(sentence, "clause")
        if not polite and len(sentence) < _TITLE:
            polite += [False] * len(own)
        elif _is_courtesy(sentence, lexicon, languages):
            polite += [True] * len(own)
        else:
            polite += [_is_courtesy(clause, lexicon, languages) for clause in own]
    last = len(clauses) - 1
    for order, before in ((range(1, last + 1), -1), (range(last - 1, 0, -1), 1)):
        for index in order:
            if polite[index + before] and not polite[index]:
                polite[index] = _is_empty(clauses[index], lexicon, languages)
    left = [token for clause, is_polite in zip(clauses, polite, strict=True) if not is_polite for token in clause]
    return left if sum(not _word(token.word).is_usual for token in left) >= _MIN_LEFT else tokens


def _is_marked(tokens: Sequence[Token]) -> bool:
    words = [token.word for token in tokens]
    return any(_word(word).is_mark for word in words) or not _PAIRS.keys().isdisjoint(pairwise(words))


def _is_courtesy(tokens: Sequence[Token], lexicon: Lexicon, languages: frozenset[str]) -> bool:
    if not _is_marked(tokens):
        return False
    words = [token.word for token in tokens]
    pairs = set[str]().union(*(_PAIRS.get(pair, ()) for pair in pairwise(words)))
    unusual = sum(not _word(word).is_usual for word in words)
    allowed = len(words) // _WORDS_FOR_UNUSUAL + _NAMES * ("introduction" in pairs)
    return unusual <= allowed and not _has_content(tokens, lexicon.find_all(tokens, languages))


def _is_empty(tokens: Sequence[Token], lexicon: Lexicon, languages: frozenset[str]) -> bool:
    is_usual = all(_word(token.word).is_usual for token in tokens)
    return is_usual and not _has_content(tokens, lexicon.find_all(tokens, languages))


def _has_content(tokens: Sequence[Token], matches: Sequence[Match]) -> bool:
    """Return whether there is a cue of a problem. One of words that courtesies use, too, has more than a hint."""
    return any(
        (match.cue.weight > _HINT and match.cue.section != "wish")
        or not all(_word(tokens[position].word).is_usual for position in match.positions)
        for match in matches
        if match.cue.section in _CONTENT
    )
