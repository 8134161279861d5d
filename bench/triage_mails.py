"""Learning curves of triage on short texts and on long mails, from the committed tickets: no data set is needed.

A ticket becomes a long mail by an opening, a closing, a signature, a quoted mail that is another ticket, and a
disclaimer (`furniture.jsonl`). The prior is the lexicon alone, because the linear model has learned these tickets.
"""

from __future__ import annotations

import json
import random
from functools import partial
from statistics import mean

from bench.harness import ROOT, say
from bench.triage import EXAMPLES, Ticket, curve, databases
from ticketsvc.store import training
from ticketsvc.triage.labelled import read_line
from ticketsvc.triage.learning.classifier import LearningClassifier
from ticketsvc.triage.offline.classifier import OfflineClassifier
from ticketsvc.triage.offline.linear import LinearModel

FOLDER = ROOT / "ticketsvc_dev" / "triage_training"
FURNITURE = ROOT / "tests" / "unit" / "triage" / "furniture.jsonl"
LANGUAGES = ("en", "de", "fr", "es", "pt")
TESTED = 400  # tickets
ORDERS = 3


def mails() -> str:
    """Return a table: the accuracy of the category by the number of training examples."""
    lines = [
        "| texts | words | " + " | ".join(f"{count:,} examples" for count in EXAMPLES) + " |",
        "| --- | ---: |" + " ---: |" * len(EXAMPLES),
    ]
    with databases("mails") as [(url, database)]:
        prior = OfflineClassifier(LinearModel(""))
        classifier = LearningClassifier(prior, partial(training.token_counts, database))
        for name, tickets in (("short", _tickets()), ("long mails", _wrapped(_tickets()))):
            points = []
            for order in range(ORDERS):
                chosen = random.Random(order).sample(tickets, len(tickets))
                points.append(curve(url, classifier, chosen[TESTED:], chosen[:TESTED], order))
            means = [mean(values) for values in zip(*points, strict=True)]
            words = mean(len(ticket.text.split()) for ticket in tickets)
            lines.append(f"| {name} | {words:.0f} | " + " | ".join(f"{value:.1%}" for value in means) + " |")
            say(lines[-1])
    return "\n".join(lines)


def _tickets() -> list[Ticket]:
    """Return the tickets for training, with their language as the desk."""
    rows = [
        (read_line(line), language)
        for language in LANGUAGES
        for line in (FOLDER / f"{language}.jsonl").read_bytes().splitlines()
    ]
    return [Ticket(row.text, row.category or "", row.priority, language) for row, language in rows]


def _wrapped(tickets: list[Ticket]) -> list[Ticket]:
    pieces = [json.loads(line) for line in FURNITURE.read_bytes().splitlines()]
    chance = random.Random(0)
    wrapped = []
    for ticket in tickets:
        own = {
            kind: [piece["text"] for piece in pieces if (piece["kind"], piece["language"]) == (kind, ticket.desk)]
            for kind in ("opening", "closing", "disclaimer")
        }
        title, _, text = ticket.text.partition("\n")
        quoted = chance.choice([other for other in tickets if other.desk == ticket.desk]).text.replace("\n", "\n> ")
        parts = [
            title,
            *(
                chance.choice(own["opening"]),
                text,
                chance.choice(own["closing"]),
                "-- \nAnna Berg\nAccounts, +49 30 123",
            ),
            chance.choice(own["disclaimer"]),
            f"On Tue, Mar 3, 2026 at 9:12 AM Support <help@example.com> wrote:\n> {quoted}",
        ]
        wrapped.append(ticket._replace(text="\n\n".join(parts)))
    return wrapped
