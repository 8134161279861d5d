"""A classifier that combines the offline classifier with the training examples of this database.

The score of a label is its prior log probability + trust * familiarity * log odds. The prior comes from the offline
classifier, the log odds from `bayes`, which sees the same words, without furniture. This is Bayes' rule with
the learned part tempered: tokens are not independent, as naive Bayes assumes. Familiarity limits the effect of first
corrections to texts that resemble them.

No key decides alone against the others: a key that taught less than all others together moves the score of a label by
at most _MAX_SHIFT times the cube of its fraction of theirs, compared with the score without it. Only the key that
taught most of the text is limited; the others have taught the same words. If there is one key, nothing changes.

The constants were chosen by simulating 50, 200 and 1,000 training examples on public questions to banks, to a voice
assistant and to an IT desk. Tokens predict the priority less well, so its trust is lower.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, NamedTuple

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.problems import Problem
from ticketsvc.server import metrics
from ticketsvc.triage.learning import bayes
from ticketsvc.triage.model import (
    MAX_CHARACTERS,
    MAX_REASONS,
    KeyCounts,
    LabelCounts,
    Reason,
    Scores,
    Suggestion,
    TokenCounts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketsvc.triage.offline.classifier import OfflineClassifier

_MAX_SHIFT = 6.0  # nats; training examples change the odds of a label by at most e**6 in either direction
NO_EXAMPLES = "no_lessons"

logger = logging.getLogger(__name__)
metrics.start_at_zero(metrics.TRIAGE_FALLBACKS, [NO_EXAMPLES])


class _Field(NamedTuple):
    """`first` is the index of the field's first label in the label counts, `trust` the weight of the log odds."""

    name: str
    labels: tuple[str, ...]
    first: int
    trust: float

    @property
    def own(self) -> slice:
        return slice(self.first, self.first + len(self.labels))


class _Learned(NamedTuple):
    """The shift of each label in nats, the familiarity of the text, and the tokens that support each label."""

    shifts: dict[str, float]
    familiarity: float
    words: dict[str, tuple[str, ...]]


class _Decision(NamedTuple):
    """A label, its probability, and the learned words that support it."""

    label: str
    confidence: float
    words: tuple[str, ...]


_CATEGORY = _Field("category", CATEGORIES, 0, 1.0)
_PRIORITY = _Field("priority", PRIORITIES, len(CATEGORIES), 0.5)


class LearningClassifier:
    """Combines the prior with token counts. Stateless, so threads may share it.

    `token_counts` looks up the tokens of a text in the database, so a training example takes effect at once in all
    processes. If it raises a Problem (the database cannot be reached), the prior's suggestion is used alone.
    """

    def __init__(self, prior: OfflineClassifier, token_counts: Callable[[str], TokenCounts | None]) -> None:
        self._prior = prior
        self._token_counts = token_counts

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text. The source is "learned" if a label differs from the prior's."""
        prior, categories, priorities, words = self._prior.assess(text)
        counts = self._look_up(words)
        if counts is None:
            return prior
        category, priority = _decide(_CATEGORY, categories, counts), _decide(_PRIORITY, priorities, counts)
        is_changed = (category.label, priority.label) != (prior.category, prior.priority)
        return Suggestion(
            category.label,
            priority.label,
            category.confidence,
            priority.confidence,
            "learned" if is_changed else prior.source,
            (*_reasons(_CATEGORY, category, prior), *_reasons(_PRIORITY, priority, prior)),
        )

    def _look_up(self, text: str) -> TokenCounts | None:
        try:
            return self._token_counts(text[:MAX_CHARACTERS])
        except Problem as problem:
            metrics.TRIAGE_FALLBACKS.labels(NO_EXAMPLES).inc()
            logger.warning("suggested without training examples: %s", problem)
            return None


def _decide(field: _Field, prior: Scores, counts: TokenCounts) -> _Decision:
    learned = _learn(field, counts)
    shifts = learned.shifts
    if counts.minor:
        others = _learn(field, _without(counts, counts.minor)).shifts
        limit = _MAX_SHIFT * _influence(counts.total, counts.minor.total, field) ** 3
        shifts = {label: other + _clamp(shifts[label] - other, limit) for label, other in others.items()}
    scores = {label: prior[label] + shift for label, shift in shifts.items()}
    label = max(scores, key=scores.__getitem__)
    words = learned.words[label] if shifts[label] > 0 else ()
    return _Decision(label, _confidence(scores, label, learned.familiarity), words)


def _learn(field: _Field, counts: TokenCounts) -> _Learned:
    own = field.own
    tokens = [token for token, _ in counts.words]
    token_counts = [labels and labels[own] for _, labels in counts.words]
    familiarity = bayes.familiarity(token_counts)
    odds = dict(zip(field.labels, bayes.log_odds(tokens, token_counts, counts.total[own]), strict=True))
    shifts = {label: _clamp(field.trust * familiarity * found.value, _MAX_SHIFT) for label, found in odds.items()}
    return _Learned(shifts, familiarity, {label: found.tokens for label, found in odds.items()})


def _without(counts: TokenCounts, key: KeyCounts) -> TokenCounts:
    """Return what remains if a key had taught nothing."""
    words = [
        (token, _subtract(labels, taught) if labels and taught else labels)
        for (token, labels), taught in zip(counts.words, key.words, strict=True)
    ]
    return TokenCounts(_subtract(counts.total, key.total), words)


def _subtract(counts: LabelCounts, others: LabelCounts) -> LabelCounts:
    return [max(0, a - b) for a, b in zip(counts, others, strict=True)]  # they may have been read at different times


def _influence(total: LabelCounts, taught: LabelCounts, field: _Field) -> float:
    """Return what a key taught of a field, as a fraction of what the others taught of the field they taught most."""
    others = max(sum(total[each.own]) - sum(taught[each.own]) for each in (_CATEGORY, _PRIORITY))
    return min(1.0, sum(taught[field.own]) / max(1, others))


def _clamp(shift: float, limit: float) -> float:
    return max(-limit, min(shift, limit))


def _confidence(scores: Scores, label: str, familiarity: float) -> float:
    """Return the softmax of a label. Naive Bayes is overconfident: a temperature of up to 1.5 calibrates it."""
    temperature = 1 + familiarity / 2
    return 1 / sum(math.exp((score - scores[label]) / temperature) for score in scores.values())


def _reasons(field: _Field, decision: _Decision, prior: Suggestion) -> list[Reason]:
    """Return the prior's reasons for the label, then the learned words, without duplicates."""
    reasons = [reason for reason in prior.reasons if (reason.field, reason.label) == (field.name, decision.label)]
    reasons += [Reason(field.name, decision.label, word) for word in decision.words]
    return list(dict.fromkeys(reasons))[:MAX_REASONS]
