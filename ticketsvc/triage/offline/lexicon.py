"""Parser of `lexicon.txt`, whose header describes the format, and search for its cues in a tokenized ticket."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ticketsvc.triage.offline.tokens import Token, normalize, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LEXICON = Path(__file__).with_name("lexicon.txt")
_GAP = ".."
_GAP_WORDS = 3
_MIN_SQUEEZED = 6  # letters; shorter words have another meaning without their double letter (off, pass, soon)
_SIZES = (10, 1000)
_MAX_CACHED_WORDS = 4096  # most words of a ticket are among a few thousand; bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class Cue:
    """The section of a cue, the weight that it adds to this section, and its languages: none means all."""

    section: str
    weight: float
    languages: frozenset[str] = frozenset()


class Match(NamedTuple):
    """A cue found in a text. `positions` are the indices of its tokens, without those in a gap."""

    cue: Cue
    positions: tuple[int, ...]


@dataclass(slots=True)
class _Node:
    """A node of the trie of all cues: the next words, the cues that end here, and the languages of those below."""

    after: dict[str, _Node] = field(default_factory=dict)
    after_gap: dict[str, _Node] | None = None
    cues: tuple[Cue, ...] = ()
    languages: frozenset[str] | None = frozenset()  # None means all

    def child(self, key: str, gap: bool) -> _Node:
        if gap and self.after_gap is None:
            self.after_gap = {}
        branches = self.after_gap if gap and self.after_gap is not None else self.after
        if key not in branches:
            branches[key] = _Node()
        return branches[key]


class Lexicon:
    """Weighted cues by section. Immutable after parsing, so threads may share it."""

    def __init__(self, text: str) -> None:
        """Parse a lexicon. Raises ValueError if a line of cues does not begin with a weight."""
        self._root = _Node()
        self._words: dict[str, set[str]] = defaultdict(set)
        self._stems: dict[str, set[str]] = defaultdict(set)
        self._frequent: dict[str, list[str]] = {}  # languages by frequent word
        self._read(text)
        self._longest_stem = max(map(len, self._stems), default=0)
        self._keys = lru_cache(_MAX_CACHED_WORDS)(self._find_keys)
        self._starts = lru_cache(_MAX_CACHED_WORDS)(self._find_starts)

    def _read(self, text: str) -> None:
        section, languages = "", frozenset[str]()
        for line in text.splitlines():
            if line.startswith("["):
                section, *names = line.strip("[]").split()
                languages = frozenset(names)
            elif line.startswith("~"):
                spoken, _, words = line[1:].partition(" = ")
                self._frequent |= dict.fromkeys(words.split(), spoken.split())
            elif line.startswith("@"):
                name, _, members = line.partition(" = ")
                for member in members.split():
                    self._register(member, name)
            elif line and not line.startswith("//"):
                weight, _, cues = line.partition(" ")
                for cue in cues.split(","):
                    self._add(cue.split(), Cue(section, float(weight), languages))

    def _add(self, words: Sequence[str], cue: Cue) -> None:
        """Add all alternatives of a cue to the trie."""
        ends, gap = [self._root], False
        passed: list[_Node] = []
        for word in words:
            if word != _GAP:
                keys = [self._key(atom) for atom in word.split("|")]
                ends = [node.child(key, gap) for node in ends for key in keys]
                passed += ends
            gap = word == _GAP
        for node in ends:
            node.cues = (*node.cues, cue)
        for node in passed:
            if node.languages is not None:
                node.languages = node.languages | cue.languages if cue.languages else None

    def _key(self, atom: str) -> str:
        """Return the trie key of a part of a cue: a normalized word, a stem with its star, a group or a number."""
        if atom[0] in "@#":
            return atom
        key = normalize(atom.rstrip("*")) + "*" * atom.endswith("*")
        self._register(key, key)
        return key

    def _register(self, atom: str, key: str) -> None:
        """Map a word or stem, as spelled and as squeezed, to a key of the trie."""
        spelled = normalize(atom.rstrip("*"))
        known = self._stems if atom.endswith("*") else self._words
        if key not in known[spelled]:
            known[spelled].add(key)
            if len(spelled) >= _MIN_SQUEEZED:
                known[squeeze(spelled)].add(key)

    def _find_keys(self, word: str) -> tuple[str, ...]:
        """Return all keys that match a word of a ticket. A number also matches "#" and the sizes it reaches."""
        if word[:1].isdigit():
            return (*self._known(word), *_sizes(word))
        return self._known(word) or (self._known(squeeze(word)) if len(word) >= _MIN_SQUEEZED - 1 else ())

    def _find_starts(self, word: str) -> tuple[_Node, ...]:
        """Return the nodes of the cues that begin with a word."""
        return tuple(node for key in self._keys(word) if (node := self._root.after.get(key)))

    def _known(self, word: str) -> tuple[str, ...]:
        found = set(self._words.get(word, ()))
        for end in range(2, min(len(word), self._longest_stem) + 1):
            found.update(self._stems.get(word[:end], ()))
        return tuple(sorted(found))

    def languages(self, tokens: Iterable[Token]) -> frozenset[str]:
        """Return the languages that a text may be in: those with the most frequent words. Empty if there are none."""
        counts: dict[str, int] = {}
        for token in tokens:
            for language in self._frequent.get(token.word, ()):
                counts[language] = counts.get(language, 0) + 1
        most = max(counts.values(), default=0)
        return frozenset(language for language, count in counts.items() if 2 * count > most)

    def find(self, tokens: Sequence[Token]) -> list[Match]:
        """Find the cues of a text in its language, ordered by their first word."""
        return self.find_all(tokens, self.languages(tokens))

    def find_all(self, tokens: Sequence[Token], languages: frozenset[str] = frozenset()) -> list[Match]:
        """Find the cues of these languages, or of all, ordered by their first word. None extends beyond a sentence."""
        words = [(self._keys(token.word), token.sentence) for token in tokens]
        matches: list[Match] = []
        for position, token in enumerate(tokens):
            for node in self._starts(token.word):
                if not languages or node.languages is None or not languages.isdisjoint(node.languages):
                    _follow(node, (position,), words, matches)
        if not languages:
            return matches
        return [match for match in matches if not match.cue.languages or not languages.isdisjoint(match.cue.languages)]


def _follow(
    node: _Node, positions: tuple[int, ...], words: list[tuple[tuple[str, ...], int]], matches: list[Match]
) -> None:
    """Collect the cues that end at a node, then those that the next words lead to."""
    for cue in node.cues:
        matches.append(Match(cue, positions))
    if not node.after and not node.after_gap:
        return
    following = positions[-1] + 1
    reach = 1 + _GAP_WORDS if node.after_gap else 1 if node.after else 0
    for position in range(following, min(following + reach, len(words))):
        keys, sentence = words[position]
        if sentence != words[following - 1][1]:
            return
        for key in keys:
            if position == following and key in node.after:
                _follow(node.after[key], (*positions, position), words, matches)
            if node.after_gap and key in node.after_gap:
                _follow(node.after_gap[key], (*positions, position), words, matches)


def _sizes(number: str) -> tuple[str, ...]:
    """Return the keys of a number: "11,200" matches "#", "#10" and "#1000".

    Three digits after a separator are thousands.
    """
    whole = re.sub(r"[.,:](?=\d{3}(?!\d))", "", number)
    digits = re.match(r"\d{0,9}", whole)
    value = int(digits.group()) if digits and digits.group() else 0
    return ("#", *(f"#{size}" for size in _SIZES if value >= size))
