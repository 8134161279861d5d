"""A linear model that corrects the scores of the lexicon, from a readable file of weights.

`weights.txt` has a line for each feature: the feature, then its weights for the labels of both fields in hundredths of
a nat. A feature is a word as `tokens` normalizes it, cut to six letters so that its forms share it, or two such words
that follow each other, joined by "_". Each counts once; the sum is divided by the square root of the number of known
features, so that a long text is not surer than a short one. The line "*" has what is added to every text. A file
without lines changes nothing.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketsvc.triage.model import Scores
    from ticketsvc.triage.offline.tokens import Token

WEIGHTS = Path(__file__).with_name("weights.txt")
_LABELS = (*CATEGORIES, *PRIORITIES)
_LETTERS = 6
_ALWAYS = "*"


def features(tokens: Sequence[Token]) -> list[str]:
    """Return the different features of a text, in the order of their first words."""
    stems = [token.word[:_LETTERS] for token in tokens]
    return list(dict.fromkeys([*stems, *(f"{first}_{second}" for first, second in pairwise(stems))]))


class LinearModel:
    """Weights of features by label. Immutable after parsing, so threads may share it."""

    def __init__(self, text: str) -> None:
        """Parse a file of weights. Raises ValueError if a line does not have a number for each label."""
        self._weights: dict[str, tuple[float, ...]] = {}
        for line in text.splitlines():
            if line and not line.startswith("//"):
                feature, *numbers = line.split()
                if len(numbers) != len(_LABELS):
                    raise ValueError(f"{feature} has {len(numbers)} weights, not {len(_LABELS)}")
                self._weights[feature] = tuple(float(number) / 100 for number in numbers)

    def correct(self, tokens: Sequence[Token], categories: Scores, priorities: Scores) -> tuple[Scores, Scores]:
        """Add the weights of a text to the scores of its labels, so that they are logarithms of probabilities again."""
        if not self._weights:
            return categories, priorities
        known = [weights for feature in features(tokens) if (weights := self._weights.get(feature))]
        always = self._weights.get(_ALWAYS)
        if not known and always is None:
            return categories, priorities
        size = math.sqrt(len(known)) or 1.0
        sums = [sum(column) / size for column in zip(*known, strict=True)] or [0.0] * len(_LABELS)
        added = dict(zip(_LABELS, sums, strict=True))
        if always:
            added = {label: weight + constant for (label, weight), constant in zip(added.items(), always, strict=True)}
        return _add(categories, added), _add(priorities, added)


def _add(scores: Scores, added: Scores) -> Scores:
    sums = {label: score + added[label] for label, score in scores.items()}
    top = max(sums.values())
    norm = top + math.log(sum(math.exp(score - top) for score in sums.values()))
    return {label: score - norm for label, score in sums.items()}
