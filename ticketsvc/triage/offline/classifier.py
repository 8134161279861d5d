"""The classifier that needs nothing but this package: weighted words and phrases, in seven languages.

How it decides. `tokens` cuts and folds the text, `lexicon` finds the cues of `lexicon.txt`, `evidence` drops
those that are negated, said to work, or part of an order to the classifier. The category is the section with
the greatest sum of weights. The priority is one score of urgency (`_urgency`) on a scale that the four labels
divide.

How sure it is. Category: softmax of the sums over a temperature, the one of least log loss on public support
questions (0.83 nats). Priority: ordered logistic model (McCullagh 1980, "Regression models for ordinal
data"); its cuts were set on the tickets marked "tune" in tests/unit/triage/evaluation.jsonl, its spread so that
the mean confidence there is about 0.75: of new tickets about as many come out right.
"""

from __future__ import annotations

import math
from functools import cache

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.model import Assessment, Reason, Scores, Suggestion
from ticketsvc.triage.offline.evidence import CALM, HARM, Evidence, weigh
from ticketsvc.triage.offline.lexicon import LEXICON, Lexicon
from ticketsvc.triage.offline.tokens import tokenize

CHARACTERS_READ = 4_000  # some 650 words say what a ticket is about; bounds the time for any text
REASONS_PER_FIELD = 3
_TEMPERATURE = 2.0  # weight
_GENERAL_HEAD_START = 0.4  # weight; a text without any cue is general
_CUTS = (-0.9, 1.6, 3.6)  # urgency where low, medium and high end
_SPREAD = 0.6  # urgency; scale of the logistic around the cuts
_SPREAD_BLIND = 1.5  # the same for a text without any cue
_MOST_FOR_ONE = 3.4  # urgency; what happens to one person stays below critical

_SPEAK_FOR = {
    "low": (CALM,),
    "medium": ("trouble",),
    "high": (*HARM, "deadline", "scope"),
    "critical": (*HARM, "deadline", "scope"),
}


class OfflineClassifier:
    """Suggests labels from the lexicon. Holds no state between calls, so threads may share it."""

    def __init__(self) -> None:
        """Read the lexicon, once in a process; it takes some 40 ms and 5 MB."""
        self._lexicon = _lexicon()

    def classify(self, text: str) -> Suggestion:
        """Suggest labels; a text without a known word is general and medium, with low confidence."""
        return self.assess(text).suggestion

    def assess(self, text: str) -> Assessment:
        """Suggest labels, and tell how probable each is."""
        evidence = self._evidence(text)
        categories, priorities = _category_scores(evidence), _priority_scores(evidence)
        category = max(categories, key=categories.__getitem__)
        priority = max(priorities, key=priorities.__getitem__)
        speakers = {
            "category": (category, [cue for cue in evidence if cue.section == category]),
            "priority": (
                priority,
                [cue for cue in _strongest(evidence) if cue.section in _SPEAK_FOR[priority]],
            ),
        }
        suggestion = Suggestion(
            category,
            priority,
            math.exp(categories[category]),
            math.exp(priorities[priority]),
            "offline",
            _reasons(speakers, text),
        )
        return Assessment(suggestion, categories, priorities)

    def _evidence(self, text: str) -> list[Evidence]:
        tokens = tokenize(text[:CHARACTERS_READ])
        return weigh(tokens, self._lexicon.find(tokens))


@cache
def _lexicon() -> Lexicon:
    return Lexicon(LEXICON.read_text(encoding="utf-8"))


def _category_scores(evidence: list[Evidence]) -> Scores:
    sums = dict.fromkeys(CATEGORIES, 0.0) | {"general": _GENERAL_HEAD_START}
    for cue in evidence:
        if cue.section in sums:
            sums[cue.section] += cue.weight
    top = max(sums.values())
    norm = math.log(sum(math.exp((total - top) / _TEMPERATURE) for total in sums.values()))
    return {category: (total - top) / _TEMPERATURE - norm for category, total in sums.items()}


def _priority_scores(evidence: list[Evidence]) -> Scores:
    urgency, spread = _urgency(evidence), _SPREAD if evidence else _SPREAD_BLIND
    below = [0.0, *(1 / (1 + math.exp((urgency - cut) / spread)) for cut in _CUTS), 1.0]
    return {label: math.log(below[rank + 1] - below[rank]) for rank, label in enumerate(PRIORITIES)}


def _urgency(evidence: list[Evidence]) -> float:
    """The strongest cues of all aspects, summed. What strikes one person only does not add up to critical."""
    weights = {cue.section: cue.weight for cue in _strongest(evidence)}
    shared = weights.pop("scope", 0.0) + weights.pop("danger", 0.0) - weights.pop(CALM, 0.0)
    return min(sum(weights.values()), _MOST_FOR_ONE) + shared


def _strongest(evidence: list[Evidence]) -> list[Evidence]:
    """The strongest cue of each aspect of urgency, so that shouting a word ten times adds nothing.

    Scope counts only beside harm: "all users would love this" is no outage.
    """
    strongest: dict[str, Evidence] = {}
    for cue in evidence:
        if cue.section not in CATEGORIES:
            strongest[cue.section] = max(strongest.get(cue.section, cue), cue, key=lambda rival: rival.weight)
    if not any(aspect in strongest for aspect in HARM):
        strongest.pop("scope", None)
    return list(strongest.values())


def _reasons(speakers: dict[str, tuple[str, list[Evidence]]], text: str) -> tuple[Reason, ...]:
    """The heaviest cues of both fields together, heaviest first, none twice."""
    weighted: dict[Reason, float] = {}
    for field, (label, cues) in speakers.items():
        for cue in sorted(cues, key=lambda cue: -cue.weight)[:REASONS_PER_FIELD]:
            weighted.setdefault(Reason(field, label, text[cue.start : cue.end]), cue.weight)
    return tuple(sorted(weighted, key=lambda reason: -weighted[reason]))
