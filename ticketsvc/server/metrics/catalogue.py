"""Every metric that /metrics exports: its kind, its labels and what it says. Times are seconds, sizes bytes."""

from __future__ import annotations

from typing import Literal, NamedTuple

PREFIX = "ticketsvc_"

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of every histogram's buckets in seconds; beyond the last is one more."""


class Family(NamedTuple):
    """A metric. `help` is one line; the labels' values come in the order of `labels`."""

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


FAMILIES = {
    "http_requests_total": Family("counter", "Answered requests.", ("route", "method", "status")),
    "http_request_duration_seconds": Family(
        "histogram", "Time until the answer was ready to be sent.", ("route", "method")
    ),
    "http_unreadable_requests_total": Family("counter", "What came in and was no HTTP.", ("status",)),
    "database_pool_connections": Family("gauge", "Connections of all workers' pools.", ("state",)),
    "database_pool_connections_max": Family("gauge", "Connections that all workers' pools may have."),
    "database_pool_waiting": Family("gauge", "Requests that wait for a connection."),
    "database_pool_requests_total": Family("counter", "Connections asked for."),
    "database_pool_waits_total": Family("counter", "Connections that were not there at once."),
    "database_pool_wait_seconds_total": Family("counter", "Time spent waiting for connections."),
    "database_pool_timeouts_total": Family("counter", "Connections that were waited for in vain."),
    "database_pool_opened_total": Family("counter", "Connections opened."),
    "database_pool_lost_total": Family("counter", "Connections found broken."),
    "database_errors_total": Family(
        "counter", "Failed statements, by SQLSTATE or what else failed; retried ones may have worked then.",
        ("kind", "retried"),
    ),
    "triage_duration_seconds": Family("histogram", "Time to suggest labels, by who decided.", ("call", "source")),
    "triage_fallbacks_total": Family("counter", "Suggestions that a lesser classifier had to make.", ("reason",)),
    "tickets": Family("gauge", "Tickets in the database.", ("status",)),
    "database_up": Family("gauge", "Whether the database answered this scrape."),
    "workers": Family("gauge", "Worker processes."),
    "memory_bytes": Family("gauge", "Resident memory of all workers; what they share counts in each."),
    "cpu_seconds_total": Family("counter", "CPU time of all workers."),
    "start_time_seconds": Family("gauge", "When the service was started, since 1970."),
    "build_info": Family("gauge", "What runs: its newest migration, and Python's version.", ("schema", "python")),
}  # fmt: skip
"""By name, without the prefix; in the order in which they are exported."""
