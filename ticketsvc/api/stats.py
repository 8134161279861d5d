"""Statistics of the queue."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ticketsvc.api.answers import NO_STORE, JsonAnswer
from ticketsvc.api.list_parameters import allow_none, parse_window
from ticketsvc.services import services
from ticketsvc.store import stats

bp = Blueprint("stats", __name__)


@bp.get("/stats")
def headline() -> Response:
    """The contract's figures, all of one snapshot."""
    allow_none(request.query_string)
    return JsonAnswer(stats.headline(services().database), headers=NO_STORE)


@bp.get("/stats/triage")
def triage() -> Response:
    """How suggested labels compare with the final ones, for the tickets created in a window."""
    window = parse_window(request.query_string)
    return JsonAnswer(stats.triage(services().database, window.since, window.before), headers=NO_STORE)
