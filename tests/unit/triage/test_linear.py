"""The linear model that corrects the lexicon."""

from __future__ import annotations

import math

import pytest

from tests.conftest import ROOT
from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.triage.offline.evidence import Evidence
from ticketsvc.triage.offline.linear import LABELS, LEXICON, UNIT, WEIGHTS, LinearModel
from ticketsvc.triage.offline.tokens import tokenize
from ticketsvc_dev.triage_training.train import read_examples, steepness

EVEN = dict.fromkeys(CATEGORIES, math.log(0.25)), dict.fromkeys(PRIORITIES, math.log(0.25))
FILE = """\
// billing technical account general low medium high critical
tenan 300 0 0 0 0 0 0 0
[danger] 0 0 0 0 0 0 0 400
"""
DANGER = Evidence("danger", 3.0, 0, 3)


def correct(text: str, *evidence: Evidence, weights: str = FILE) -> tuple[dict[str, float], dict[str, float]]:
    return LinearModel(weights).correct(tokenize(text), evidence, *EVEN)


def test_the_scores_follow_the_formula() -> None:
    """The part of the model in a text of two words is 2**2 / (2**2 + 10**2), in which a word has 1 / sqrt(2 + 30)."""
    categories, priorities = correct("TENANCIES, tenants: house", DANGER, DANGER)
    part = 4 / 104
    assert math.exp(categories["billing"]) == pytest.approx(1 / (1 + 3 * math.exp(-part * 3 / math.sqrt(32))))
    assert math.exp(priorities["critical"]) == pytest.approx(1 / (1 + 3 * math.exp(-part * 4)))
    for scores in (categories, priorities):
        assert sum(map(math.exp, scores.values())) == pytest.approx(1)


def test_without_known_features_the_scores_stay() -> None:
    for weights in (FILE, ""):
        categories, priorities = correct("something else", weights=weights)
        assert categories == pytest.approx(EVEN[0])
        assert priorities == pytest.approx(EVEN[1])


def test_a_constant_is_added_to_every_text_and_the_scores_of_the_lexicon_are_scaled() -> None:
    words = " ".join("abcdefghij")  # ten different ones: the part of the model is a half
    categories, _ = correct(words, weights="* 0 200 0 0 0 0 0 0\n")
    assert math.exp(categories["technical"]) == pytest.approx(math.e / (math.e + 3))
    lexicon = {"billing": -1.0, "technical": -2.0, "account": -3.0, "general": -4.0}
    scaled, _ = LinearModel("[lexicon] 50 50 50 50 0 0 0 0\n").correct(tokenize(words), [], lexicon, EVEN[1])
    assert scaled["billing"] - scaled["general"] == pytest.approx(3 * 0.75)


def test_the_lexicon_decides_about_a_text_without_words() -> None:
    categories, _ = correct("", weights="* 0 900 0 0 0 0 0 0\n")
    assert categories == pytest.approx(EVEN[0])


def test_it_rejects_a_line_without_a_weight_for_each_label() -> None:
    with pytest.raises(ValueError, match="tenan has 3 weights, not 8"):
        LinearModel("tenan 1 2 3\n")


def test_the_committed_weights_are_readable_and_small() -> None:
    lines = WEIGHTS.read_text(encoding="utf-8").splitlines()
    assert 2_000 < len(lines) < 6_000
    assert WEIGHTS.stat().st_size < 200_000


def test_the_committed_weights_are_those_of_the_labelled_tickets() -> None:
    """The loss over the files has its minimum there: its slope is a small part of that at zero.

    It fails after larger changes of the files, of the lexicon, or of what reads mail. Then train again:
    `python -m ticketsvc_dev.triage_training`.
    """
    examples = read_examples(ROOT / "ticketsvc_dev" / "triage_training")
    committed = LinearModel(WEIGHTS.read_text(encoding="utf-8")).weights
    weights = {feature: [number / UNIT for number in numbers] for feature, numbers in committed.items()}
    zero = {feature: [0.0] * len(LABELS) for feature in weights} | {LEXICON: weights[LEXICON]}
    assert steepness(examples, weights) < 0.05 * steepness(examples, zero)
