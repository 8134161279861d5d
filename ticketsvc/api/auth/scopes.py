"""Which scope a call needs where keys are asked for. A route that is not named here needs `admin`."""

from __future__ import annotations

from ticketsvc.store.keys import SCOPES

OPEN = "open"
"""Needs no key, and is never limited."""

NEEDED = {
    "health.live": OPEN,
    "health.ready": OPEN,
    "documentation.openapi": OPEN,
    "documentation.swagger_ui": OPEN,
    "documentation.errors": OPEN,
    "documentation.file": OPEN,
    "console.page": OPEN,  # it asks for a key itself, once a call is refused
    "console.file": OPEN,
    "metrics.scrape": "read",
    "api.tickets.list_page": "read",
    "api.tickets.read": "read",
    "api.history.page": "read",
    "api.stats.headline": "read",
    "api.stats.daily": "read",
    "api.stats.resolution": "read",
    "api.stats.triage": "read",
    "api.bulk.export_file": "read",
    "api.bulk.import_file": "admin",
    "api.tickets.create": "write",
    "api.tickets.change": "write",
    "api.tickets.delete": "write",
    "api.classify.classify": "write",  # it changes nothing, but can cost money
}
"""The scope for each route's endpoint."""


UNLIMITED = {"metrics.scrape"}
"""Needs a key, but is never limited: who watches must not go blind when there is most to see."""


def needed(endpoint: str | None) -> str:
    """The scope for an endpoint; what is no route (404, 405) takes any key."""
    return NEEDED.get(endpoint, "admin") if endpoint else "read"


def is_limited(endpoint: str | None) -> bool:
    """Whether calls of an endpoint count towards the rate limit."""
    return needed(endpoint) != OPEN and endpoint not in UNLIMITED


def includes(given: str, wanted: str) -> bool:
    """Whether a key with one scope may do what needs another."""
    return SCOPES.index(given) >= SCOPES.index(wanted)
