"""Comments on tickets. Each is a change of its ticket: it makes a version of it, and history entries."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from ticketsvc.compact_json import json_array
from ticketsvc.problems import KeyReused, NotFound
from ticketsvc.store import search_index
from ticketsvc.store.bounded_page import PAGE_BYTES, rows_that_fit
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.tickets import Condition, IdempotencyKey, create_in_progress, not_found

SORTS = {"created_at": "commentsoldest", "-created_at": "commentsnewest"}
"""The values of the `sort` parameter, and the names of these orders in cursors."""

EVERY, PUBLIC = (False, True), (False,)
"""The comments that are visible, as values of their `internal`."""


class NewComment(NamedTuple):
    """A comment to add. `status` is the new status of the ticket, or None."""

    body: str
    author: str | None
    internal: bool
    status: str | None


class Created(NamedTuple):
    """A comment as JSON, its id, and whether an earlier request added it (`is_replayed`)."""

    json: bytes
    id: str
    is_replayed: bool


class _CreateRow(NamedTuple):
    json: bytes | None
    id: str | None
    version: int


class _IdempotentCreateRow(NamedTuple):
    outcome: str
    json: bytes | None
    id: str | None
    version: int | None


class _PageRow(NamedTuple):
    json: bytes | None
    version: str | None


class _DeleteRow(NamedTuple):
    version: int
    exists: bool
    has_matched: bool
    was_deleted: bool


_CREATE = queries.load("comments.create", _CreateRow)
_CREATE_IDEMPOTENT = queries.load("comments.create_idempotent", _IdempotentCreateRow)
_GET = queries.load("comments.get", bytes)
_PAGE = queries.load_variants("comments.page", _PageRow, "newest", "oldest")
_DELETE = queries.load("comments.delete", _DeleteRow)


def create(
    database: Database,
    ticket_id: UUID,
    comment: NewComment,
    condition: Condition,
    editor: Author,
    idempotency_key: IdempotencyKey | None = None,
) -> Created:
    """Add a comment, unless an earlier request added one with the same idempotency key: return that one then.

    Raises NotFound, the problems of a condition that is not met, KeyReused when the earlier request had another body or
    ticket, and CreateInProgress when it has not finished.
    """
    is_large = search_index.make_room(database, comment.body)
    values = {"ticket_id": ticket_id, **condition._asdict(), **comment._asdict(), "editor": editor.setting}
    if idempotency_key:
        found = database.one_or_none(_CREATE_IDEMPOTENT, {**values, **idempotency_key._asdict()}, is_large)
        row, is_replayed = found and _claimed(found), bool(found and found.outcome == "replayed")
    else:
        row, is_replayed = database.one_or_none(_CREATE, values, is_large), False
    if row is None:
        raise not_found(ticket_id)
    if row.json is None or row.id is None:
        raise condition.unmet(row.version)
    return Created(row.json, row.id, is_replayed)


def get(database: Database, ticket_id: UUID, comment_id: UUID, visible: tuple[bool, ...]) -> bytes:
    """Return a comment as JSON. Raises NotFound."""
    found = database.one_or_none(_GET, {"ticket_id": ticket_id, "id": comment_id, "visible": visible})
    if found is None:
        raise _no_comment(ticket_id, comment_id)
    return found


def page(
    database: Database, ticket_id: UUID, visible: tuple[bool, ...], sort: str, limit: int, after: Cursor | None
) -> tuple[bytes, Cursor | None]:
    """Return a JSON array of at most `limit` comments in the order `sort` (of SORTS), and the next page's cursor.

    There are fewer comments if they are large (`PAGE_BYTES`). Raises NotFound when there is no such ticket.
    """
    values = {"ticket_id": ticket_id, "after_version": after and after.key, "visible": visible, "limit": limit + 1}
    rows = database.rows(_PAGE[sort.removeprefix("comments")], {**values, "page_bytes": PAGE_BYTES})
    if not rows:
        raise not_found(ticket_id)
    found = [(row.json, row.version) for row in rows if row.json is not None and row.version is not None]
    length = min(limit, rows_that_fit(len(json) for json, _ in found))
    following = Cursor(sort, str(ticket_id), found[length - 1][1]) if len(found) > length else None
    return json_array(json for json, _ in found[:length]), following


def delete(
    database: Database,
    ticket_id: UUID,
    comment_id: UUID,
    visible: tuple[bool, ...],
    condition: Condition,
    editor: Author,
) -> None:
    """Delete a comment. Raises NotFound and the problems of a condition that is not met."""
    values = {"ticket_id": ticket_id, "id": comment_id, **condition._asdict(), "visible": visible}
    row = database.one_or_none(_DELETE, {**values, "editor": editor.setting})
    if row is None:
        raise not_found(ticket_id)
    if row.exists and not row.has_matched:
        raise condition.unmet(row.version)
    if not row.was_deleted:
        raise _no_comment(ticket_id, comment_id)


def _claimed(row: _IdempotentCreateRow) -> _CreateRow:
    """Return the row of a request that has its idempotency key for itself, or of the earlier one with the same body."""
    if row.outcome == "mismatched":
        raise KeyReused("This Idempotency-Key was used with another body or ticket. Use a new key for a new comment.")
    if row.outcome == "running":
        raise create_in_progress()
    if row.outcome == "replayed" and row.json is None:
        raise NotFound("The comment that was added with this Idempotency-Key has been deleted.")
    return _CreateRow(row.json, row.id, row.version or 0)


def _no_comment(ticket_id: UUID, comment_id: UUID) -> NotFound:
    return NotFound(f"The ticket {ticket_id} has no comment {comment_id}.")
