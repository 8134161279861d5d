"""How the lessons of this database's tickets change what is suggested."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.support.training import SMALL_TALK, SUBJECTS, change, honest_text, suggest, unique_word
from tests.unit.triage.conformance import check_conformance
from ticketsvc.config import Config
from ticketsvc.enums import CATEGORIES, PRIORITIES
from ticketsvc.problems import Unavailable
from ticketsvc.store import training
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.learning import bayes
from ticketsvc.triage.learning.classifier import LearningClassifier
from ticketsvc.triage.model import MAX_REASONS, TokenCounts
from ticketsvc.triage.offline.classifier import OfflineClassifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.tickets import Connection
    from ticketsvc.triage.model import Suggestion

    Poison = Callable[[random.Random, int], str]

pytestmark = pytest.mark.usefixtures("clean")

TEXT = "the gasket of the rotor squeaks"
SIMILAR = "our gasket squeaks and the rotor too"
OTHER = "a heron stands in the meadow"

prior = OfflineClassifier()


@pytest.fixture(scope="module")
def store(database_url: str) -> Iterator[Database]:
    store = Database(Config(database_url=database_url))
    yield store
    store.close()


@pytest.fixture
def learning(store: Database) -> LearningClassifier:
    return LearningClassifier(prior, lambda text: training.token_counts(store, text))


def correct(database: Connection, text: str, category: str, priority: str = "medium") -> str:
    """File a ticket with what the prior suggests, and give it these labels."""
    suggestion = prior.classify(text)
    return suggest(database, text, (suggestion.category, suggestion.priority), (category, priority), status="closed")


def probability(learning: LearningClassifier, text: str, category: str) -> float:
    """How sure it is of the category; 0 when it suggests another."""
    suggestion = learning.classify(text)
    return suggestion.category_confidence if suggestion.category == category else 0.0


def test_it_works(database: Connection, learning: LearningClassifier) -> None:
    assert learning.classify(SIMILAR) == prior.classify(SIMILAR)
    ticket = suggest(database, TEXT)
    change(database, ticket, category="technical")
    suggestion = learning.classify(SIMILAR)
    assert suggestion.category == "technical"
    assert suggestion.source == "learned"


def test_it_conforms(database: Connection, learning: LearningClassifier) -> None:
    check_conformance(learning)
    for number, text in enumerate(("word charged", "أستطيع تسجيل", "nul inside lone surrogate", "login e\u0301")):
        correct(database, text, CATEGORIES[number], PRIORITIES[number])
    check_conformance(learning)


def test_a_lesson_reaches_every_process_at_once(database: Connection, database_url: str) -> None:
    other = Database(Config(database_url=database_url))
    try:
        correct(database, TEXT, "technical")
        elsewhere = LearningClassifier(prior, lambda text: training.token_counts(other, text))
        assert elsewhere.classify(SIMILAR).category == "technical"
    finally:
        other.close()


def test_a_correction_leaves_other_texts_alone(database: Connection, learning: LearningClassifier) -> None:
    correct(database, TEXT, "technical")
    assert learning.classify(OTHER).category == prior.classify(OTHER).category
    assert learning.classify("I was charged twice, refund the invoice").category == "billing"


def test_a_second_correction_outdoes_the_first(database: Connection, learning: LearningClassifier) -> None:
    ticket = correct(database, TEXT, "technical")
    change(database, ticket, category="account")
    assert learning.classify(SIMILAR).category == "account"


def test_an_agreement_strengthens(database: Connection, learning: LearningClassifier) -> None:
    before = probability(learning, SIMILAR, "general")
    change(database, suggest(database, TEXT), status="closed")
    once = probability(learning, SIMILAR, "general")
    change(database, suggest(database, f"{TEXT} again"), status="closed")
    assert before < once < probability(learning, SIMILAR, "general")


def test_it_learns_priorities(database: Connection, learning: LearningClassifier) -> None:
    for _ in range(5):
        correct(database, f"{TEXT} {unique_word()}", "general", "high")
    assert learning.classify(SIMILAR).priority == "high"
    assert learning.classify(OTHER).priority == prior.classify(OTHER).priority


def test_reasons_are_the_words_of_the_ticket_that_spoke_for_the_label(
    database: Connection, learning: LearningClassifier
) -> None:
    correct(database, OTHER, "account")
    correct(database, TEXT, "technical")
    reasons = [reason for reason in learning.classify("GASKETS squeak, meadow").reasons if reason.field == "category"]
    assert {reason.words for reason in reasons} == {"GASKETS", "squeak"}
    assert {reason.label for reason in reasons} == {"technical"}


def test_reasons_of_both_are_told_when_both_agree(database: Connection, learning: LearningClassifier) -> None:
    correct(database, OTHER, "account")
    correct(database, "refund the gasket", "billing")
    suggestion = learning.classify("a refund for my gasket")
    words = [reason.words for reason in suggestion.reasons if reason.field == "category"]
    assert suggestion.source == "offline"
    assert words[0] == "refund"
    assert "gasket" in words
    assert len(words) <= MAX_REASONS


def test_it_forgets(database: Connection, learning: LearningClassifier, store: Database) -> None:
    correct(database, TEXT, "technical")
    training.forget(store)
    assert learning.classify(SIMILAR) == prior.classify(SIMILAR)
    training.rebuild(store)
    assert learning.classify(SIMILAR).category == "technical"


def test_switched_off_it_is_the_prior(database: Connection) -> None:
    correct(database, TEXT, "technical")
    assert LearningClassifier(prior, lambda _: None).classify(SIMILAR) == prior.classify(SIMILAR)


def test_without_the_database_the_prior_answers(caplog: pytest.LogCaptureFixture) -> None:
    unreachable = Database(Config(database_url="postgresql://127.0.0.1:1/none", pool_timeout=0.1))
    try:
        away = LearningClassifier(prior, lambda text: training.token_counts(unreachable, text))
        assert away.classify(TEXT) == prior.classify(TEXT)
    finally:
        unreachable.close()
    assert "without training examples" in caplog.text


def test_without_the_migration_the_prior_answers() -> None:
    def recall(_: str) -> TokenCounts | None:
        raise Unavailable("The database is not up to date.")

    assert LearningClassifier(prior, recall).classify(TEXT) == prior.classify(TEXT)


def test_it_moves_the_odds_only_so_far() -> None:
    flood = TokenCounts([10**9, 10**9, 10**9, 10**9, 0, 0, 0, 0], [("w", [10**6, 1, 1, 1, 0, 0, 0, 0])] * 64)
    suggestion = LearningClassifier(prior, lambda _: flood).classify(OTHER)
    assert suggestion.category == "billing"
    assert suggestion.category_confidence < 0.9999


# --- the formula


def test_evidence_is_the_logarithm_of_the_odds_of_the_words() -> None:
    """400 words each: the word is 4 of the one label's and 1 of the other's, with 5 * sqrt(800) words smoothed in."""
    unseen = 5 * 800**0.5
    expected = ((4 + 0.5) / (400 + unseen)) / ((1 + 0.5) / (400 + unseen))
    first, second, never = bayes.log_odds(["w"], [[400, 100, 0]], [40_000, 40_000, 0])
    assert 2.718281828**first.value == pytest.approx(expected)
    assert second.value == pytest.approx(-first.value)
    assert (first.tokens, second.tokens, never) == (("w",), (), bayes.UNKNOWN)


def test_familiarity_grows_with_what_is_known() -> None:
    assert bayes.familiarity([]) == 0
    assert bayes.familiarity([None, [0, 0]]) == 0
    assert bayes.familiarity([[100, 0], None]) == pytest.approx(0.25)
    assert bayes.familiarity([[50, 250]]) == pytest.approx(0.75)


# --- poisoning: what one person can do with a few hundred tickets

HONEST, POISONED, HELD_OUT = 1000, 300, 300


def poison_copies(chance: random.Random, _: int) -> str:
    """One text of an account ticket over and over, in other figures."""
    return f"{SUBJECTS['account']} {chance.random()}"


def poison_lies(chance: random.Random, _: int) -> str:
    """Tickets like honest ones about accounts, more than there are honest ones."""
    return honest_text(chance, "account")


def poison_floods(chance: random.Random, number: int) -> str:
    """Words of all subjects and small talk thrown together."""
    words = " ".join([*SUBJECTS.values(), SMALL_TALK]).split()
    return " ".join([*chance.sample(words, 40), str(number)])


def accuracy(learning: LearningClassifier, tickets: list[tuple[str, str]]) -> float:
    """The share of texts whose category is right."""
    answers: list[Suggestion] = [learning.classify(text) for text, _ in tickets]
    right = [answer.category == category for answer, (_, category) in zip(answers, tickets, strict=True)]
    return sum(right) / len(tickets)


@pytest.mark.parametrize(("poison", "loss"), [(poison_copies, 0.01), (poison_floods, 0.04), (poison_lies, 0.08)])
def test_a_few_hundred_poisoned_tickets_spoil_little(
    database: Connection, learning: LearningClassifier, poison: Poison, loss: float
) -> None:
    chance = random.Random(1)

    def honest(count: int) -> list[tuple[str, str]]:
        return [(honest_text(chance, category), category) for category in chance.choices(CATEGORIES, k=count)]

    held_out = honest(HELD_OUT)
    with database.transaction():
        for text, category in honest(HONEST):
            correct(database, text, category)
    before = accuracy(learning, held_out)
    with database.transaction():
        for number in range(POISONED):
            correct(database, poison(chance, number), "billing")
    assert before > 0.9
    assert accuracy(learning, held_out) > before - loss
