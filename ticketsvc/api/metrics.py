"""Figures of the service for Prometheus, those of all workers together."""

from __future__ import annotations

import platform

from flask import Blueprint, Response

from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.enums import STATUSES
from ticketsvc.migrations import expected_ids
from ticketsvc.problems import Problem
from ticketsvc.server.metrics import exposition, process
from ticketsvc.server.metrics.counts import Key
from ticketsvc.services import services
from ticketsvc.store import stats

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def scrape() -> Response:
    """All metrics. Answers without a database too: just then they are wanted."""
    gauges = {**_tickets(), ("build_info", max(expected_ids()), platform.python_version()): 1.0}
    snapshot = process.total(services().database.pool.get_stats())
    snapshot.gauges.update({**gauges, ("start_time_seconds",): snapshot.started})
    return JsonResponse(exposition.write(snapshot), headers=NO_STORE, content_type=exposition.CONTENT_TYPE)


def _tickets() -> dict[Key, float]:
    try:
        counted = stats.by_status(services().database)
    except Problem:
        return {("database_up",): 0}
    return {("database_up",): 1, **{("tickets", status): counted.get(status, 0) for status in STATUSES}}
