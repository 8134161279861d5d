"""Selects the cues of a ticket that count: not negated, not said to work, no words of an instruction to the classifier.

An instruction loses its own words only, and none that describe harm: "Priority high: site is down" is an outage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ticketsvc.enums import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ticketsvc.triage.offline.lexicon import Cue, Match
    from ticketsvc.triage.offline.tokens import Token

HARM = ("trouble", "blocked", "danger", "money")
CALM = ("calm", "unhurried", "wish", "question", "manners")
ASPECTS = (*HARM, "request", "deadline", "scope", *CALM)
_CATEGORIES, _ASPECTS = frozenset(CATEGORIES), frozenset(ASPECTS)
_MAX_FILLERS = 3  # filler words between a negation and its cue: "not been charged", "not a very urgent"


class Evidence(NamedTuple):
    """A cue that counts: its section of the lexicon, its weight, its position in code points, and its sentence."""

    section: str
    weight: float
    start: int
    end: int
    sentence: int = 0


def weigh(tokens: Sequence[Token], matches: Sequence[Match]) -> list[Evidence]:
    """Return the cues that count, each once, ordered by field and position.

    A negated cue of harm or a deadline counts as calm. What is lacking is still the subject ("no refund received")
    with half its weight; other negated cues of a category do not count.
    """
    grammar = _Grammar(tokens, matches)
    counted: set[Cue] = set()
    harmful = {
        position
        for match in matches
        if match.cue.section in HARM and match.cue.weight >= 1
        for position in match.positions
    }
    evidence = []
    for match in (*_longest(matches, _CATEGORIES), *_longest(matches, _ASPECTS)):
        if match.cue in counted or grammar.is_void(match):
            continue
        (section, weight), first = (match.cue.section, match.cue.weight), match.positions[0]
        negation = grammar.negation_of(match)
        if negation is not None:
            if section in (*HARM, "deadline"):
                section, first = "unhurried" if section == "deadline" else "calm", negation
            elif section in CATEGORIES and grammar.is_lack(negation) and harmful.isdisjoint(match.positions):
                weight /= 2
            else:
                continue
        counted.add(match.cue)
        start, end = tokens[first].start, tokens[match.positions[-1]].end
        evidence.append(Evidence(section, weight, start, end, tokens[first].sentence))
    return evidence


def without_instructions(tokens: Sequence[Token], matches: Sequence[Match]) -> Sequence[Token]:
    """Return a text without the words of instructions to the classifier. Those that describe harm are kept."""
    instructed = _instructed(matches)
    if not instructed:
        return tokens
    instructed -= {position for match in matches if match.cue.section in HARM for position in match.positions}
    return [token for position, token in enumerate(tokens) if position not in instructed]


def _instructed(matches: Iterable[Match]) -> set[int]:
    return {
        position
        for match in matches
        if match.cue.section == "instruction"
        for position in range(match.positions[0], match.positions[-1] + 1)
    }


def _longest(matches: Iterable[Match], sections: frozenset[str]) -> list[Match]:
    """Return the matches of these sections in the order of the text.

    Leaves out matches inside a longer match ("exchange" in "exchange rate") and those whose words are all used by other
    matches of the same section.
    """
    own = [match for match in matches if match.cue.section in sections]
    own.sort(key=lambda match: (-len(match.positions), -match.cue.weight))
    longest: dict[int, int] = {}
    used: set[tuple[str, int]] = set()
    kept = []
    for match in own:
        size, section = len(match.positions), match.cue.section
        inside = min(longest.setdefault(position, size) for position in match.positions) > size
        words = {(section, position) for position in match.positions}
        if not inside and not words <= used:
            kept.append(match)
            used |= words
    return sorted(kept, key=lambda match: match.positions)


class _Grammar:
    """The cues that modify others: negations, fillers, statements that something works, instructions."""

    def __init__(self, tokens: Sequence[Token], matches: Sequence[Match]) -> None:
        self._tokens = tokens
        ends = {section: set[int]() for section in ("negation", "filler")}
        self._lacks: set[int] = set()
        self._cleared: dict[int, int] = {}
        self._instructed = _instructed(matches)
        for match in matches:
            last = match.positions[-1]
            if match.cue.section in ends:
                ends[match.cue.section].add(last)
                if match.cue.section == "negation" and match.cue.weight < 1:
                    self._lacks.add(last)
            elif match.cue.section == "cleared":
                self._cleared[tokens[last].clause] = match.positions[0]
        self._negations, self._fillers = ends["negation"], ends["filler"]

    def is_void(self, match: Match) -> bool:
        """Return whether a match is part of an instruction or said to work: "the login works fine"."""
        if self._instructed and match.cue.section not in HARM and self._instructed.issuperset(match.positions):
            return True
        first = match.positions[0]
        return first < self._cleared.get(self._tokens[first].clause, 0)

    def is_lack(self, negation: int) -> bool:
        """Return whether a negation says that something is missing: "no", "without"."""
        return negation in self._lacks

    def negation_of(self, match: Match) -> int | None:
        """Return the position of a negation that precedes the match in its clause with only filler words between."""
        first = match.positions[0]
        if first - 1 not in self._negations and first - 1 not in self._fillers:
            return None
        clause = self._tokens[first].clause
        for before in range(first - 1, max(first - 2 - _MAX_FILLERS, -1), -1):
            if self._tokens[before].clause != clause:
                return None
            if before in self._negations:
                return before
            if before not in self._fillers:
                return None
        return None
