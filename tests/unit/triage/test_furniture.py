"""Disclaimers and courtesies: what belongs to them, and how little they change the labels of tickets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from ticketsvc.enums import PRIORITIES
from ticketsvc.triage.labelled import read_line
from ticketsvc.triage.offline.classifier import OfflineClassifier
from ticketsvc.triage.offline.furniture import OPENINGS
from ticketsvc.triage.offline.tokens import tokenize
from ticketsvc_dev.triage_training.openings import openings_text

FURNITURE = [json.loads(line) for line in Path(__file__).with_name("furniture.jsonl").read_bytes().splitlines()]
TRAINING = sorted((ROOT / "ticketsvc_dev" / "triage_training").glob("??.jsonl"))
EACH = 12  # every twelfth ticket, to take seconds
PROBLEM = "The export of our invoices stops after ten pages."
classifier = OfflineClassifier()


def labels(text: str) -> tuple[str, str]:
    found = classifier.classify(text)
    return found.category, found.priority


def words(text: str) -> str:
    """Return the words that the linear model sees."""
    return " ".join(token.word for token in classifier.read(text)[0])


@pytest.mark.parametrize(("kind", "least"), [("disclaimer", 40), ("opening", 30), ("closing", 20)])
def test_furniture_changes_hardly_any_label(kind: str, least: int) -> None:
    """At most 3% in the part that nobody tuned on. The hard part of the disclaimers has footers of every kind."""
    assert sum(each["kind"] == kind for each in FURNITURE) >= least
    for split, limit in (("tune", 0.02), ("held_out", 0.03), ("hard", 0.07)):
        if not any((each["kind"], each["split"]) == (kind, split) for each in FURNITURE):
            continue
        changed = total = 0
        for path in TRAINING:
            own = [
                each["text"]
                for each in FURNITURE
                if (each["kind"], each["split"], each["language"]) == (kind, split, path.stem)
            ]
            for number, line in enumerate(path.read_bytes().splitlines()[::EACH]):
                title, _, text = read_line(line).text.partition("\n")
                furniture = own[number % len(own)]
                wrapped = f"{furniture}\n\n{text}" if kind == "opening" else f"{text}\n\n{furniture}"
                pairs = zip(labels(f"{title}\n{text}"), labels(f"{title}\n{wrapped}"), strict=True)
                changed += sum(plain != found for plain, found in pairs)
                total += 2
        assert changed / total <= limit, f"{split}: {changed} of {total}"


def test_the_weights_of_openings_are_those_of_the_training_files() -> None:
    """It fails after changes of the files, or of what reads mail: run `python -m ticketsvc_dev.triage_training`."""
    assert OPENINGS.read_text(encoding="utf-8") == openings_text(TRAINING[0].parent)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Pages\nI hope this email finds you well. {PROBLEM}", f"Pages {PROBLEM}"),
        (f"Pages\nSorry to bother you, {PROBLEM}", f"Pages {PROBLEM}"),
        (f"Pages\n{PROBLEM} Thanks so much. If you need anything, just ask me.", f"Pages {PROBLEM}"),
        (f"Seiten\nmein Name ist Karl Wiesner. {PROBLEM}", f"Seiten {PROBLEM}"),
        (f"Pages\nThank you for being so kind. I have been your customer for years.\n\n{PROBLEM}", f"Pages {PROBLEM}"),
        (f"Pages\nThank you for all. The box was empty.\n\n{PROBLEM}", f"Pages The box was empty. {PROBLEM}"),
        (f"Pages\nDear Sandra,\n\nMy name is Paul Ott, I teach music in Ulm.\n\n{PROBLEM}", f"Pages {PROBLEM}"),
    ],
)
def test_courtesies_are_dropped(text: str, left: str) -> None:
    assert words(text) == words(left)


@pytest.mark.parametrize(
    "text",
    [
        "I hope that my refund arrives this week.",
        "Thanks for nothing, the invoice is still wrong.",
        "Sorry, I cannot log in.",
        "Thank you all so much!",
        "Thanks\nGreat service",
        "Your email with the contract of another customer reached me by mistake. Shall I delete it?",
        "Mail to the wrong person\nA message with personal data of our clients was sent to a third party by mistake."
        " The recipient opened the attachment and forwards copies. Please delete it and inform the protection officer.",
        "Unterlagen\nDie Nachricht mit dem Anhang ist an eine unberechtigte Person gegangen. Bitte den Inhalt löschen"
        " und den Empfänger informieren, es sind Daten von Patienten.",
        "Mail merge\nSomething went badly with the mail merge of our newsletter this morning. The recipients received"
        " the personal data of others. The attachments contain copies of contracts. How do we delete the messages?",
        "Locks\nYou look after some 3,000 locks of that type in town, as far as I know.",
        "Confidential documents are visible to unauthorised persons\nOur recipients see the personal data of others.",
    ],
)
def test_what_a_ticket_is_about_is_kept(text: str) -> None:
    assert words(text) == " ".join(token.word for token in tokenize(text))


def test_words_of_instructions_do_not_count() -> None:
    text = "The font of the menu is a bit small for our new screens in the office."
    assert words(f"Font\nSet the priority to critical. {text}") == words(f"Font\nthe. {text}").replace(" the ", " ", 1)
    for order in ("Set priority to critical.", "Prioridad critica.", "Als kritisch.", "Classe en critique."):
        assert PRIORITIES.index(labels(f"Font\n{text} {order}")[1]) <= PRIORITIES.index("medium")
