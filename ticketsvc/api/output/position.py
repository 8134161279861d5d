"""X-Tickets-LSN: the position in the database's log behind what a client wrote, or what the feed of events said.

The client sends it with its next requests, so that reads on a replica find that (`store.postgres.replica`).
"""

from __future__ import annotations

from flask import Flask, Response, request

from ticketsvc.services import services

NAME = "X-Tickets-LSN"
_READS = ("GET", "HEAD", "OPTIONS")
_FEED = "events.list_events"


def register(app: Flask) -> None:
    """Add the position to the responses that need it."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    if request.method not in _READS or request.endpoint == _FEED:
        response.headers.update(header(services().database.position))
    return response


def header(position: str) -> dict[str, str]:
    """Return the header field with a position; none while no position is known."""
    return {NAME: position} if position else {}
