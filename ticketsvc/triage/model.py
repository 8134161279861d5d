"""What every classifier is: a thing that suggests a category and a priority for a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Reason:
    """Words of the ticket that spoke for a label.

    `field` is "category" or "priority", `label` one of its values, `words` the words as the ticket has them.
    """

    field: str
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category and a priority, always valid labels, and how they came about.

    The confidences are probabilities from 0 to 1. `source` names who decided ("offline", "openai").
    """

    category: str
    priority: str
    category_confidence: float
    priority_confidence: float
    source: str
    reasons: tuple[Reason, ...]


Scores = dict[str, float]
"""For each label of a field the natural logarithm of its probability."""


class Assessment(NamedTuple):
    """A suggestion, and how probable every category and every priority is."""

    suggestion: Suggestion
    categories: Scores
    priorities: Scores


LabelCounts = list[int]
"""For each category, then each priority, how often training examples with that label have a word, in hundredths."""


class TokenCounts(NamedTuple):
    """What was learned about the words of a text.

    `total` are the counts of all words together. `words` has each word of the text, as it stands there, with its
    counts, or None for a word that no training example has.
    """

    total: LabelCounts
    words: list[tuple[str, LabelCounts | None]]


class Example(NamedTuple):
    """The first 500 code points of a ticket, and the labels that people gave it (None where nobody did)."""

    text: str
    category: str | None
    priority: str | None


class Classifier(Protocol):
    """Suggests labels for a ticket's text. Implementations are safe to share between threads and greenlets."""

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text, the empty one included. Never raises because of the text."""
        ...
