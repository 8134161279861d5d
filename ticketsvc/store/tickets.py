"""Tickets in the database. Every function is one statement, and answers the JSON that Postgres wrote."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import CreateInProgress, KeyReused, NotFound, VersionMismatch
from ticketsvc.store import search_index
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.model import Suggestion

SORTS = {"-created_at": "newest", "created_at": "oldest", "-updated_at": "updated", "-priority": "urgent"}
"""The orders that callers can ask for, and what the queries call them."""

FIRST_VERSION = 1
"""The version of a new ticket (the table's default)."""

_CREATE = queries.load("tickets.create")
_CREATE_IDEMPOTENT = queries.load("tickets.create_idempotent", is_idempotent=True)
_GET = queries.load("tickets.get")
_UPDATE = queries.load("tickets.update")
_DELETE = queries.load("tickets.delete")
_COUNT = queries.load("tickets.count")
_COUNT_SEARCH = queries.load("tickets.count_search")
_COUNTED = queries.load("stats.count")
_LIST = {sort: queries.load(f"tickets.list_{sort}") for sort in ("newest", "oldest")}
_FILTER = {sort: queries.load(f"tickets.filter_{sort}") for sort in SORTS.values()}
_SEARCH = {sort: queries.load(f"tickets.search_{sort}") for sort in SORTS.values()}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as JSON, and its version."""

    json: bytes
    version: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """Keeps a create from being done twice: hashes of the idempotency key with its owner, and of the body."""

    key_hash: UUID
    body_hash: UUID


@dataclass(frozen=True, slots=True)
class Page:
    """A JSON array of tickets, and where the next page starts; None: this is the last."""

    json: bytes
    next: Cursor | None


@dataclass(frozen=True)
class Filters:
    """Which tickets a list has. Times are RFC 3339; since is inclusive, before exclusive; None: any.

    Patterns are for LIKE, in any letter case: a ticket's text matches all of the first and none of the others.
    """

    categories: tuple[str, ...] = CATEGORIES
    priorities: tuple[str, ...] = PRIORITIES
    statuses: tuple[str, ...] = STATUSES
    created_since: str | None = None
    created_before: str | None = None
    updated_since: str | None = None
    updated_before: str | None = None
    search_patterns: tuple[str, ...] = ()
    excluded_patterns: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, object]:
        """The values of the parameters that SQL files with filters have."""
        return {**vars(self), **search_index.conditions(self.search_patterns)}

    @property
    def by_facets(self) -> bool:
        """Whether tickets of any category, priority or status are left out."""
        return (self.categories, self.priorities, self.statuses) != (CATEGORIES, PRIORITIES, STATUSES)

    @property
    def by_text(self) -> bool:
        """Whether the text is filtered."""
        return bool(self.search_patterns or self.excluded_patterns)

    @property
    def only_by_creation(self) -> bool:
        """Whether nothing but the time of creation is filtered: the primary key alone serves that."""
        return self.only_counted and not self.by_facets

    @property
    def only_counted(self) -> bool:
        """Whether nothing is filtered but what the counters tell apart: facets and times of creation."""
        return self.updated_since is self.updated_before is None and not self.by_text


def create(
    database: Database,
    title: str,
    description: str,
    category: str | None,
    priority: str | None,
    suggestion: Suggestion | None,
    author: Author,
    once: IdempotencyKey | None = None,
) -> tuple[Ticket, str, bool]:
    """Store a ticket; answer it, its id, and whether that is the answer of an earlier call with the same `once`.

    A label that is None is taken from the suggestion, which is stored too. Raises KeyReused when the earlier call had
    another body, and CreateInProgress when it has not ended.
    """
    values: dict[str, object] = dict.fromkeys(_CREATE.parameters)
    values |= {"title": title, "description": description, "category": category, "priority": priority}
    values |= {"created_by": author.name, "created_request": author.request_id}
    if suggestion:
        values["suggested_by"] = suggestion.source
        if category is None:
            values["category"] = values["suggested_category"] = suggestion.category
            values["category_confidence"] = suggestion.category_confidence
        if priority is None:
            values["priority"] = values["suggested_priority"] = suggestion.priority
            values["priority_confidence"] = suggestion.priority_confidence
    if once:
        return _create_idempotent(database, values, once)
    json, version, ticket_id = database.rows(_CREATE, values)[0]
    return Ticket(json, int(version)), ticket_id.decode(), False


def get(database: Database, ticket_id: UUID) -> Ticket:
    """One ticket. Raises NotFound."""
    row = database.row(_GET, {"id": ticket_id})
    if row is None:
        raise _not_found(ticket_id)
    return Ticket(row[0], int(row[1]))


def update(
    database: Database, ticket_id: UUID, changes: dict[str, str | None], versions: list[int] | None, author: Author
) -> Ticket:
    """Set the fields whose change is not None, if the ticket has one of the versions (None: any has).

    Raises NotFound and VersionMismatch.
    """
    row = database.row(_UPDATE, {"id": ticket_id, "versions": versions, "author": author.setting, **changes})
    if row is None:
        raise _not_found(ticket_id)
    json, version, matched = row
    if matched != b"t":
        raise _version_mismatch(int(version))
    return Ticket(json, int(version))


def delete(database: Database, ticket_id: UUID, versions: list[int] | None, author: Author) -> None:
    """Delete a ticket, if it has one of the versions (None: any has). Raises NotFound and VersionMismatch."""
    row = database.row(_DELETE, {"id": ticket_id, "versions": versions, "author": author.setting})
    if row is None:
        raise _not_found(ticket_id)
    deleted, version = row
    if deleted != b"t":
        raise _version_mismatch(int(version))


def page(database: Database, filters: Filters, sort: str, limit: int, after: Cursor | None) -> Page:
    """At most `limit` tickets in the order `sort` (a value of SORTS) behind the cursor.

    Callers who ask for the same page at the same time share one query, which begins after all of them asked.
    """
    return database.shared((filters, sort, limit, after), lambda: _page(database, filters, sort, limit, after))


def _page(database: Database, filters: Filters, sort: str, limit: int, after: Cursor | None) -> Page:
    if filters.by_text:
        query = _SEARCH[sort]
    elif sort in _LIST and filters.only_by_creation:
        query = _LIST[sort]
    else:
        query = _FILTER[sort]
    position = {"after_id": after and after.id, "after_key": after and after.key}
    effort = search_index.effort(sort, filters.search_patterns, filters.by_facets) if filters.by_text else {}
    rows = database.rows(query, {**vars(filters), **effort, **position, "limit": limit + 1})
    following = None
    if len(rows) > limit:
        _, last_id, *key = rows[limit - 1]
        following = Cursor(sort, last_id.decode(), b"".join(key).decode())
    return Page(b"[" + b",".join([row[0] for row in rows[:limit]]) + b"]", following)


def count(database: Database, filters: Filters) -> int:
    """How many tickets there are with these filters."""
    if filters.by_text:
        return int(database.rows(_COUNT_SEARCH, filters.values)[0][0])
    query = _COUNTED if filters.only_counted else _COUNT
    return int(database.rows(query, vars(filters))[0][0])


def _create_idempotent(database: Database, values: dict[str, object], once: IdempotencyKey) -> tuple[Ticket, str, bool]:
    outcome, json, ticket_id = database.rows(
        _CREATE_IDEMPOTENT, {**values, "key_hash": once.key_hash, "body_hash": once.body_hash}
    )[0]
    if outcome == b"mismatched":
        raise KeyReused("This Idempotency-Key was used with another body. Use a new key for a new ticket.")
    if outcome == b"running":
        detail = "A call with this Idempotency-Key is running. Send the same call again in a second for its answer."
        raise CreateInProgress(detail, {"Retry-After": "1"})
    return Ticket(json, FIRST_VERSION), ticket_id.decode(), outcome == b"replayed"


def _not_found(ticket_id: UUID) -> NotFound:
    return NotFound(f"There is no ticket {ticket_id}.")


def _version_mismatch(version: int) -> VersionMismatch:
    return VersionMismatch(
        f"The ticket has changed: its version is now {version}. Read it again, and send the change with its new ETag."
    )
