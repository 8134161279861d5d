"""The scope that each route requires if REQUIRE_API_KEY is on. A route that is missing here requires `admin`."""

from __future__ import annotations

from flask import request
from flask.globals import request_ctx
from werkzeug.exceptions import MethodNotAllowed

from ticketsvc.store.keys import SCOPES

OPEN = "open"
"""Requires no key and is never limited."""

NEEDED = {
    "health.live": OPEN,
    "health.ready": OPEN,
    "documentation.openapi": OPEN,
    "documentation.swagger_ui": OPEN,
    "documentation.page": OPEN,
    "documentation.file": OPEN,
    "console.index": OPEN,  # its scripts ask for a key after the first 401
    "console.file": OPEN,
    "mcp.serve": OPEN,  # its tools need the scopes of their operations (`ticketsvc.api.mcp`)
    "metrics.scrape": "read",
    "api.tickets.list_tickets": "read",
    "api.tickets.read": "read",
    "api.history.list_entries": "read",
    "api.comments.list_comments": "read",
    "api.comments.read": "read",
    "api.similar.to_ticket": "read",
    "api.similar.to_text": "read",  # it changes nothing
    "api.stats.headline": "read",
    "api.stats.daily": "read",
    "api.stats.resolution": "read",
    "api.stats.response": "read",
    "api.stats.triage": "read",
    "api.bulk.export_file": "read",
    "events.list_events": "read",
    "api.bulk.import_file": "admin",
    "api.tickets.create": "write",
    "api.tickets.change": "write",
    "api.tickets.delete": "write",
    "api.tickets.claim": "write",
    "api.comments.create": "write",
    "api.comments.delete": "write",
    "api.bulk_update.change_matching": "write",
    "webhooks.create": "admin",
    "webhooks.list_webhooks": "admin",
    "webhooks.read": "admin",
    "webhooks.change": "admin",
    "webhooks.delete": "admin",
    "webhooks.rotate": "admin",
    "webhooks.list_deliveries": "admin",
    "webhooks.redeliver": "admin",
    "api.classify.classify": "write",  # it changes nothing, but can cost money
}
"""The scope by endpoint."""

UNLIMITED = {"metrics.scrape"}
"""Requires a key, but is never limited: monitoring must work when there is most load."""


def needed(endpoint: str | None) -> str:
    """Return the scope that an endpoint requires; without a route (404, 405) any key will do."""
    return NEEDED.get(endpoint, "admin") if endpoint else "read"


def is_open() -> bool:
    """Return whether this request needs no key. An open path needs none for other methods either: they are 405.

    Clients of MCP send a GET without need. If the 401 to it came first, the inspector showed an empty list of tools.
    """
    error, adapter = request.routing_exception, request_ctx.url_adapter
    if adapter and isinstance(error, MethodNotAllowed) and error.valid_methods:
        return needed(adapter.match(method=min(error.valid_methods))[0]) == OPEN
    return needed(request.endpoint) == OPEN


def is_limited() -> bool:
    """Return whether this request counts towards the rate limit."""
    return not is_open() and request.endpoint not in UNLIMITED


def includes(given: str, wanted: str) -> bool:
    """Return whether a key with the scope `given` may send requests that require `wanted`."""
    return SCOPES.index(given) >= SCOPES.index(wanted)
