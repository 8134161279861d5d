"""Statistics."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ticketsvc.api.input import stats_query
from ticketsvc.api.input.filters import parse_filters
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.services import services
from ticketsvc.store import stats

bp = Blueprint("stats", __name__, url_prefix="/stats")


@bp.get("")
def headline() -> Response:
    """Return totals and breakdowns of the tickets that match the filters, all from one snapshot."""
    filters = parse_filters(request.query_string)
    return JsonResponse(stats.headline(services().reader, filters), headers=NO_STORE)


@bp.get("/daily")
def daily() -> Response:
    """Return the tickets created and resolved on each calendar day of a time zone."""
    database = services().reader
    tz, since, before = stats_query.parse_days(request.query_string, lambda name: stats.time_zone(database, name))
    return JsonResponse(stats.daily(database, tz, since, before), headers=NO_STORE)


@bp.get("/resolution")
def resolution() -> Response:
    """Return the time from creation to the first resolution."""
    filters = parse_filters(request.query_string)
    return JsonResponse(stats.resolution(services().reader, filters), headers=NO_STORE)


@bp.get("/response")
def response() -> Response:
    """Return the time from creation to the first response."""
    filters = parse_filters(request.query_string)
    return JsonResponse(stats.response(services().reader, filters), headers=NO_STORE)


@bp.get("/triage")
def triage() -> Response:
    """Compare suggested labels with the final ones, for the tickets created in a window."""
    since, before = stats_query.parse_window(request.query_string)
    return JsonResponse(stats.triage(services().reader, since, before), headers=NO_STORE)
