"""The accuracy of the offline classifier, compared with the keyword list that it replaces.

The tickets of `evaluation.jsonl` were written and split before the lexicon, except the last 180: three rounds of 60
that were added later. Two of these rounds were used to improve the lexicon and are "tune"; the third was not and is
"held_out". One author wrote tickets and lexicon, so the older part of "held_out" overestimates the accuracy. The newest
round avoids common words. 68 percent of its categories and 82 percent of its priorities are right (without the linear
model 55 and 78), which is the best estimate for new tickets. The linear model learned from other files, and costs some
priorities of the older rounds (88 percent right, without it 89).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from bench import keywords
from ticketsvc.enums import CATEGORIES
from ticketsvc.triage.evaluation import Prediction, accuracy
from ticketsvc.triage.offline.classifier import OfflineClassifier

EVALUATION = Path(__file__).with_name("evaluation.jsonl")
NEWEST = 60  # the last tickets of the file: held out, and written after the lexicon


class Ticket(NamedTuple):
    text: str
    category: str
    priority: str
    split: str
    language: str


class Accuracy(NamedTuple):
    """The accuracy of both fields, from 0 to 1."""

    category: float
    priority: float


TICKETS = [Ticket(**json.loads(line)) for line in EVALUATION.read_text(encoding="utf-8").splitlines()]


def split(name: str) -> list[Ticket]:
    return [ticket for ticket in TICKETS if ticket.split == name]


def compare(tickets: list[Ticket], labels: list[tuple[str, str]]) -> Accuracy:
    pairs = list(zip(tickets, labels, strict=True))
    return Accuracy(
        accuracy([Prediction(category, 0, ticket.category) for ticket, (category, _) in pairs]),
        accuracy([Prediction(priority, 0, ticket.priority) for ticket, (_, priority) in pairs]),
    )


def measure(tickets: list[Ticket]) -> Accuracy:
    suggestions = [OfflineClassifier().classify(ticket.text) for ticket in tickets]
    return compare(tickets, [(suggestion.category, suggestion.priority) for suggestion in suggestions])


def baseline(tickets: list[Ticket]) -> Accuracy:
    return compare(tickets, [(keywords.category(ticket.text), keywords.priority(ticket.text)) for ticket in tickets])


FOREIGN = [ticket for ticket in split("held_out") if ticket.language != "en"]


@pytest.mark.parametrize(
    ("tickets", "floor"),
    [
        pytest.param(split("tune"), Accuracy(0.95, 0.91), id="tune"),
        pytest.param(split("held_out"), Accuracy(0.86, 0.85), id="held_out"),
        pytest.param(TICKETS[-NEWEST:], Accuracy(0.65, 0.75), id="newest"),
        pytest.param(FOREIGN, Accuracy(0.85, 0.90), id="not English"),
    ],
)
def test_the_accuracy_reaches_the_floor(tickets: list[Ticket], floor: Accuracy) -> None:
    measured = measure(tickets)
    assert measured.category >= floor.category
    assert measured.priority >= floor.priority


@pytest.mark.parametrize("tickets", [split("tune"), split("held_out"), TICKETS[-NEWEST:]])
def test_it_is_much_more_accurate_than_the_keyword_list(tickets: list[Ticket]) -> None:
    measured, replaced = measure(tickets), baseline(tickets)
    assert measured.category >= replaced.category + 0.2
    assert measured.priority >= replaced.priority + 0.2


def test_the_confidence_matches_the_accuracy() -> None:
    """On held-out tickets the mean confidence is close to the accuracy and hardly above it."""
    suggestions = [OfflineClassifier().classify(ticket.text) for ticket in split("held_out")]
    measured = measure(split("held_out"))
    category = sum(suggestion.category_confidence for suggestion in suggestions) / len(suggestions)
    priority = sum(suggestion.priority_confidence for suggestion in suggestions) / len(suggestions)
    assert -0.2 < category - measured.category < 0.05
    assert -0.2 < priority - measured.priority < 0.05


def test_the_evaluation_covers_every_label_and_language() -> None:
    assert len(TICKETS) >= 260
    for name in ("tune", "held_out"):
        assert {(ticket.category, ticket.priority) for ticket in split(name)} >= {
            (category, priority) for category in CATEGORIES for priority in ("low", "medium", "high")
        }
    assert {ticket.language for ticket in split("held_out")} == {"en", "de", "fr", "es", "pt", "it", "nl"}


# --- what surrounds a message changes no label

POLITE = {
    "en": ("Dear support team,\n\nI hope this email finds you well.", "Thank you in advance.\n\nBest regards,\nAnna"),
    "de": ("Guten Tag,\n\nich hoffe, es geht Ihnen gut.", "Vielen Dank im Voraus.\n\nMit freundlichen Grüßen\nAnna"),
    "fr": ("Bonjour,\n\nj'espère que vous allez bien.", "Merci d'avance pour votre aide.\n\nCordialement,\nAnna"),
    "es": ("Buenos días:\n\nEspero que estén bien.", "Muchas gracias de antemano.\n\nUn cordial saludo,\nAnna"),
    "pt": ("Bom dia,\n\nespero que esteja bem.", "Desde já agradeço a atenção.\n\nAtenciosamente,\nAnna"),
    "it": ("Buongiorno,\n\nspero che stiate bene.", "Vi ringrazio in anticipo.\n\nCordiali saluti\nAnna"),
    "nl": ("Beste,\n\nik hoop dat het goed gaat.", "Alvast hartelijk dank.\n\nMet vriendelijke groet,\nAnna"),
}
DISCLAIMER = (
    "This message and its attachments are confidential and intended solely for the addressee. If you received it in"
    " error, please notify the sender immediately and delete it. No liability is accepted for errors, viruses or loss"
    " of data; unauthorised access, disclosure or payment instructions in it are invalid. Registered office: London."
)
QUOTED = (
    "On Tue, Mar 3, 2026 at 9:12 AM Support <help@example.com> wrote:\n> The outage of the payment system is critical."
    "\n> All customers are locked out of their accounts.\n> Please reset your password urgently!"
)
SURROUNDINGS = {
    "disclaimer": "{}\n\n" + DISCLAIMER,
    "phone signature": "{}\n\nSent from my iPhone\nhttps://account.example.com/login/urgent-security-payment",
    "quoted thread": "{}\n\n" + QUOTED,
}


@pytest.mark.parametrize("name", [*SURROUNDINGS, "polite"])
def test_what_surrounds_a_message_changes_no_label(name: str) -> None:
    classifier = OfflineClassifier()
    tickets = split("held_out")
    changed = 0
    for ticket in tickets:
        surrounded = SURROUNDINGS.get(name, "\n\n{}\n\n".join(POLITE[ticket.language])).format(ticket.text)
        plain, found = (classifier.classify(f"Ticket\n{text}") for text in (ticket.text, surrounded))
        changed += (plain.category, plain.priority) != (found.category, found.priority)
    assert changed / len(tickets) <= 0.03
