"""A linear model that corrects the scores of the lexicon, from a readable file of weights.

`weights.txt` has a line for each feature: the feature, then its weights for the labels of both fields in hundredths of
a nat. `python -m ticketsvc_dev.triage_training` writes it. Three kinds of features are added to the scores:

- A word as `tokens` normalizes it, cut to five letters so that its forms share it. Each counts once, and the sum is
  divided by a root of the number of different words, so that a long text is not surer than a short one.
- A section of the lexicon that has evidence in the ticket, as "[blocked]". The languages have these in common.
- "*", which is added to every text.

The scores of the lexicon are multiplied by the weights of "[lexicon]". Of this correction, a text gets a part that
grows with its words (`trust`). A file without lines changes nothing.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from ticketsvc.enums import CATEGORIES, PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ticketsvc.triage.model import Scores
    from ticketsvc.triage.offline.evidence import Evidence
    from ticketsvc.triage.offline.tokens import Token

WEIGHTS = Path(__file__).with_name("weights.txt")
LABELS = (*CATEGORIES, *PRIORITIES)
LEXICON = "[lexicon]"
UNIT = 100
"""The number by which the weights of the file are divided."""
_NOTHING = (0,) * len(LABELS)
_AS_THEY_ARE = (UNIT,) * len(LABELS)
_LETTERS = 5
ALWAYS = "*"
_FEW_WORDS = 10  # where lexicon and model count the same
_MORE_WORDS = 30  # added to the number of words, so that one word of a short text does not decide alone


def words(tokens: Sequence[Token]) -> dict[str, None]:
    """Return the different stems of a text, in the order of the text."""
    return dict.fromkeys(token.word[:_LETTERS] for token in tokens)


def sections(evidence: Iterable[Evidence]) -> list[str]:
    """Return what counts in full: the constant, and each section of the lexicon with evidence."""
    return [ALWAYS, *dict.fromkeys(f"[{cue.section}]" for cue in evidence)]


def trust(size: int) -> float:
    """Return the part of the model in the result for a text of `size` different words, from 0 to 1.

    A text of a few words is the lexicon's: "site down" means what it says.
    """
    return size**2 / (size**2 + _FEW_WORDS**2)


def word_value(size: int) -> float:
    """Return what each word of a text of `size` different words counts, of the model's part."""
    return 1 / math.sqrt(size + _MORE_WORDS)


def read_weights(text: str, columns: int) -> dict[str, tuple[int, ...]]:
    """Parse a file of weights. Raises ValueError if a line does not have as many numbers as there are columns."""
    weights = {}
    shared: dict[int, int] = {}  # one object for equal numbers halves the memory
    for line in text.splitlines():
        if line and not line.startswith("//"):
            feature, *numbers = line.split()
            if len(numbers) != columns:
                raise ValueError(f"{feature} has {len(numbers)} weights, not {columns}")
            weights[feature] = tuple(shared.setdefault(number, number) for number in map(int, numbers))
    return weights


class LinearModel:
    """Weights of features by label. Immutable after parsing, so threads may share it."""

    def __init__(self, text: str) -> None:
        """Parse a file of weights. Raises ValueError if a line does not have a number for each label."""
        self.weights = read_weights(text, len(LABELS))

    def correct(
        self, tokens: Sequence[Token], evidence: Iterable[Evidence], categories: Scores, priorities: Scores
    ) -> tuple[Scores, Scores]:
        """Combine the scores of the lexicon with the weights of a text: again logarithms of probabilities."""
        if not self.weights:
            return categories, priorities
        stems, weights = words(tokens), self.weights
        constants = [weights[feature] for feature in sections(evidence) if feature in weights]
        columns = zip(_NOTHING, *(weights[stem] for stem in stems if stem in weights), strict=True)
        value, part, factors = word_value(len(stems)), trust(len(stems)), weights.get(LEXICON, _AS_THEY_ARE)
        scores = [
            score + part * ((factor / UNIT - 1) * score + (value * sum(column) + sum(added)) / UNIT)
            for factor, score, column, added in zip(
                factors, in_order(categories, priorities), columns, zip(_NOTHING, *constants, strict=True), strict=True
            )
        ]
        return by_field(scores)


def in_order(categories: Scores, priorities: Scores) -> list[float]:
    """Return the scores of both fields in the order of LABELS."""
    return [*(categories[label] for label in CATEGORIES), *(priorities[label] for label in PRIORITIES)]


def by_field(scores: Sequence[float]) -> tuple[Scores, Scores]:
    """Return scores in the order of LABELS by field, made logarithms of probabilities."""
    return (
        _normalized(dict(zip(CATEGORIES, scores[: len(CATEGORIES)], strict=True))),
        _normalized(dict(zip(PRIORITIES, scores[len(CATEGORIES) :], strict=True))),
    )


def _normalized(scores: Scores) -> Scores:
    top = max(scores.values())
    norm = top + math.log(sum(math.exp(score - top) for score in scores.values()))
    return {label: score - norm for label, score in scores.items()}
