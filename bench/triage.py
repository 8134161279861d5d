"""Accuracy, learning curves and cost of triage, measured on a temporary Postgres server.

The command line names a folder with the files tickets_en.train.jsonl and tickets_en.dev.jsonl. Each line is a JSON
object with `text`, `category`, `priority` (or null) and `source`, the support desk of the ticket.
"""

from __future__ import annotations

import atexit
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import psycopg
from psycopg import sql

from bench import keywords, triage_cost
from bench.harness import ROOT, say
from ticketsvc import migrations
from ticketsvc.config import Config
from ticketsvc.store import training
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.evaluation import Prediction, accuracy, quality
from ticketsvc.triage.learning.classifier import LearningClassifier
from ticketsvc.triage.offline.classifier import OfflineClassifier
from ticketsvc_dev import embedded

EVALUATION = ROOT / "tests" / "unit" / "triage" / "evaluation.jsonl"
NEWEST = 60  # the last tickets of the file, written after the lexicon
TARGETS = {"banking77": (46, 68, 80, 91), "clinc150": (62, 82, 95, 99), "itservice": (42, 49, 57, 71)}
EXAMPLES = (0, 50, 200, 1000)
ORDERS = 8

_TRAINING_EXAMPLE = """
    INSERT INTO tickets (title, description, status, category, suggested_category, category_confidence, suggested_by)
    VALUES ('-', %(text)s, 'closed', %(category)s, %(category)s, 0.5, 'offline')
"""


class Ticket(NamedTuple):
    """A text and its labels. `desk` is the source of a public ticket, or the split of a ticket of evaluation.jsonl."""

    text: str
    category: str
    priority: str | None
    desk: str


def triage(data: Path, requests: int) -> str:
    """Return all tables. `requests` is the number of requests that measure one kind of request."""
    train, dev = (_read(data / f"tickets_en.{split}.jsonl") for split in ("train", "dev"))
    parts = ["### Accuracy", _accuracies(dev)]
    with databases("untrained", "trained") as (untrained, trained):
        parts += ["### Learning", _curves(*untrained, train, dev)]
        known = [(ticket.text, ticket.category) for ticket in train]
        parts += ["### Cost", triage_cost.measure(untrained, trained, known, requests)]
    return "\n\n".join(parts)


def _read(path: Path) -> list[Ticket]:
    if not path.is_file():
        raise SystemExit(
            f"{path} does not exist. Set --data FOLDER or LABELLED_TICKETS to the folder of the labelled tickets."
        )
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Ticket(row["text"], row["category"], row["priority"], row.get("source") or row["split"]) for row in rows]


@contextmanager
def databases(*names: str) -> Iterator[list[tuple[str, Database]]]:
    """Create empty databases and yield their URLs with a Database for each."""
    folder = tempfile.mkdtemp(prefix="bench-triage-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs after the server has stopped
    server = embedded.start(f"embedded:{folder}/postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    urls = [server.replace("/postgres?", f"/{name}?", 1) for name in names]
    for url in urls:
        migrations.apply(url)
    databases = [Database(Config(database_url=url, statement_timeout=3600)) for url in urls]
    try:
        yield list(zip(urls, databases, strict=True))
    finally:
        for database in databases:
            database.close()


def _accuracies(dev: list[Ticket]) -> str:
    evaluation = _read(EVALUATION)
    sets = {
        f"evaluation.jsonl, {name}": [ticket for ticket in evaluation if ticket.desk == name]
        for name in ("tune", "held_out")
    }
    sets[f"evaluation.jsonl, the newest {NEWEST}"] = evaluation[-NEWEST:]
    sets |= {f"dev, {desk}": [t for t in dev if t.desk == desk] for desk in sorted({ticket.desk for ticket in dev})}
    sets["dev, all"] = dev
    lines = [
        "| tickets | number | field | keywords: accuracy | macro-F1 | kappa | lexicon: accuracy | macro-F1 | kappa |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, tickets in sets.items():
        say(name)
        lines += _accuracy_rows(name, tickets)
    return "\n".join(lines)


def _accuracy_rows(name: str, tickets: list[Ticket]) -> Iterator[str]:
    suggestions = [OfflineClassifier().classify(ticket.text) for ticket in tickets]
    pairs = list(zip(tickets, suggestions, strict=True))
    fields = {
        "category": [
            (t.category, keywords.category(t.text), s.category, s.category_confidence) for t, s in pairs
        ],
        "priority": [
            (t.priority, keywords.priority(t.text), s.priority, s.priority_confidence) for t, s in pairs if t.priority
        ],
    }  # fmt: skip
    for field, rows in fields.items():
        if rows:
            listed = quality([Prediction(keyword, 0, right) for right, keyword, _, _ in rows])
            found = quality([Prediction(label, confidence, right) for right, _, label, confidence in rows])
            figures = [
                f"{value:.3f}" if value is not None else ""
                for each in (listed, found)
                for value in (each.accuracy, each.macro_f1, each.kappa)
            ]
            yield f"| {name} | {len(rows):,} | {field} | {' | '.join(figures)} |"


def _curves(url: str, database: Database, train: list[Ticket], dev: list[Ticket]) -> str:
    """Measure the accuracy for each desk by the number of training examples, starting from none."""
    classifier = LearningClassifier(OfflineClassifier(), partial(training.token_counts, database))
    lines = [
        "| desk | test tickets | " + " | ".join(f"{count:,} examples" for count in EXAMPLES) + " |",
        "| --- | ---: |" + " ---: |" * len(EXAMPLES),
    ]
    for desk, targets in TARGETS.items():
        known, tested = ([ticket for ticket in split if ticket.desk == desk] for split in (train, dev))
        orders = [curve(url, classifier, known, tested, order) for order in range(ORDERS)]
        means = [100 * mean(points) for points in zip(*orders, strict=True)]
        cells = [f"{value:.1f} (at least {target})" for value, target in zip(means, targets, strict=True)]
        lines.append(f"| {desk} | {len(tested):,} | {' | '.join(cells)} |")
        say(lines[-1])
    lines += ["", f"Accuracy of the category in percent; means of {ORDERS} random orders of the training examples."]
    return "\n".join(lines)


def curve(
    url: str, classifier: LearningClassifier, known: list[Ticket], tested: list[Ticket], order: int
) -> list[float]:
    chosen = random.Random(order).sample(known, max(EXAMPLES))
    points, trained = [], 0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE tickets")
        for count in EXAMPLES:
            with connection.cursor() as cursor:
                cursor.executemany(_TRAINING_EXAMPLE, [ticket._asdict() for ticket in chosen[trained:count]])
            trained = count
            predictions = [
                Prediction(classifier.classify(ticket.text).category, 0, ticket.category) for ticket in tested
            ]
            points.append(accuracy(predictions))
            say(f"{tested[0].desk}, order {order + 1}/{ORDERS}, {count:,} examples: {points[-1]:.1%}")
    return points
