"""The history of tickets, which triggers write (sql/triggers/history.sql)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from ticketsvc.compact_json import json_array
from ticketsvc.problems import NotFound
from ticketsvc.store.bounded_page import PAGE_BYTES, rows_that_fit
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

SORT = "history"


class _Entry(NamedTuple):
    json: bytes
    number: str


_PAGE = queries.load("history.page", _Entry)


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a change: the name of the API key (None if keys are not required) and the request id."""

    name: str | None
    request_id: str | None

    @property
    def setting(self) -> str:
        """Return the value of the setting `ticketsvc.author`, which the triggers read."""
        return f"{self.request_id or ''} {self.name or ''}"


NO_AUTHOR = Author(None, None)
"""The author of changes from the command line."""


def page(
    database: Database, ticket_id: UUID, limit: int, after: Cursor | None, without_internal: bool = False
) -> tuple[bytes, Cursor | None]:
    """Return a JSON array of at most `limit` entries, oldest first, and the cursor of the next page, if there is one.

    `without_internal` hides internal comments: their entries only say that the ticket changed.
    There are fewer entries if they are large (`PAGE_BYTES`). A deleted ticket has a history too. Raises NotFound when
    the ticket never existed.
    """
    values = {"id": ticket_id, "after_entry": after and after.key, "limit": limit + 1, "page_bytes": PAGE_BYTES}
    rows = database.rows(_PAGE, {**values, "without_internal": without_internal})
    if not rows and after is None:
        raise NotFound(f"There is no ticket {ticket_id}, and there was none.")
    length = min(limit, rows_that_fit(len(row.json) for row in rows))
    following = Cursor(SORT, str(ticket_id), rows[length - 1].number) if len(rows) > length else None
    return json_array(row.json for row in rows[:length]), following
