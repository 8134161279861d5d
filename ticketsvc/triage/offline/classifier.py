"""The offline classifier: it weighs words and phrases of a lexicon in seven languages.

`ticketsvc.triage.mail` finds what the author wrote, `tokens` splits and normalizes it, `lexicon` finds the cues of
`lexicon.txt` in its language, and `evidence` drops cues that are negated, said to work, or part of an instruction to
the classifier. The category is the section with the greatest sum of weights. The priority is one score of urgency
(`_urgency`) on a scale that is divided into the four labels. `linear` corrects both by the weights of a trained model,
which also calibrates the confidences.

The scores of the lexicon are log-probabilities. Of the category: softmax of the sums with a temperature, chosen for the
least log loss on public support questions (0.83 nats). Of the priority: ordered logistic model (McCullagh 1980,
"Regression models for ordinal data"). Its cuts were set on the tickets marked "tune" in
tests/unit/triage/evaluation.jsonl, its spread so that the mean confidence there is about 0.75.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.mail import read
from ticketsvc.triage.model import (
    MAX_CHARACTERS_OF_MAIL,
    MAX_REASONS,
    MAX_WORDS,
    Assessment,
    Reason,
    Scores,
    Suggestion,
)
from ticketsvc.triage.offline.evidence import CALM, HARM, Evidence, weigh, without_instructions
from ticketsvc.triage.offline.furniture import without_courtesies, without_disclaimers, without_openings
from ticketsvc.triage.offline.lexicon import LEXICON, Lexicon
from ticketsvc.triage.offline.linear import WEIGHTS, LinearModel
from ticketsvc.triage.offline.tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketsvc.triage.offline.tokens import Token

_TEMPERATURE = 2.0  # weight
_GENERAL_PRIOR = 0.4  # weight; makes a text without any cue general
_WISH_WEIGHT = 4.0  # weight; what a wish adds to general
_QUESTION_WEIGHT = 1.0
_LOG_WEIGHT = 3.0  # weight; a log or stack trace is that of a technical problem
_CUTS = (-0.9, 1.6, 3.6)  # urgency; upper bounds of low, medium and high
_SPREAD = 0.6  # urgency; scale of the logistic function around the cuts
_SPREAD_WITHOUT_CUES = 1.5  # urgency; the same for a text without any cue
_NEEDS_HARM = ("scope",)
_MAX_FOR_ONE_PERSON = 3.4  # urgency; a problem of one person stays below critical

_PRIORITY_SECTIONS = {
    "low": CALM,
    "medium": ("trouble",),
    "high": (*HARM, "deadline", "scope"),
    "critical": (*HARM, "deadline", "scope"),
}
"""The sections of the lexicon whose cues are reasons for a priority."""


class OfflineClassifier:
    """Suggests labels from the lexicon. Stateless, so threads may share it."""

    source = "offline"

    def __init__(self, model: LinearModel | None = None) -> None:
        """Load the lexicon and the committed weights, if no `model` is given, once per process: 40 ms and 5 MB."""
        self._lexicon, self._model = lexicon(), model or _model()

    def classify(self, text: str) -> Suggestion:
        """Suggest labels. A text without any cue is general and medium, with low confidence."""
        return self.assess(text).suggestion

    def read(self, text: str) -> tuple[Sequence[Token], list[Evidence], Scores, Scores]:
        """Return what the linear model sees: the words of the author, and the evidence and scores of the lexicon."""
        mail = read(text[:MAX_CHARACTERS_OF_MAIL])
        tokens = without_disclaimers(tokenize(mail.text, MAX_WORDS), mail.text)
        tokens = without_courtesies(without_openings(tokens, mail.text, self._lexicon), self._lexicon)
        matches = self._lexicon.find(tokens)
        evidence = weigh(tokens, matches)
        scores = _category_scores(evidence, mail.has_log), _priority_scores(evidence)
        return without_instructions(tokens, matches), evidence, *scores

    def correct(
        self, words: str, tokens: Sequence[Token], evidence: list[Evidence], categories: Scores, priorities: Scores
    ) -> tuple[Scores, Scores]:
        """Correct the scores of the lexicon for the words of the author."""
        return self._model.correct(tokens, evidence, categories, priorities)

    def assess(self, text: str) -> Assessment:
        """Suggest labels and return the probabilities of all labels."""
        tokens, evidence, *scores = self.read(text)
        words = author_words(text, tokens)
        categories, priorities = self.correct(words, tokens, evidence, *scores)
        category = max(categories, key=categories.__getitem__)
        priority = max(priorities, key=priorities.__getitem__)
        support = {
            ("category", category): [cue for cue in evidence if cue.section == category],
            ("priority", priority): [
                cue for cue in _strongest(evidence) if cue.section in _PRIORITY_SECTIONS[priority]
            ],
        }
        confidences = math.exp(categories[category]), math.exp(priorities[priority])
        suggestion = Suggestion(category, priority, *confidences, self.source, _reasons(support, text))
        return Assessment(suggestion, categories, priorities, words)


def author_words(text: str, tokens: Sequence[Token]) -> str:
    """Return the words of the author as they are spelled in the text."""
    return " ".join(text[token.start : token.end] for token in tokens)


@cache
def lexicon() -> Lexicon:
    """Return the lexicon, which is loaded once per process."""
    return Lexicon(LEXICON.read_text(encoding="utf-8"))


@cache
def _model() -> LinearModel:
    return LinearModel(WEIGHTS.read_text(encoding="utf-8"))


def _category_scores(evidence: list[Evidence], has_log: bool) -> Scores:
    """Weigh the categories. A wish, or a question without any trouble, is general whatever it is about."""
    sums = dict.fromkeys(CATEGORIES, 0.0) | {"general": _GENERAL_PRIOR, "technical": _LOG_WEIGHT * has_log}
    aspects = set()
    for cue in evidence:
        if cue.section in sums:
            sums[cue.section] += cue.weight
        else:
            aspects.add(cue.section)
    if "wish" in aspects or ("question" in aspects and aspects.isdisjoint(HARM)):
        sums["technical"] /= 2
        sums["general"] += _WISH_WEIGHT if "wish" in aspects else _QUESTION_WEIGHT
    top = max(sums.values())
    norm = math.log(sum(math.exp((total - top) / _TEMPERATURE) for total in sums.values()))
    return {category: (total - top) / _TEMPERATURE - norm for category, total in sums.items()}


def _priority_scores(evidence: list[Evidence]) -> Scores:
    urgency, spread = _urgency(evidence), _SPREAD if evidence else _SPREAD_WITHOUT_CUES
    below = [0.0, *(1 / (1 + math.exp((urgency - cut) / spread)) for cut in _CUTS), 1.0]
    return {label: math.log(below[rank + 1] - below[rank]) for rank, label in enumerate(PRIORITIES)}


def _urgency(evidence: list[Evidence]) -> float:
    """Sum the strongest cues of all aspects. Aspects that concern one person only do not add up to critical.

    Calm lowers the sum, but not below what it does not refer to: danger, or somebody who is stopped.
    """
    weights = {cue.section: cue.weight for cue in _strongest(evidence)}
    calm = max((weights.pop(section, 0.0) for section in CALM), default=0.0)
    scope, danger = weights.pop("scope", 0.0), weights.pop("danger", 0.0)
    urgency = min(sum(weights.values()), _MAX_FOR_ONE_PERSON) + scope + danger
    return max(urgency - calm, min(urgency, max(danger, weights.get("blocked", 0.0)) or -calm))


def _strongest(evidence: list[Evidence]) -> list[Evidence]:
    """Return the strongest cue of each aspect of urgency, so that repeating a word adds nothing.

    Scope counts only together with harm: "all users would love this" is no outage. Manners count only without harm, and
    what is small or a question only half if the harm is in another sentence. A lack of hurry is about the whole ticket.
    """
    harmed = {cue.sentence for cue in evidence if cue.section in HARM}
    strongest: dict[str, Evidence] = {}
    for cue in evidence:
        if cue.section in CATEGORIES or (cue.section in _NEEDS_HARM and not harmed):
            continue
        if harmed and cue.section in CALM:
            if cue.section == "manners":
                continue
            if cue.sentence not in harmed and cue.section != "unhurried":
                cue = cue._replace(weight=cue.weight / 2)
        known = strongest.get(cue.section)
        if known is None or cue.weight > known.weight:
            strongest[cue.section] = cue
    return list(strongest.values())


def _reasons(support: dict[tuple[str, str], list[Evidence]], text: str) -> tuple[Reason, ...]:
    """Return the heaviest cues of both fields, heaviest first, without duplicates."""
    weighted: dict[Reason, float] = {}
    for (field, label), cues in support.items():
        for cue in sorted(cues, key=lambda cue: -cue.weight)[:MAX_REASONS]:
            weighted.setdefault(Reason(field, label, text[cue.start : cue.end]), cue.weight)
    return tuple(sorted(weighted, key=lambda reason: -weighted[reason]))
