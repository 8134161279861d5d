"""One change of all tickets that match filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ticketsvc.filters import Filters
from ticketsvc.problems import InvalidInput, TooManyMatches
from ticketsvc.store.filter_parameters import VARIANTS, filter_parameters, variant
from ticketsvc.store.history import Author
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.postgres.errors import CONSTRAINTS
from ticketsvc.validation.values import MAX_TAGS

MAX_TICKETS = 10_000
"""The maximum number of tickets that match. The limit bounds how long they are locked."""


class Outcome(NamedTuple):
    """The number of tickets that match the filters, and of those that a change changes."""

    matched: int
    changed: int


class _Row(NamedTuple):
    matched: int
    changed: int
    most_tags: int


_UPDATE = queries.load_each("tickets.update_matching", _Row, VARIANTS)


def run(database: Database, filters: Filters, changes: Mapping[str, object], dry_run: bool, author: Author) -> Outcome:
    """Change all tickets that match the filters in one transaction; if `dry_run` is set, only count them.

    The keys of `changes` are parameters of the query. Raises TooManyMatches if more than MAX_TICKETS match, and
    InvalidInput if a ticket would get more than MAX_TAGS tags; nothing is changed then.
    """
    options = {"maximum": MAX_TICKETS, "dry_run": dry_run, "author": author.setting}
    row = database.one_or_none(_UPDATE[variant(filters)], {**filter_parameters(filters), **changes, **options})
    if row is None:
        raise TooManyMatches(
            f"More than {MAX_TICKETS:,} tickets match, and as many may be changed at once. Nothing was changed: narrow"
            " the filters, for example with created_before."
        )
    if row.most_tags > MAX_TAGS:
        raise InvalidInput(CONSTRAINTS["tickets_at_most_20_tags"])
    return Outcome(row.matched, row.changed)
