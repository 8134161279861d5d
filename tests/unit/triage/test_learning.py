"""The effect of training examples on suggestions."""

from __future__ import annotations

import math
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
    """Insert a ticket with the prior's suggestion and these final labels."""
    suggestion = prior.classify(text)
    return suggest(database, text, (suggestion.category, suggestion.priority), (category, priority), status="closed")


def probability(learning: LearningClassifier, text: str, category: str) -> float:
    """Return the confidence of the category, or 0 if another one is suggested."""
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


def test_a_training_example_reaches_all_processes_at_once(database: Connection, database_url: str) -> None:
    other = Database(Config(database_url=database_url))
    try:
        correct(database, TEXT, "technical")
        elsewhere = LearningClassifier(prior, lambda text: training.token_counts(other, text))
        assert elsewhere.classify(SIMILAR).category == "technical"
    finally:
        other.close()


def test_a_correction_does_not_affect_unrelated_texts(database: Connection, learning: LearningClassifier) -> None:
    correct(database, TEXT, "technical")
    assert learning.classify(OTHER).category == prior.classify(OTHER).category
    assert learning.classify("I was charged twice, refund the invoice").category == "billing"


def test_a_second_correction_overrides_the_first(database: Connection, learning: LearningClassifier) -> None:
    ticket = correct(database, TEXT, "technical")
    change(database, ticket, category="account")
    assert learning.classify(SIMILAR).category == "account"


def test_a_kept_label_raises_the_confidence(database: Connection, learning: LearningClassifier) -> None:
    before = probability(learning, SIMILAR, "general")
    change(database, suggest(database, TEXT), status="closed")
    once = probability(learning, SIMILAR, "general")
    change(database, suggest(database, f"{TEXT} again"), status="closed")
    assert before < once < probability(learning, SIMILAR, "general")


def test_a_label_that_nobody_gives_is_suggested_less(database: Connection, learning: LearningClassifier) -> None:
    """People call these texts technical or general, but never account, as the lexicon does."""
    text = "the password of the gasket"
    assert prior.classify(text).category == "account"
    for number in range(8):
        correct(database, f"{text} {unique_word()}", ("technical", "general")[number % 2])
    assert learning.classify(text).category in {"technical", "general"}


def test_it_learns_priorities(database: Connection, learning: LearningClassifier) -> None:
    for _ in range(5):
        correct(database, f"{TEXT} {unique_word()}", "general", "high")
    assert learning.classify(SIMILAR).priority == "high"
    assert learning.classify(OTHER).priority == prior.classify(OTHER).priority


def test_reasons_quote_the_words_that_support_the_label(database: Connection, learning: LearningClassifier) -> None:
    correct(database, OTHER, "account")
    correct(database, TEXT, "technical")
    reasons = [reason for reason in learning.classify("GASKETS squeak, meadow").reasons if reason.field == "category"]
    assert {reason.words for reason in reasons} == {"GASKETS", "squeak"}
    assert {reason.label for reason in reasons} == {"technical"}


def test_reasons_of_prior_and_training_are_combined(database: Connection, learning: LearningClassifier) -> None:
    correct(database, OTHER, "account")
    correct(database, "refund the gasket", "billing")
    suggestion = learning.classify("a refund for my gasket")
    words = [reason.words for reason in suggestion.reasons if reason.field == "category"]
    assert suggestion.source == "offline"
    assert words[0] == "refund"
    assert "gasket" in words
    assert len(words) <= MAX_REASONS


def test_forget_removes_the_effect_of_training(
    database: Connection, learning: LearningClassifier, store: Database
) -> None:
    correct(database, TEXT, "technical")
    training.forget(store)
    assert learning.classify(SIMILAR) == prior.classify(SIMILAR)
    training.rebuild(store)
    assert learning.classify(SIMILAR).category == "technical"


def test_without_token_counts_the_prior_is_used(database: Connection) -> None:
    correct(database, TEXT, "technical")
    assert LearningClassifier(prior, lambda _: None).classify(SIMILAR) == prior.classify(SIMILAR)


def test_without_the_database_the_prior_is_used(caplog: pytest.LogCaptureFixture) -> None:
    unreachable = Database(Config(database_url="postgresql://127.0.0.1:1/none", pool_timeout=0.1))
    try:
        away = LearningClassifier(prior, lambda text: training.token_counts(unreachable, text))
        assert away.classify(TEXT) == prior.classify(TEXT)
    finally:
        unreachable.close()
    assert "without training examples" in caplog.text


def test_without_the_migration_the_prior_is_used() -> None:
    def token_counts(_: str) -> TokenCounts | None:
        raise Unavailable("The database is not up to date.")

    assert LearningClassifier(prior, token_counts).classify(TEXT) == prior.classify(TEXT)


def test_the_effect_of_training_on_the_odds_is_limited() -> None:
    flood = TokenCounts([10**9, 10**9, 10**9, 10**9, 0, 0, 0, 0], [("w", [10**6, 1, 1, 1, 0, 0, 0, 0])] * 64)
    suggestion = LearningClassifier(prior, lambda _: flood).classify(OTHER)
    assert suggestion.category == "billing"
    assert suggestion.category_confidence < 0.9999


# --- the formula


def test_log_odds_follow_the_formula() -> None:
    """Three labels with 290, 90 and 20 tokens; 4, 1 and none of them are the token, smoothed by a quarter of one."""
    share = (290 + 160 / 3) / (400 + 160)
    squared = (4 - 5 * share) ** 2 / (5 * share * (1 - share))
    token = math.log((4 + share / 4) / (1 + (1 - share) / 4) * (1 - share) / share) * squared / (4 + squared)
    frequency = math.log(share / (1 - share) * 2) / 2
    first, second, third = bayes.log_odds(["w"], [[400, 100, 0]], [29_000, 9_000, 2_000])
    assert first.value == pytest.approx(frequency + token)
    assert second.value < 0
    assert third.value < 0
    assert (first.tokens, second.tokens, third.tokens) == (("w",), (), ())


