"""Training from the tickets of this database, and suggestions for those that have none.

Triggers keep the counts (sql/triggers/training.sql).
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.model import Example, KeyCounts, LabelCounts, Suggestion, TokenCounts


class Size(NamedTuple):
    """The size of the training data: different texts, different words, words counted for each field, bytes on disk."""

    texts: int
    words: int
    category_words: int
    priority_words: int
    bytes: int


class KeyShare(NamedTuple):
    """An API key, the number of its training examples, how many are forgotten, and its share of all words (0 to 1)."""

    name: str
    examples: int
    forgotten: int
    share: float


class ReclassifyCandidate(NamedTuple):
    """A ticket. `text` is its title and description, or None when it already has a suggestion."""

    id: UUID
    version: int
    text: str | None


class Refinable(NamedTuple):
    """A new ticket that nobody has touched: its title and description, and the labels that were suggested.

    A label is None if the client gave it.
    """

    id: UUID
    text: str
    category: str | None
    priority: str | None


class _TokenCountsRow(NamedTuple):
    total: LabelCounts
    has_minor_keys: bool
    words: list[Any]


_TOKEN_COUNTS = queries.load("triage.token_counts", _TokenCountsRow)
_KEY_COUNTS = queries.load("triage.key_counts", KeyCounts)
_EXAMPLES = queries.load("triage.examples", Example)
_FORGET = queries.load("triage.forget")
_FORGET_KEY = queries.load("triage.forget_key", int)
_KEYS = queries.load("triage.keys", KeyShare)
_REBUILD = queries.load("triage.rebuild", int)
_STOP = queries.load("triage.stop")
_SIZE = queries.load("triage.size", Size)
_BATCH = queries.load("triage.reclassify_batch", ReclassifyCandidate)
_STORE = queries.load("triage.store_suggestion", UUID)
_REFINABLE = queries.load("triage.refinable", Refinable)
_REFINE = queries.load("triage.refine", UUID)


def token_counts(database: Database, text: str) -> TokenCounts | None:
    """Return the counts for the words of a text, or None before anything was learned and for a text without words.

    NUL and lone surrogates, which Postgres does not store, are read as a space and a question mark.
    """
    row = database.one_or_none(_TOKEN_COUNTS, {"text": _storable(text)})
    if row is None:
        return None
    minor = database.one_or_none(_KEY_COUNTS, {"text": _storable(text)}) if row.has_minor_keys else None
    return TokenCounts(row.total, [(word, counts) for word, counts in row.words], minor)


def examples(database: Database, text: str) -> list[Example]:
    """Return at most three tickets whose labels were corrected and whose text resembles this one, best first."""
    return database.rows(_EXAMPLES, {"text": _storable(text)})


def forget(database: Database) -> None:
    """Forget all training examples. Only tickets created from now on become new ones."""
    database.execute(_FORGET)


def forget_key(database: Database, name: str, forgotten: bool = True) -> int:
    """Forget what an API key has taught so far, or count it again. Return the number of training examples."""
    return database.one(_FORGET_KEY, {"key": name, "forgotten": forgotten})


def keys(database: Database) -> list[KeyShare]:
    """Return the API keys that have taught, by name."""
    return database.rows(_KEYS)


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


def reclassify_batch(database: Database, after: UUID, limit: int, characters: int) -> list[ReclassifyCandidate]:
    """Return the next `limit` tickets after an id, with and without suggestions, their texts cut to `characters`."""
    return database.rows(_BATCH, {"after_id": after, "limit": limit, "characters": characters})


def store_suggestion(database: Database, ticket: ReclassifyCandidate, suggestion: Suggestion) -> bool:
    """Store a suggestion; the ticket may become a training example. Return False when it was changed meanwhile."""
    values = {"id": ticket.id, "version": ticket.version, **_labels(suggestion)}
    return database.one_or_none(_STORE, values) is not None


def refinable(database: Database, after: UUID, oldest: int, newest: int, limit: int) -> list[Refinable]:
    """Return the next `limit` tickets after an id that may be refined, created `oldest` to `newest` seconds ago."""
    values = {"after_id": after, "oldest": oldest, "newest": newest, "limit": limit}
    return database.rows(_REFINABLE, values)


def refine(database: Database, ticket_id: UUID, suggestion: Suggestion, author: Author) -> bool:
    """Replace the suggested labels of a ticket. Return False if it has been changed since it was created."""
    values = {"id": ticket_id, "suggested_by": suggestion.source, "author": author.setting, **_labels(suggestion)}
    return database.one_or_none(_REFINE, values) is not None


def _labels(suggestion: Suggestion) -> dict[str, object]:
    return {
        "category": suggestion.category,
        "category_confidence": suggestion.category_confidence,
        "priority": suggestion.priority,
        "priority_confidence": suggestion.priority_confidence,
    }


def _storable(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
