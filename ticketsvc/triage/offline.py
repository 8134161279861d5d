"""The classifier that needs nothing but this package: weighted words and phrases, in seven languages.

How it decides. `tokens` cuts and folds the text, `lexicon` finds the cues of `lexicon.txt`, `evidence` drops those that
are negated, cleared or part of an instruction. The category is the section with the greatest sum of weights.
The priority is one score of urgency (see `_urgency`) laid on a scale that four bands share.

How sure it is. Category: softmax of the sums over a temperature. Priority: ordered logistic model (McCullagh 1980,
"Regression models for ordinal data"). The constants below were fitted by hand and grid search for the least log loss
on the tickets marked "tune" in tests/triage/evaluation.jsonl, for categories also on public support questions.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.classifier import Reason, Suggestion
from ticketsvc.triage.evidence import CALM, HARM, Evidence, weigh
from ticketsvc.triage.lexicon import LEXICON, Lexicon
from ticketsvc.triage.tokens import tokenize

CHARACTERS_READ = 5_000  # some 800 words: what a ticket is about stands there, and any text takes bounded time
REASONS_PER_FIELD = 3
_TEMPERATURE = 1.5
_GENERAL_HEAD_START = 0.4  # weight; a text without any cue is general
_CUTS = (-0.9, 1.6, 3.6)  # urgency where low ends, medium ends, high ends
_SPREAD = 0.5  # of the logistic around the cuts, in urgency
_MOST_FOR_ONE = 3.4  # urgency; whatever happens to one person alone stays below critical

Scores = dict[str, float]
_SPEAKS_FOR = {
    "low": (CALM,),
    "medium": ("trouble",),
    "high": (*HARM, "deadline", "scope"),
    "critical": (*HARM, "deadline", "scope"),
}


class OfflineClassifier:
    """Suggests labels from the lexicon. Holds no state between calls, so threads may share it."""

    def classify(self, text: str) -> Suggestion:
        """Suggest labels for any text; one without a known word is general and medium, with low confidence."""
        evidence = _evidence(text)
        categories, priorities = _category_scores(evidence), _priority_scores(evidence)
        category, priority = max(categories, key=categories.__getitem__), max(priorities, key=priorities.__getitem__)
        reasons = [
            *_strongest("category", category, (category,), evidence, text),
            *_strongest("priority", priority, _SPEAKS_FOR[priority], evidence, text),
        ]
        reasons.sort(key=lambda weighted: -weighted[0])
        return Suggestion(
            category,
            priority,
            math.exp(categories[category]),
            math.exp(priorities[priority]),
            "offline",
            tuple(reason for _, reason in reasons),
        )

    def scores(self, text: str) -> tuple[Scores, Scores]:
        """The natural logarithms of the probabilities of each category and of each priority."""
        evidence = _evidence(text)
        return _category_scores(evidence), _priority_scores(evidence)


@cache
def _lexicon() -> Lexicon:
    return Lexicon(LEXICON.read_text(encoding="utf-8"))


def _evidence(text: str) -> list[Evidence]:
    tokens = tokenize(text[:CHARACTERS_READ])
    return weigh(tokens, _lexicon().find(tokens))


def _category_scores(evidence: list[Evidence]) -> Scores:
    sums = dict.fromkeys(CATEGORIES, 0.0) | {"general": _GENERAL_HEAD_START}
    for section, weight, *_ in evidence:
        if section in sums:
            sums[section] += weight
    logits = {category: total / _TEMPERATURE for category, total in sums.items()}
    norm = math.log(sum(math.exp(logit) for logit in logits.values()))
    return {category: logit - norm for category, logit in logits.items()}


def _priority_scores(evidence: list[Evidence]) -> Scores:
    urgency = _urgency(evidence)
    below = [0.0, *(1 / (1 + math.exp((urgency - cut) / _SPREAD)) for cut in _CUTS), 1.0]
    return {label: math.log(below[rank + 1] - below[rank]) for rank, label in enumerate(PRIORITIES)}


def _urgency(evidence: list[Evidence]) -> float:
    """Strongest cue of each aspect, summed: shouting a word ten times adds nothing.

    Scope counts only beside harm ("all users would love this" is no outage), and without scope or danger a ticket
    does not become critical, as the label guide has it.
    """
    strongest: dict[str, float] = defaultdict(float)
    for section, weight, *_ in evidence:
        strongest[section] = max(strongest[section], weight)
    harmed = any(strongest[aspect] for aspect in HARM)
    alone = sum(strongest[aspect] for aspect in ("trouble", "blocked", "money", "deadline"))
    shared = strongest["scope"] if harmed else 0.0
    return min(alone, _MOST_FOR_ONE) + shared + strongest["danger"] - strongest[CALM]


def _strongest(
    field: str, label: str, sections: tuple[str, ...], evidence: list[Evidence], text: str
) -> list[tuple[float, Reason]]:
    own = sorted((cue for cue in evidence if cue.section in sections), key=lambda cue: -cue.weight)
    return [(cue.weight, Reason(field, label, text[cue.start : cue.end])) for cue in own[:REASONS_PER_FIELD]]