def test_known_tokens_speak_against_a_label_without_examples() -> None:
    *_, without = bayes.log_odds(["w"] * 8, [[200, 200, 200, 0]] * 8, [50_000, 50_000, 50_000, 0])
    assert without.value < -2
    assert without.tokens == ()


def test_a_frequent_label_is_preferred_if_tokens_say_nothing() -> None:
    frequent, rare = bayes.log_odds(["w"], [[600, 200]], [6_000_000, 2_000_000])
    assert frequent.value == pytest.approx(math.log(3) / 2, abs=0.01)
    assert frequent.value == pytest.approx(-rare.value)


def test_a_token_of_a_long_text_is_weighed_as_when_it_is_learned() -> None:
    """Two examples of 32 tokens give each of them one token between them, as much as one example of a short text."""
    [short, _], [long, _] = (
        bayes.log_odds(["w"] * size, [[count, 0]] * size, [50_000, 50_000]) for size, count in ((16, 200), (32, 100))
    )
    assert long.value == pytest.approx(2 * short.value)
    assert bayes.familiarity([[50, 0]] * 32) == bayes.familiarity([[100, 0]] * 16)


def test_chance_says_little() -> None:
    """Of ten examples of a token, three of one label in four are what to expect; ten are not."""
    [chance, *_], [sure, *_] = (
        bayes.log_odds(["w"], [token], [100_000] * 4) for token in ([300, 300, 200, 200], [1000, 0, 0, 0])
    )
    assert 0 < chance.value < 0.05
    assert sure.value > 3


def test_a_seldom_token_speaks_for_no_rare_label() -> None:
    """A token that only the usual label had does not support the rare one, however few its examples are."""
    usual, rare = bayes.log_odds(["w"] * 64, [[25, 0]] * 64, [80_000, 800])
    assert rare.value < 0 < usual.value
    assert rare.tokens == ()


def test_familiarity_grows_with_what_is_known() -> None:
    assert bayes.familiarity([]) == 0
    assert bayes.familiarity([None, [0, 0]]) == 0
    assert bayes.familiarity([[100, 0], None]) == pytest.approx(0.25)
    assert bayes.familiarity([[50, 250]]) == pytest.approx(0.75)


# --- long mails: one subject among many words of which each is seldom


def long_mail(rng: random.Random, category: str) -> str:
    """Return four words of a subject, and fifty of three thousand that have none, the first of them more often."""
    stray = [f"z{chr(97 + rank % 26)}{chr(97 + rank // 26 % 26)}{chr(97 + rank // 676)}" for rank in range(3000)]
    words = rng.sample(SUBJECTS[category].split(), 4) + rng.choices(
        stray, [1 / (rank + 5) for rank in range(3000)], k=50
    )
    rng.shuffle(words)
    return " ".join(words)


def test_long_mails_teach_as_short_texts_do(database: Connection, learning: LearningClassifier) -> None:
    """Most have one label: the seldom words that fill the others must not speak for the labels with few examples."""
    rng = random.Random(3)

    def mails(count: int) -> list[tuple[str, str]]:
        return [(long_mail(rng, category), category) for category in rng.choices(CATEGORIES, (20, 3, 1, 2), k=count)]

    with database.transaction():
        for text, category in mails(60):
            suggest(database, text, final=(category, "medium"), status="closed")
    assert accuracy(learning, mails(60)) >= 0.8


# --- poisoning: the effect of a few hundred hostile tickets

HONEST, POISONED, HELD_OUT = 1000, 300, 300


def poison_copies(rng: random.Random, _: int) -> str:
    """Return the same account ticket each time, with different numbers."""
    return f"{SUBJECTS['account']} {rng.random()}"


def poison_lies(rng: random.Random, _: int) -> str:
    """Return tickets that look like honest ones about accounts, and outnumber them."""
    return honest_text(rng, "account")


def poison_floods(rng: random.Random, number: int) -> str:
    """Return a random mix of words of all subjects and small talk."""
    words = " ".join([*SUBJECTS.values(), SMALL_TALK]).split()
    return " ".join([*rng.sample(words, 40), str(number)])


def accuracy(learning: LearningClassifier, tickets: list[tuple[str, str]]) -> float:
    """Return the share of texts whose category is predicted correctly."""
    suggestions: list[Suggestion] = [learning.classify(text) for text, _ in tickets]
    correct = [found.category == category for found, (_, category) in zip(suggestions, tickets, strict=True)]
    return sum(correct) / len(tickets)


@pytest.mark.parametrize(("poison", "loss"), [(poison_copies, 0.01), (poison_floods, 0.04), (poison_lies, 0.08)])
def test_hundreds_of_poisoned_tickets_reduce_accuracy_little(
    database: Connection, learning: LearningClassifier, poison: Poison, loss: float
) -> None:
    rng = random.Random(1)

    def honest(count: int) -> list[tuple[str, str]]:
        return [(honest_text(rng, category), category) for category in rng.choices(CATEGORIES, k=count)]

    held_out = honest(HELD_OUT)
    with database.transaction():
        for text, category in honest(HONEST):
            correct(database, text, category)
    before = accuracy(learning, held_out)
    with database.transaction():
        for number in range(POISONED):
            correct(database, poison(rng, number), "billing")
    assert before > 0.9
    assert accuracy(learning, held_out) > before - loss
