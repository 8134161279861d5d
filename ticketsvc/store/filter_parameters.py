"""Filters as the values of SQL parameters."""

from __future__ import annotations

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.filters import Filters
from ticketsvc.store import search_index


def filter_parameters(filters: Filters) -> dict[str, object]:
    """Return the values of the parameters in sql/fragments/*.sql. A facet that is not filtered has all its values."""
    return {
        **vars(filters),
        "categories": filters.categories or CATEGORIES,
        "priorities": filters.priorities or PRIORITIES,
        "statuses": filters.statuses or STATUSES,
        **search_index.parameters(filters.search),
    }
