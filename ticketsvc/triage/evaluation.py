"""Metrics of a classifier's quality, computed from predictions whose actual labels are known."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

BINS = 10
"""Number of equal intervals into which confidences from 0 to 1 are divided to measure calibration."""


class Prediction(NamedTuple):
    """A predicted label, the classifier's confidence from 0 to 1, and the actual label."""

    predicted: str
    confidence: float
    actual: str


class Bin(NamedTuple):
    """The `size` predictions with confidences from `lower` (inclusive) to `lower` + 1 / BINS (exclusive)."""

    lower: float
    size: int
    confidence: float
    accuracy: float


class Quality(NamedTuple):
    """All metrics of `size` predictions. `kappa` is None if it is undefined."""

    size: int
    accuracy: float
    macro_f1: float
    kappa: float | None
    calibration_error: float
    bins: list[Bin]


def quality(predictions: Sequence[Prediction]) -> Quality:
    """Compute all metrics. Needs at least one prediction."""
    bins = calibration_bins(predictions)
    rates = accuracy(predictions), macro_f1(predictions), cohens_kappa(predictions)
    return Quality(len(predictions), *rates, calibration_error(bins), bins)


def accuracy(predictions: Sequence[Prediction]) -> float:
    """Return the share of correct predictions, from 0 to 1."""
    return sum(each.predicted == each.actual for each in predictions) / len(predictions)


def macro_f1(predictions: Sequence[Prediction]) -> float:
    """Return the mean over the labels of F1 = 2 TP / (2 TP + FP + FN), from 0 to 1. All labels weigh the same.

    Labels that were never predicted and never right are left out (Opitz and Burst 2019, "Macro F1 and Macro F1": the
    mean of F1 scores, not the F1 score of means).
    """
    predicted, actual, correct = _counts(predictions)
    labels = predicted.keys() | actual.keys()
    return sum(2 * correct[label] / (predicted[label] + actual[label]) for label in labels) / len(labels)


def recall(predictions: Sequence[Prediction], label: str) -> float | None:
    """Return the share of the predictions with this actual label that are right. None if there are none."""
    right = [each.predicted == label for each in predictions if each.actual == label]
    return sum(right) / len(right) if right else None


def cohens_kappa(predictions: Sequence[Prediction]) -> float | None:
    """Return the agreement beyond chance, (p_o - p_e) / (1 - p_e): 1 is perfect, 0 is the level of chance.

    p_o is the accuracy. p_e is the sum over the labels of their share of the predictions times their share of the
    actual labels (Cohen 1960, "A coefficient of agreement for nominal scales"). Returns None if p_e is 1, which means
    that there is only one label.
    """
    predicted, actual, _ = _counts(predictions)
    by_chance = sum(predicted[label] * actual[label] for label in actual) / len(predictions) ** 2
    return (accuracy(predictions) - by_chance) / (1 - by_chance) if by_chance < 1 else None


def calibration_bins(predictions: Sequence[Prediction]) -> list[Bin]:
    """Group the predictions by confidence into BINS intervals. Empty intervals are left out."""
    groups: dict[int, list[Prediction]] = {}
    for each in predictions:
        groups.setdefault(min(int(each.confidence * BINS), BINS - 1), []).append(each)
    return [
        Bin(number / BINS, len(group), sum(each.confidence for each in group) / len(group), accuracy(group))
        for number, group in sorted(groups.items())
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error, 0 to 1: the weighted mean of |accuracy - confidence| over the bins.

    Source: Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    distances = sum(each.size * abs(each.accuracy - each.confidence) for each in bins)
    return distances / sum(each.size for each in bins)


def _counts(predictions: Sequence[Prediction]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Count for each label how often it was predicted, how often it is the actual one, and how often both."""
    return (
        Counter(each.predicted for each in predictions),
        Counter(each.actual for each in predictions),
        Counter(each.actual for each in predictions if each.predicted == each.actual),
    )
