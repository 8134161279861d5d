"""The linear model that corrects the lexicon."""

from __future__ import annotations

import math

import pytest

from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.offline.linear import WEIGHTS, LinearModel, features
from ticketsvc.triage.offline.tokens import tokenize

EVEN = dict.fromkeys(CATEGORIES, math.log(0.25)), dict.fromkeys(PRIORITIES, math.log(0.25))
FILE = """\
// billing technical account general low medium high critical
tenanc 300 0 0 0 0 0 0 0
flood_cellar 0 0 0 0 0 0 0 400
"""


def correct(text: str, weights: str = FILE) -> tuple[dict[str, float], dict[str, float]]:
    return LinearModel(weights).correct(tokenize(text), *EVEN)


def test_it_works() -> None:
    categories, priorities = correct("The TENANCIES: flood, cellar")
    assert max(categories, key=categories.__getitem__) == "billing"
    assert max(priorities, key=priorities.__getitem__) == "critical"


def test_the_scores_follow_the_formula() -> None:
    """One of two known features has 3 nats: 3 / sqrt(2) are added."""
    categories, priorities = correct("tenancy flood cellar")
    weight = math.exp(3 / math.sqrt(2))
    assert math.exp(categories["billing"]) == pytest.approx(weight / (weight + 3))
    for scores in (categories, priorities):
        assert sum(map(math.exp, scores.values())) == pytest.approx(1)


def test_without_known_features_the_scores_stay() -> None:
    assert correct("something else") == EVEN
    assert correct("tenancy", "") == EVEN


def test_a_constant_is_added_to_every_text() -> None:
    categories, _ = correct("", "* 0 100 0 0 0 0 0 0\n")
    assert math.exp(categories["technical"]) == pytest.approx(math.e / (math.e + 3))


def test_features_are_stems_and_pairs_each_once() -> None:
    assert features(tokenize("Refunded refunds, Réfund")) == ["refund", "refund_refund"]


def test_it_rejects_a_line_without_a_weight_for_each_label() -> None:
    with pytest.raises(ValueError, match="tenanc has 3 weights, not 8"):
        LinearModel("tenanc 1 2 3\n")


def test_the_committed_weights_are_valid() -> None:
    LinearModel(WEIGHTS.read_text(encoding="utf-8"))
