"""Naive Bayes with complement counts: the log odds of labels given the tokens of a text.

The log odds of a label are the sum over the known tokens of ln(P(label | token) / P(not label | token)), less the same
without the token (Rennie et al. 2003, "Tackling the poor assumptions of naive Bayes text classifiers", section 3.1:
counts of the complement are more stable for rare labels). A quarter of a token is added to the counts of each token,
divided between the label and the others as all tokens are. So a token that says nothing speaks for no label: a long
text has many seldom tokens, and half a token for each side would let all of them speak for the label with the fewest
examples. A known token speaks against a label without examples. One token of a long text counts less, here as when it
is learned: the tokens of a text share the weight of 16.

Chance favours some label, too. So the part of a token is multiplied by z^2 / (4 + z^2), where z is how many standard
deviations of a binomial distribution its count for the label is from the one expected of a token that says nothing.
The mean of z^2 by chance is 1.

Half of ln(P(label) / P(not label)) is added, less the same for equally frequent labels. Bayes' rule asks for all of
it, but the classifier with which the log odds are combined knows in part how frequent labels are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketsvc.triage.model import LabelCounts

_TOKEN = 100.0  # hundredths of a token
_SHARED = 16  # tokens whose weight those of a longer text share: sql/functions/token_weights.sql
_SMOOTHING = 0.25  # tokens
_CHANCE = 4.0  # z^2 at which half of the part of a token counts
_FREQUENCY = 0.5  # part of the log odds of a label without any token
_EVEN = 160 * _TOKEN
"""Added to the counts of all tokens, divided evenly between the labels: the share of a label in the first training
examples says little about the next ones."""


class LogOdds(NamedTuple):
    """The log odds of one label in nats, and the tokens that raise them, strongest first."""

    value: float
    tokens: tuple[str, ...]


def familiarity(counts: Sequence[LabelCounts | None]) -> float:
    """Return how well the tokens of a text are known, from 0 to 1: the mean of n / (n + 1) over the token counts n."""
    one = _weight(len(counts))
    sums = [sum(token) for token in counts if token]
    return sum(n / (n + one) for n in sums) / len(counts) if counts else 0.0


def log_odds(tokens: Sequence[str], counts: Sequence[LabelCounts | None], total: LabelCounts) -> list[LogOdds]:
    """Return the log odds of each label of a field.

    `counts` are the label counts of each token, `total` those of all tokens, in hundredths of a token.
    """
    known = [(token, count, sum(count)) for token, count in zip(tokens, counts, strict=True) if count and any(count)]
    everything, one = sum(total), _weight(len(tokens))

    def of_label(label: int, own: int) -> LogOdds:
        share = (own + _EVEN / len(total)) / (everything + _EVEN)
        here, elsewhere = one * _SMOOTHING * share, one * _SMOOTHING * (1 - share)
        base = math.log(elsewhere / here)
        scored = [
            (
                _beyond_chance(count[label] / one, n / one, share)
                * (base + math.log((count[label] + here) / (n - count[label] + elsewhere))),
                token,
            )
            for token, count, n in known
        ]
        supporting = sorted((pair for pair in scored if pair[0] > 0), reverse=True)
        frequency = _FREQUENCY * (math.log(len(total) - 1) - base)
        return LogOdds(frequency + sum(score for score, _ in scored), tuple(token for _, token in supporting))

    return [of_label(label, own) for label, own in enumerate(total)]


def _beyond_chance(count: float, n: float, share: float) -> float:
    """Return z^2 / (_CHANCE + z^2) for `count` of `n` tokens where `share` of them are expected."""
    squared = (count - n * share) ** 2 / (n * share * (1 - share))
    return squared / (_CHANCE + squared)


def _weight(tokens: int) -> float:
    """Return what each token of a text counts when it is learned, in hundredths."""
    return _TOKEN * min(1.0, _SHARED / max(1, tokens))
