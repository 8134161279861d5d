"""How good suggestions are, in figures: measured on tickets whose right labels are known."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

BINS = 10
"""How many equal parts the confidences from 0 to 1 are sorted into for the calibration."""


class Answer(NamedTuple):
    """A label that was suggested, how sure the classifier was (0 to 1), and the label that is right."""

    suggested: str
    confidence: float
    right: str


class Bin(NamedTuple):
    """The answers whose confidence is from `least` up to the next bin: their number, mean confidence and accuracy."""

    least: float
    answers: int
    confidence: float
    accuracy: float


class Quality(NamedTuple):
    """All figures of one field; `kappa` is None where it is not defined."""

    answers: int
    accuracy: float
    macro_f1: float
    kappa: float | None
    calibration_error: float
    reliability: list[Bin]


def quality(answers: Sequence[Answer]) -> Quality:
    """The figures for at least one answer."""
    bins = reliability(answers)
    return Quality(
        len(answers), accuracy(answers), macro_f1(answers), cohens_kappa(answers), calibration_error(bins), bins
    )


def accuracy(answers: Sequence[Answer]) -> float:
    """The share of answers that are right, from 0 to 1."""
    return sum(answer.suggested == answer.right for answer in answers) / len(answers)


def macro_f1(answers: Sequence[Answer]) -> float:
    """The mean over the labels of F1 = 2 TP / (2 TP + FP + FN), from 0 to 1: each label counts the same.

    The labels are those that were suggested or are right at least once (Opitz and Burst 2019, "Macro F1 and Macro F1":
    the mean of F1 scores, not the F1 score of means).
    """
    suggested, right, hits = _counts(answers)
    labels = suggested.keys() | right.keys()
    return sum(2 * hits[label] / (suggested[label] + right[label]) for label in labels) / len(labels)


def cohens_kappa(answers: Sequence[Answer]) -> float | None:
    """Agreement beyond chance: (p_o - p_e) / (1 - p_e); 1 is perfect, 0 what chance gives.

    p_o is the accuracy, p_e the sum over the labels of the products of their shares among the suggested and among the
    right ones (Cohen 1960, "A coefficient of agreement for nominal scales"). None when p_e is 1: one label only.
    """
    suggested, right, _ = _counts(answers)
    by_chance = sum(suggested[label] * right[label] for label in right) / len(answers) ** 2
    return (accuracy(answers) - by_chance) / (1 - by_chance) if by_chance < 1 else None


def reliability(answers: Sequence[Answer]) -> list[Bin]:
    """The answers by confidence, in BINS equal parts; parts without answers are left out."""
    parts: dict[int, list[Answer]] = {}
    for answer in answers:
        parts.setdefault(min(int(answer.confidence * BINS), BINS - 1), []).append(answer)
    return [
        Bin(number / BINS, len(part), sum(answer.confidence for answer in part) / len(part), accuracy(part))
        for number, part in sorted(parts.items())
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: the mean over the answers of |accuracy - mean confidence| of their bin, 0 to 1.

    Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    distances = sum(part.answers * abs(part.accuracy - part.confidence) for part in bins)
    return distances / sum(part.answers for part in bins)


def _counts(answers: Sequence[Answer]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """By label: how often it was suggested, how often it is right, how often both."""
    return (
        Counter(answer.suggested for answer in answers),
        Counter(answer.right for answer in answers),
        Counter(answer.right for answer in answers if answer.suggested == answer.right),
    )
