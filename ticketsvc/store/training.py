"""Label and token counts of the training examples. Triggers maintain them (sql/triggers/training.sql)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.model import Example, LabelCounts, TokenCounts


class Size(NamedTuple):
    """The size of the training data: different texts, different words, words counted for each field, bytes on disk."""

    texts: int
    words: int
    category_words: int
    priority_words: int
    bytes: int


class _TokenCountsRow(NamedTuple):
    total: LabelCounts
    words: list[Any]


_TOKEN_COUNTS = queries.load("triage.token_counts", _TokenCountsRow)
_EXAMPLES = queries.load("triage.examples", Example)
_FORGET = queries.load("triage.forget")
_REBUILD = queries.load("triage.rebuild", int)
_STOP = queries.load("triage.stop")
_SIZE = queries.load("triage.size", Size)


def token_counts(database: Database, text: str) -> TokenCounts | None:
    """Return the counts for the words of a text, or None before anything was learned and for a text without words.

    NUL and lone surrogates, which Postgres does not store, are read as a space and a question mark.
    """
    row = database.one_or_none(_TOKEN_COUNTS, {"text": _storable(text)})
    return row and TokenCounts(row.total, [(word, counts) for word, counts in row.words])


def examples(database: Database, text: str) -> list[Example]:
    """Return at most three tickets whose labels were corrected and whose text resembles this one, best first."""
    return database.rows(_EXAMPLES, {"text": _storable(text)})


def forget(database: Database) -> None:
    """Forget all training examples. Only tickets created from now on become new ones."""
    database.execute(_FORGET)


def rebuild(database: Database) -> int:
    """Recompute all counts from the tickets, and return the number of different texts.

    Changes of tickets that are training examples wait meanwhile.
    """
    return database.one(_REBUILD)


def stop(database: Database) -> None:
    """Forget all training examples, and learn nothing more until `forget` or `rebuild`."""
    database.execute(_STOP)


def size(database: Database) -> Size:
    """Return the size of the training data."""
    return database.one(_SIZE)


def _storable(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
