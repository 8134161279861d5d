"""A classifier that blends what it knows beforehand with what this database's own tickets taught.

For each label, prior log probability + trust * familiarity * evidence. The prior is the offline classifier, the rest
comes from `bayes`. This is Bayes' rule with the learned part tempered: words are not independent, as naive Bayes
supposes, and the lessons have a say only as far as they know the words of the text, so that the first corrections move
what resembles them and little else.

The constants were chosen by simulating 50, 200 and 1,000 lessons on public questions to banks, to a voice assistant and
to an IT desk. The priority trusts its lessons less: words say less about it.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.problems import Problem
from ticketsvc.server.metrics.counts import COUNTS
from ticketsvc.triage.learning import bayes
from ticketsvc.triage.model import Assessment, Reason, Scores, Suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketsvc.triage.model import TokenCounts

REASONS_PER_FIELD = 3
CHARACTERS_READ = 4_000  # triage_words() reads no more
_BOUND = 6.0  # nats; whatever was learned moves the odds by at most e**6 for and e**6 against a label

logger = logging.getLogger(__name__)


class Prior(Protocol):
    """A classifier that can tell how probable each label is."""

    def assess(self, text: str) -> Assessment:
        """Suggest labels, and tell how probable each is."""
        ...


class _Field(NamedTuple):
    """`first` is the place of the field's first label in the weights, `trust` what its lessons count."""

    name: str
    labels: tuple[str, ...]
    first: int
    trust: float


class _Verdict(NamedTuple):
    """A label, its probability, and the words of lessons that spoke for it."""

    label: str
    confidence: float
    words: tuple[str, ...]


_CATEGORY = _Field("category", CATEGORIES, 0, 0.7)
_PRIORITY = _Field("priority", PRIORITIES, len(CATEGORIES), 0.35)


class LearningClassifier:
    """Suggests what the prior and the lessons say together. Holds no state, so threads may share it.

    `recall` looks a text up in the database, so a lesson counts at once and in every process. When it raises a
    Problem (the database is away), the prior answers alone.
    """

    def __init__(self, prior: Prior, recall: Callable[[str], TokenCounts | None]) -> None:
        self._prior = prior
        self._recall = recall

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text. The source is "learned" when lessons changed one of the prior's labels."""
        prior, categories, priorities = self._prior.assess(text)
        memory = self._remember(text)
        if memory is None:
            return prior
        category, priority = _decide(_CATEGORY, categories, memory), _decide(_PRIORITY, priorities, memory)
        is_changed = (category.label, priority.label) != (prior.category, prior.priority)
        return Suggestion(
            category.label,
            priority.label,
            category.confidence,
            priority.confidence,
            "learned" if is_changed else prior.source,
            (*_reasons("category", category, prior), *_reasons("priority", priority, prior)),
        )

    def _remember(self, text: str) -> TokenCounts | None:
        try:
            return self._recall(text[:CHARACTERS_READ])
        except Problem as problem:
            COUNTS.add("triage_fallbacks_total", "no_lessons")
            logger.warning("suggested without what was learned: %s", problem)
            return None


def _decide(field: _Field, prior: Scores, memory: TokenCounts) -> _Verdict:
    own = slice(field.first, field.first + len(field.labels))
    counts = [weights and weights[own] for _, weights in memory.words]
    familiarity = bayes.familiarity(counts)
    evidence = dict(
        zip(field.labels, bayes.weigh([word for word, _ in memory.words], counts, memory.total[own]), strict=True)
    )
    shifts = {label: _bounded(field.trust * familiarity * found.weight) for label, found in evidence.items()}
    scores = {label: prior[label] + shift for label, shift in shifts.items()}
    label = max(scores, key=scores.__getitem__)
    words = evidence[label].words if shifts[label] > 0 else ()
    return _Verdict(label, _confidence(scores, label, familiarity), words)


def _bounded(shift: float) -> float:
    return max(-_BOUND, min(shift, _BOUND))


def _confidence(scores: Scores, label: str, familiarity: float) -> float:
    """Softmax. Naive Bayes is too sure of itself: a temperature of up to 1.5 makes it honest on the same questions."""
    temperature = 1 + familiarity / 2
    return 1 / sum(math.exp((score - scores[label]) / temperature) for score in scores.values())


def _reasons(field: str, verdict: _Verdict, prior: Suggestion) -> list[Reason]:
    """The prior's words, if it is of the same opinion, then those that lessons know; none twice."""
    reasons = [reason for reason in prior.reasons if (reason.field, reason.label) == (field, verdict.label)]
    reasons += [Reason(field, verdict.label, word) for word in verdict.words]
    return list(dict.fromkeys(reasons))[:REASONS_PER_FIELD]
