"""GET /metrics: the metrics of all workers, for Prometheus."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator

from flask import Blueprint, Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ticketsvc import __version__
from ticketsvc.api.output.responses import NO_STORE, JsonResponse
from ticketsvc.enums import STATUSES
from ticketsvc.migrations import expected_ids
from ticketsvc.problems import Problem
from ticketsvc.server import metrics
from ticketsvc.services import services
from ticketsvc.store import events, stats, webhooks
from ticketsvc.store.webhooks import Figures

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def scrape() -> Response:
    """Return all metrics. Works without a database too, since that is when they are needed."""
    metrics.update(services().database.pool)
    text = metrics.exposition(*_database(), _start_time(), _build_info())
    return JsonResponse(text, headers=NO_STORE, content_type=metrics.CONTENT_TYPE, may_compress=True)


def _database() -> Iterator[Metric]:
    """Yield what the database knows, without a sample if it does not respond: then only one statement has waited."""
    database, is_up = services().database, True
    tickets = GaugeMetricFamily("ticketsvc_tickets", "Tickets in the database.", labels=["status"])
    age_help = "Age of the oldest event that has no number yet; 0 without one."
    unpublished = GaugeMetricFamily("ticketsvc_events_unpublished_seconds", age_help)
    found = []
    try:
        counts = stats.by_status(database)
        unpublished.add_metric([], events.unpublished_seconds(database))
        found = webhooks.figures(database)
    except Problem:
        is_up = False
    else:
        for status in STATUSES:
            tickets.add_metric([status], counts.get(status, 0))
    yield tickets
    yield GaugeMetricFamily("ticketsvc_database_up", "Whether the database responded during this scrape.", is_up)
    yield unpublished
    yield from _webhooks(found, is_up)


def _webhooks(found: list[Figures], is_up: bool) -> Iterator[Metric]:
    """Yield the metrics of webhooks. They come from the database, because `flask deliver` has no port."""
    by_state = GaugeMetricFamily("ticketsvc_webhooks", "Webhooks, by state.", labels=["state"])
    attempts = CounterMetricFamily(
        "ticketsvc_webhook_attempts", "Attempts to deliver, by webhook and outcome.", labels=["webhook", "outcome"]
    )
    pending = GaugeMetricFamily("ticketsvc_webhook_deliveries_pending", "Deliveries to attempt to enabled webhooks.")
    oldest = GaugeMetricFamily(
        "ticketsvc_webhook_oldest_pending_seconds",
        "Age of the oldest delivery to attempt, or event to look at, for an enabled webhook.",
    )
    for each in found:
        attempts.add_metric([each.id, "delivered"], each.delivered_total)
        attempts.add_metric([each.id, "failed"], each.failed_total)
    if is_up:
        states = Counter(each.state for each in found)
        for state in ("healthy", "failing", "disabled"):
            by_state.add_metric([state], states[state])
        pending.add_metric([], sum(each.pending for each in found))
        oldest.add_metric([], max((each.oldest_seconds for each in found), default=0))
    yield from (by_state, attempts, pending, oldest)


def _start_time() -> GaugeMetricFamily:
    help_text = "Start time of the service, in seconds since 1970."
    return GaugeMetricFamily("ticketsvc_start_time_seconds", help_text, metrics.START_TIME)


def _build_info() -> GaugeMetricFamily:
    info = {"version": __version__, "schema": max(expected_ids()), "python": platform.python_version()}
    help_text = "What runs: its version, its newest migration, and Python's version."
    family = GaugeMetricFamily("ticketsvc_build_info", help_text, labels=list(info))
    family.add_metric(list(info.values()), 1)
    return family
