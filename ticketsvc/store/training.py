"""What was learned from the tickets of this database. Triggers keep the counts (sql/triggers/training.sql)."""

from __future__ import annotations

import json
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

_RECALL = queries.load("triage.token_counts")
_EXAMPLES = queries.load("triage.examples")
_FORGET = queries.load("triage.forget")
_REBUILD = queries.load("triage.rebuild")
_STOP = queries.load("triage.stop")
_SIZE = queries.load("triage.size")

Weights = list[int]
"""For each category, then each priority, what the texts with that label weigh, in hundredths of a word."""


class Memory(NamedTuple):
    """What was learned about the words of a text.

    `total` are the weights of all words together. `words` has each word of the text, as it stands there, with its
    weights, or None for one that no lesson had.
    """

    total: Weights
    words: list[tuple[str, Weights | None]]


class Example(NamedTuple):
    """The beginning of a ticket, at most 500 code points, and the labels that people gave it; None: nobody did."""

    text: str
    category: str | None
    priority: str | None


class Size(NamedTuple):
    """How much was learned: texts that teach, different words, words counted for each field, bytes on disk."""

    texts: int
    words: int
    category_words: int
    priority_words: int
    bytes: int


def recall(database: Database, text: str) -> Memory | None:
    """What was learned about a text; None before anything was learned, and for a text without words.

    NUL and lone surrogates, which Postgres does not store, are read as a space and a question mark.
    """
    row = database.row(_RECALL, {"text": _storable(text)})
    if row is None:
        return None
    total, words = map(json.loads, row)
    return Memory(total, [(word, weights) for word, weights in words])


def examples(database: Database, text: str) -> list[Example]:
    """At most three tickets whose labels were corrected and whose text resembles this one, best first."""
    rows = database.rows(_EXAMPLES, {"text": _storable(text)})
    return [
        Example(body.decode(), category.decode() or None, priority.decode() or None)
        for body, category, priority in rows
    ]


def forget(database: Database) -> None:
    """Forget all lessons: only tickets that are created from now on teach."""
    database.rows(_FORGET)


def rebuild(database: Database) -> int:
    """Learn again from all tickets there are, and return how many different texts teach.

    Meanwhile changes of tickets that teach wait.
    """
    return int(database.rows(_REBUILD)[0][0])


def stop(database: Database) -> None:
    """Forget all lessons, and learn nothing more until `forget` or `rebuild`."""
    database.rows(_STOP)


def size(database: Database) -> Size:
    """How much was learned so far."""
    return Size(*map(int, database.rows(_SIZE)[0]))


def _storable(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
