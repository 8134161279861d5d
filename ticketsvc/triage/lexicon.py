"""Reads `lexicon.txt`, whose head describes its format, and finds its cues in a tokenized ticket."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ticketsvc.triage.tokens import Token, fold, squeeze

LEXICON = Path(__file__).with_name("lexicon.txt")
GAP = "..", 3  # how a cue writes "up to three words in between"
_SQUEEZABLE = 6  # letters; shorter words mean another thing without their double letter (off, pass, soon)
_SIZES = (10, 1000)


@dataclass(frozen=True, slots=True, eq=False)
class Cue:
    """What a line of the lexicon says: these words speak for that section, this strongly."""

    section: str
    weight: float


@dataclass(frozen=True, slots=True)
class Match:
    """A cue found: `positions` are the indices of its tokens, the words in a gap left out."""

    cue: Cue
    positions: tuple[int, ...]


@dataclass(slots=True)
class _Node:
    """One step of the trie that holds all cues: where each next word leads, and the cues that end here."""

    after: dict[str, _Node] = field(default_factory=dict)
    after_gap: dict[str, _Node] = field(default_factory=dict)
    cues: list[Cue] = field(default_factory=list)


class Lexicon:
    """Weighted cues by section. Immutable after it is read, so threads may share it."""

    def __init__(self, text: str) -> None:
        """Read a lexicon. Raises ValueError on a line that is neither a section, a group, nor a weight with cues."""
        self._root = _Node()
        self._groups: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = defaultdict(list)
        section = ""
        for line in text.splitlines():
            line = line.partition("//")[0].strip()
            if line.startswith("["):
                section = line.strip("[]")
            elif line.startswith("@"):
                name, _, members = line.partition("=")
                self._groups[name.strip()] = members.split()
            elif line:
                weight, _, cues = line.partition(" ")
                for cue in cues.split(","):
                    self._add(cue.split(), Cue(section, float(weight)))
        self._longest_stem = max(map(len, self._stems), default=0)

    def _add(self, words: Sequence[str], cue: Cue) -> None:
        ends, gap = [self._root], False
        for word in words:
            if word == GAP[0]:
                gap = True
                continue
            atoms = [atom for part in word.split("|") for atom in self._groups.get(part, [part])]
            keys = [self._key(atom) for atom in atoms]
            ends = [
                (node.after_gap if gap else node.after).setdefault(key, _Node()) for node in ends for key in keys
            ]
            gap = False
        for node in ends:
            node.cues.append(cue)

    def _key(self, atom: str) -> str:
        """Register a word or stem of a cue, in its correct and its squeezed spelling; answer its key in the trie."""
        if atom.startswith("#"):
            return atom
        stem = fold(atom.rstrip("*"))
        key = stem + "*" if atom.endswith("*") else stem
        for spelling in {stem, squeeze(stem) if len(stem) >= _SQUEEZABLE else stem}:
            if key not in self._stems[spelling]:
                self._stems[spelling].append(key)
        return key

    def _keys(self, word: str) -> list[str]:
        """All keys that a word of a ticket answers to; a number answers to "#" and to the sizes it reaches."""
        if word[:1].isdigit():
            return self._known(word) + _sizes(word)
        return self._known(word) or (self._known(squeeze(word)) if len(word) >= _SQUEEZABLE - 1 else [])

    def _known(self, word: str) -> list[str]:
        stems = self._stems
        found = [key for key in stems.get(word, ()) if not key.endswith("*")]
        for end in range(2, min(len(word), self._longest_stem) + 1):
            for key in stems.get(word[:end], ()):
                if key.endswith("*"):
                    found.append(key)
        return found

    def find(self, tokens: Sequence[Token]) -> Iterator[Match]:
        """Every cue in the text, by position; a cue's words all stand in one sentence."""
        keys = [self._keys(token.word) for token in tokens]
        sentences = [token.sentence for token in tokens]
        for position, starts in enumerate(keys):
            for key in starts:
                node = self._root.after.get(key)
                if node:
                    yield from _walk(node, (position,), keys, sentences)


def _walk(
    node: _Node, positions: tuple[int, ...], keys: list[list[str]], sentences: list[int]
) -> Iterator[Match]:
    for cue in node.cues:
        yield Match(cue, positions)
    first = positions[-1] + 1
    reach = GAP[1] if node.after_gap else 0
    for position in range(first, min(first + reach + 1, len(keys))):
        if sentences[position] != sentences[positions[0]]:
            return
        for key in keys[position]:
            if position == first and key in node.after:
                yield from _walk(node.after[key], (*positions, position), keys, sentences)
            if key in node.after_gap:
                yield from _walk(node.after_gap[key], (*positions, position), keys, sentences)


def _sizes(number: str) -> list[str]:
    """ "11,200" answers to "#", "#10" and "#1000"; three digits after a separator are thousands, others a fraction."""
    whole = re.sub(r"[.,:](?=\d{3}(?!\d))", "", number)
    digits = re.match(r"\d*", whole)
    value = int(digits.group()[:9]) if digits and digits.group() else 0
    return ["#", *(f"#{size}" for size in _SIZES if value >= size)]
