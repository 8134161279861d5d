"""What the tickets of this database teach about words and labels. The triggers of migration 0002 do the learning."""

from __future__ import annotations

import json
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.model import Example, TokenCounts

_RECALL = queries.load("triage.token_counts")
_EXAMPLES = queries.load("triage.examples")
_FORGET = queries.load("triage.forget")
_REBUILD = queries.load("triage.rebuild")
_STOP = queries.load("triage.stop")
_SIZE = queries.load("triage.size")


class Size(NamedTuple):
    """How much was learned: texts that teach, different words, words counted for each field, bytes on disk."""

    texts: int
    words: int
    category_words: int
    priority_words: int
    bytes: int


def recall(database: Database, text: str) -> TokenCounts | None:
    """What was learned about a text; None before anything was learned, and for a text without words.

    NUL and lone surrogates, which Postgres does not store, are read as a space and a question mark.
    """
    row = database.row(_RECALL, {"text": _storable(text)})
    if row is None:
        return None
    total, words = map(json.loads, row)
    return TokenCounts(total, [(word, counts) for word, counts in words])


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
