"""Naive Bayes with complement counts: the log odds of labels given the tokens of a text.

The log odds of a label are the sum over the known tokens of ln(P(token | label) / P(token | the field's other labels))
(Rennie et al. 2003, "Tackling the poor assumptions of naive Bayes text classifiers", section 3.1: counts of the
complement are more stable for rare labels). Half a token is added to each count. The size of the vocabulary, which
this smoothing needs, follows from the number of tokens read by Heaps' law (1978, "Information retrieval", section
7.5): 10 times its square root, as measured on support questions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketsvc.triage.model import LabelCounts

_SMOOTHING = 50.0  # hundredths of a token
_TOKEN = 100.0  # hundredths of a token


class LogOdds(NamedTuple):
    """The log odds of one label in nats, and the tokens that raise them, strongest first."""

    value: float
    tokens: tuple[str, ...]


UNKNOWN = LogOdds(0.0, ())


def familiarity(counts: Sequence[LabelCounts | None]) -> float:
    """Return how well the tokens of a text are known, from 0 to 1: the mean of n / (n + 1) over the token counts n."""
    sums = [sum(token) for token in counts if token]
    return sum(n / (n + _TOKEN) for n in sums) / len(counts) if counts else 0.0


def log_odds(tokens: Sequence[str], counts: Sequence[LabelCounts | None], total: LabelCounts) -> list[LogOdds]:
    """Return the log odds of each label of a field.

    `counts` are the label counts of each token, `total` those of all tokens, in hundredths of a token. A label without
    training examples gets UNKNOWN.
    """
    known = [(token, count, sum(count)) for token, count in zip(tokens, counts, strict=True) if count and any(count)]
    everything = sum(total)
    unseen = _SMOOTHING * math.sqrt(everything)  # vocabulary of 10 * sqrt(tokens), times half a token, in hundredths

    def of_label(label: int, own: int) -> LogOdds:
        base = math.log((everything - own + unseen) / (own + unseen))
        scored = [
            (base + math.log((count[label] + _SMOOTHING) / (n - count[label] + _SMOOTHING)), token)
            for token, count, n in known
        ]
        supporting = sorted((pair for pair in scored if pair[0] > 0), reverse=True)
        return LogOdds(sum(score for score, _ in scored), tuple(token for _, token in supporting))

    return [of_label(label, own) if own else UNKNOWN for label, own in enumerate(total)]
