"""The types and limits that classifiers, the store and the API share. Imports nothing of the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

MAX_CHARACTERS = 4_000
"""Maximum number of code points of a text that learning reads: about 650 words."""

MAX_CHARACTERS_OF_MAIL = 20_000
"""Maximum number of code points in which the offline classifier looks for what the author of a mail wrote."""

MAX_WORDS = 300
"""Maximum number of words that the offline classifier reads of that."""

MAX_REASONS = 3
"""Maximum number of reasons per field."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Words of the ticket that support a label.

    `field` is "category" or "priority", `label` one of its values. `words` are quoted from the ticket.
    """

    field: str
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category and a priority, always valid labels, and how they were chosen.

    The confidences are probabilities from 0 to 1. `source` names the classifier, such as "offline" or "openai".
    """

    category: str
    priority: str
    category_confidence: float
    priority_confidence: float
    source: str
    reasons: tuple[Reason, ...]


Scores = dict[str, float]
"""The natural logarithm of the probability of each label of a field."""


class Assessment(NamedTuple):
    """A suggestion with the probabilities of all labels, and the words on which it rests, as they are spelled."""

    suggestion: Suggestion
    categories: Scores
    priorities: Scores
    words: str


class Example(NamedTuple):
    """A training example: the first 500 code points of a ticket and the labels people gave it.

    A label is None if no person judged it.
    """

    text: str
    category: str | None
    priority: str | None


LabelCounts = list[int]
"""One count for each category, then one for each priority, in hundredths of a token."""


class KeyCounts(NamedTuple):
    """The part of the counts that one API key taught: `total` and, for each of the words, its counts or None."""

    total: LabelCounts
    words: list[LabelCounts | None]


class TokenCounts(NamedTuple):
    """The counts of the tokens of a text in the training examples of each label.

    `total` counts all tokens of all training examples. `words` lists each token as the text spells it, with its
    counts, or None if no training example contains it. `minor` is the part of the API key that taught most of the
    text, of the keys that taught less than all others together.
    """

    total: LabelCounts
    words: list[tuple[str, LabelCounts | None]]
    minor: KeyCounts | None = None


class Classifier(Protocol):
    """Suggests labels for a ticket's text. Implementations are safe to share between threads and greenlets."""

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text, including the empty one. Never raises because of the text."""
        ...
