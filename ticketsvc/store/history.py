"""The history of tickets, which triggers write (sql/triggers/history.sql)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ticketsvc.problems import NotFound
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

SORT = "history"

_PAGE = queries.load("history.page")


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change: the name of the API key (None: keys are not asked for), and the request's id."""

    name: str | None
    request_id: str | None

    @property
    def setting(self) -> str:
        """The form in which the history's triggers read it."""
        return f"{self.request_id or ''} {self.name or ''}"


NOBODY = Author(None, None)
"""Of what is done by no call, but at the command line."""


def page(database: Database, ticket_id: UUID, limit: int, after: Cursor | None) -> tuple[bytes, Cursor | None]:
    """A JSON array of at most `limit` entries, oldest first, and where the next page starts; None: this is the last.

    A deleted ticket has a history too. Raises NotFound when there never was such a ticket.
    """
    values = {"id": ticket_id, "after_entry": after and after.key, "limit": limit + 1}
    rows = database.rows(_PAGE, values)
    if not rows and after is None:
        raise NotFound(f"There is no ticket {ticket_id}, and there was none.")
    following = Cursor(SORT, str(ticket_id), rows[limit - 1][1].decode()) if len(rows) > limit else None
    return b"[" + b",".join([row[0] for row in rows[:limit]]) + b"]", following
