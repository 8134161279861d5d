"""Claims: the next ticket that matches filters, for an assignee."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ticketsvc.filters import Filters
from ticketsvc.store.filter_parameters import VARIANTS, filter_parameters, variant
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.tickets import Ticket

HEAD_LIMIT = 16
"""The number of candidates of each combination of facets that are read first. If others have all of them, ten times as
many are read."""


class _Row(NamedTuple):
    json: bytes | None
    version: int | None


_CLAIM = queries.load_each(
    "tickets.claim", _Row, [f"{read}{more}" for read in VARIANTS[1:] for more in ("", " search")]
)


def claim(database: Database, filters: Filters, assignee: str, author: Author) -> Ticket | None:
    """Assign the most urgent, then oldest ticket that is open and unassigned and matches the filters.

    Return it, now in progress, or None if there is none. Tickets that another transaction has locked do not count.
    """
    if filters.is_assigned or filters.assignees or "open" not in (filters.statuses or ("open",)):
        return None
    open_ones = replace(filters, statuses=("open",), is_assigned=False)
    values = {**filter_parameters(open_ones), "assignee": assignee, "author": author.setting}
    query, head_limit = _CLAIM[variant(open_ones) + (" search" if filters.search else "")], HEAD_LIMIT
    while row := database.one_or_none(query, {**values, "head_limit": head_limit}, bool(filters.search)):
        if row.json is not None and row.version is not None:
            return Ticket(row.json, row.version)
        head_limit *= 10
    return None
