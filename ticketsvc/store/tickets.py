"""Tickets in the database. Every function runs one statement and returns the JSON that Postgres wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from ticketsvc import compact_json
from ticketsvc.problems import (
    CreateInProgress,
    KeyReused,
    NotConfirmed,
    NotFound,
    PreconditionFailed,
    Problem,
    Unavailable,
    VersionMismatch,
)
from ticketsvc.store import search_index
from ticketsvc.store.batches import Failure
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import errors, queries
from ticketsvc.store.postgres.database import Database, Write
from ticketsvc.store.postgres.queries import Query, Row
from ticketsvc.triage.model import Suggestion

FIRST_VERSION = 1
"""The version of a new ticket (the table's default)."""


class NewTicket(NamedTuple):
    """The valid fields of a ticket to create. `metadata` is a JSON text. A label that is None is suggested."""

    title: str
    description: str
    category: str | None
    priority: str | None
    requester: str | None
    assignee: str | None
    tags: list[str] | None
    metadata: str | None


class Ticket(NamedTuple):
    """A ticket as JSON, and its version."""

    json: bytes
    version: int


class Created(NamedTuple):
    """A ticket that was created, its id, and whether an earlier request created it (`is_replayed`)."""

    ticket: Ticket
    id: str
    is_replayed: bool


class IdempotencyKey(NamedTuple):
    """Keeps a create from being done twice: hashes of the idempotency key with its owner, and of the body."""

    key_hash: UUID
    body_hash: UUID


class Condition(NamedTuple):
    """The versions of a ticket to which a request applies: those in `only`, except those in `never`. None means all."""

    only: list[int] | None
    never: list[int] | None

    def allows(self, version: int) -> bool:
        """Return whether `only` has a version."""
        return self.only is None or version in self.only

    def excludes(self, version: int) -> bool:
        """Return whether `never` has a version."""
        return self.never is None or version in self.never

    def unmet(self, version: int) -> Problem:
        """Return the problem of a request to which this version does not apply."""
        if self.only == []:
            return PreconditionFailed(f'If-Match has no tag of this ticket. Its ETag is "{version}".')
        if self.allows(version) and self.excludes(version):
            return PreconditionFailed("If-None-Match excludes the current version of the ticket.")
        return VersionMismatch(version)


ANY_VERSION = Condition(None, [])
"""The condition of a request without preconditions."""


class _CreateRow(NamedTuple):
    outcome: str
    json: bytes | None
    id: str | None


class _UpdateRow(NamedTuple):
    outcome: str
    json: bytes | None
    version: int | None


class _DeleteRow(NamedTuple):
    was_deleted: bool
    version: int


_CREATE = queries.load("tickets.create", _CreateRow)
_CREATE_IDEMPOTENT = queries.load("tickets.create_idempotent", _CreateRow)
_CREATE_BATCH = queries.load("tickets.create_batch", _CreateRow)
_PRUNE_RECORDS = queries.load("tickets.prune_idempotency_records", int)
_GET = queries.load("tickets.get", Ticket)
_UPDATE = queries.load("tickets.update", _UpdateRow)
_UPDATE_BATCH = queries.load("tickets.update_batch", _UpdateRow)
_DELETE = queries.load("tickets.delete", _DeleteRow)


def create(
    database: Database,
    new: NewTicket,
    suggestion: Suggestion | None,
    author: Author,
    idempotency_key: IdempotencyKey | None = None,
) -> Created:
    """Store a ticket, unless an earlier request stored one with the same idempotency key: return that one then.

    A label that is None is taken from the suggestion, which is stored too. Raises KeyReused when the earlier request
    had another body, and CreateInProgress when it has not finished.
    """
    values: dict[str, Any] = dict.fromkeys(_CREATE_IDEMPOTENT.parameters)
    values |= new._asdict() | {"created_by": author.name, "created_request": author.request_id}
    if suggestion:
        values["suggested_by"] = suggestion.source
        if new.category is None:
            values["category"] = values["suggested_category"] = suggestion.category
            values["category_confidence"] = suggestion.category_confidence
        if new.priority is None:
            values["priority"] = values["suggested_priority"] = suggestion.priority
            values["priority_confidence"] = suggestion.priority_confidence
    if idempotency_key:
        values |= idempotency_key._asdict()
    if search_index.make_room(database, new.description):
        row = _create_one(database, values, is_large=True)
    else:
        row = database.write(_CREATES, values["key_hash"] or object(), values)
    if row.outcome == "mismatched":
        raise KeyReused("This Idempotency-Key was used with another body. Use a new key for a new ticket.")
    if row.json is None or row.id is None:
        raise create_in_progress()
    return Created(Ticket(row.json, FIRST_VERSION), row.id, row.outcome == "replayed")


def get(database: Database, ticket_id: UUID) -> Ticket:
    """One ticket. Raises NotFound."""
    ticket = database.one_or_none(_GET, {"id": ticket_id})
    if ticket is None:
        raise not_found(ticket_id)
    return ticket


def update(
    database: Database, ticket_id: UUID, changes: Mapping[str, Any], condition: Condition, author: Author
) -> Ticket:
    """Make changes, which are parameters of sql/tickets/update.sql: None means no change.

    Raises NotFound and the problems of a condition that is not met.
    """
    values = {"id": ticket_id, **condition._asdict(), "author": author.setting, **changes}
    if search_index.make_room(database, changes["description"]):
        row = _update_one(database, values, is_large=True)
    else:
        row = database.write(_UPDATES, ticket_id, values)
    if row.version is None:
        raise not_found(ticket_id)
    if row.json is None:
        raise condition.unmet(row.version)
    return Ticket(row.json, row.version)


def delete(database: Database, ticket_id: UUID, condition: Condition, author: Author) -> None:
    """Delete a ticket. Raises NotFound and the problems of a condition that is not met."""
    row = database.one_or_none(_DELETE, {"id": ticket_id, **condition._asdict(), "author": author.setting})
    if row is None:
        raise not_found(ticket_id)
    if not row.was_deleted:
        raise condition.unmet(row.version)


def prune_idempotency_records(database: Database) -> None:
    """Delete the responses to creates that are older than 24 hours, in batches. Several processes may do it at once."""
    while database.one(_PRUNE_RECORDS):
        pass


def _create_one(database: Database, values: dict[str, Any], is_large: bool = False) -> _CreateRow:
    return database.one(_CREATE_IDEMPOTENT if values["key_hash"] else _CREATE, values, is_large)


def _create_many(database: Database, items: list[dict[str, Any]]) -> list[_CreateRow | Failure]:
    return _run_batch(database, _CREATE_BATCH, items, {})


def _update_one(database: Database, values: dict[str, Any], is_large: bool = False) -> _UpdateRow:
    return database.one_or_none(_UPDATE, values, is_large) or _UpdateRow("missing", None, None)


def _update_many(database: Database, items: list[dict[str, Any]]) -> list[_UpdateRow | Failure]:
    authors = compact_json.encode({str(item["id"]): item["author"] for item in items})
    rows = _run_batch(database, _UPDATE_BATCH, items, {"authors": authors})
    locked = Failure(Unavailable("Another transaction has locked the ticket."), may_succeed_alone=True)
    return [row if isinstance(row, Failure) or row.outcome != "locked" else locked for row in rows]


def _run_batch(
    database: Database, query: Query[Row], items: list[dict[str, Any]], values: dict[str, str]
) -> list[Row | Failure]:
    """Run a query whose parameters are arrays with an element for each item, except those in `values`.

    A statement that fails has done nothing for any of them, unless the connection was lost: then only a create with an
    idempotency key may be run again.
    """
    arrays = {name: [item[name] for item in items] for name in query.parameters if name not in values}
    try:
        return [*database.rows(query, {**arrays, **values})]
    except Problem as problem:
        is_done = isinstance(problem, NotConfirmed)
        is_undone = errors.is_about_values(problem.__cause__)
        return [Failure(problem, not is_done and (is_undone or item.get("key_hash") is not None)) for item in items]


_CREATES = Write(_create_one, _create_many)
_UPDATES = Write(_update_one, _update_many)


def create_in_progress() -> CreateInProgress:
    """Return the problem of a request whose idempotency key another one is using."""
    detail = "A request with this Idempotency-Key is in progress. Send it again in a second to get its response."
    return CreateInProgress(detail, {"Retry-After": "1"})


def not_found(ticket_id: UUID) -> NotFound:
    """Return the problem of a request for a ticket that does not exist."""
    return NotFound(f"There is no ticket {ticket_id}.")
