"""What counted words say about labels: naive Bayes against the complement.

For each known word ln(P(word | label) / P(word | the field's other labels)), summed (Rennie et al. 2003, "Tackling the
poor assumptions of naive Bayes text classifiers", section 3.1: counts of the complement are steadier when some labels
were seen rarely). Half a word is added to each count; how many words there are to know, which that needs, follows from
the number of words read by Heaps' law (1978, "Information retrieval", section 7.5): 10 times its square root, as
measured on support questions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADDED = 50.0  # hundredths of a word
_HUNDRED = 100.0  # hundredths of a word make one


class Evidence(NamedTuple):
    """What the words of a text say about one label.

    `weight` is for (above 0) or against the label, in nats; `words` are those that speak for it, strongest first.
    """

    weight: float
    words: tuple[str, ...]


SILENT = Evidence(0.0, ())


def familiarity(counts: Sequence[Sequence[int] | None]) -> float:
    """How well the words of a text are known, from 0 to 1: the mean of n / (n + 1), n being a word's count."""
    sums = [sum(word) for word in counts if word]
    return sum(n / (n + _HUNDRED) for n in sums) / len(counts) if counts else 0.0


def weigh(words: Sequence[str], counts: Sequence[Sequence[int] | None], total: Sequence[int]) -> list[Evidence]:
    """The evidence for each label of a field, in hundredths of a word counted for the word and in all.

    A label that was never taught gets none: nothing is known about it, for or against.
    """
    known = [(word, count, sum(count)) for word, count in zip(words, counts, strict=True) if count and any(count)]
    everything = sum(total)
    unseen = _ADDED * math.sqrt(everything)  # 10 * sqrt(words) times the half that is added, in hundredths
    return [
        _evidence([(word, count[label], n - count[label]) for word, count, n in known], own, everything - own, unseen)
        if own
        else SILENT
        for label, own in enumerate(total)
    ]


def _evidence(known: list[tuple[str, int, int]], own: int, others: int, unseen: float) -> Evidence:
    """For words counted `here` times with the label and `elsewhere` times with others."""
    base = math.log((others + unseen) / (own + unseen))
    scored = [(base + math.log((here + _ADDED) / (elsewhere + _ADDED)), word) for word, here, elsewhere in known]
    speakers = sorted((pair for pair in scored if pair[0] > 0), reverse=True)
    return Evidence(sum(score for score, _ in scored), tuple(word for _, word in speakers))
