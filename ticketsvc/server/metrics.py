"""The metrics of this process, and the text of /metrics for all processes of the service.

gunicorn's workers share their metrics through files (see `metrics_files`). Importing this module creates the metrics
and opens the files, so gunicorn's master must not import it.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ticketsvc.server import metrics_files

if TYPE_CHECKING:
    from typing import Any

    from psycopg_pool import ConnectionPool

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
UNMATCHED = "unmatched"
"""The `route` of requests that match no route: their paths are chosen by clients and would be a series each."""

START_TIME = float(os.environ.get(metrics_files.START_TIME, time.time()))
"""The Unix time at which the service started."""

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_STATM = Path("/proc/self/statm")
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_all: list[Counter | Gauge | Histogram] = []
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


def _counter(name: str, help_text: str, *labels: str) -> Counter:
    counter = Counter(name, help_text, labels, registry=None)
    _all.append(counter)
    return counter


def _gauge(name: str, help_text: str, *labels: str) -> Gauge:
    gauge = Gauge(name, help_text, labels, registry=None, multiprocess_mode="livesum")
    _all.append(gauge)
    return gauge


def _histogram(name: str, help_text: str, *labels: str) -> Histogram:
    histogram = Histogram(name, help_text, labels, registry=None, buckets=_BUCKETS)
    _all.append(histogram)
    return histogram


def start_at_zero(counter: Counter, *labels: Iterable[str]) -> None:
    """Create the series of each combination of label values: rate() does not see the first event of a new series."""
    for values in itertools.product(*labels):
        counter.labels(*values)


_HTTP_REQUESTS = _counter(
    "ticketsvc_http_requests_total", "HTTP requests by route, method and status.", "route", "method", "status"
)
_HTTP_DURATION = _histogram(
    "ticketsvc_http_request_duration_seconds", "Time until the response was ready to be sent.", "route", "method"
)
HTTP_UNREADABLE = _counter(
    "ticketsvc_http_unreadable_requests_total", "Requests that were rejected because they violate HTTP.", "status"
)
DATABASE_ERRORS = _counter(
    "ticketsvc_database_errors_total",
    "Failed statements by SQLSTATE or other cause. Retried ones may have succeeded later.",
    "kind",
    "retried",
)
REPLICA_READS = _counter(
    "ticketsvc_replica_reads_total",
    "Statements for READ_DATABASE_URL that the replica ran, and by reason those that the primary ran instead.",
    "outcome",
)
REPLICA_WAIT = _histogram(
    "ticketsvc_replica_wait_seconds", "Time for which reads waited until the replica had what their client wrote."
)
REPLICAS = _gauge("ticketsvc_replicas", "Workers that use the replica of READ_DATABASE_URL.")
TRIAGE_DURATION = _histogram(
    "ticketsvc_triage_duration_seconds",
    "Time to suggest labels, by operation and source of the suggestion.",
    "call",
    "source",
)
TRIAGE_FALLBACKS = _counter(
    "ticketsvc_triage_fallbacks_total", "Suggestions that the fallback classifier made, by reason.", "reason"
)
TOOL_CALLS = _counter(
    "ticketsvc_tool_calls_total", "Tools that MCP clients called, by name and problem (or none).", "tool", "problem"
)
EVENT_LISTENERS = _gauge("ticketsvc_event_listeners", "Requests that wait for events, by kind.", "kind")
EVENTS_SENT = _counter("ticketsvc_events_sent_total", "Events sent to requests that waited for them.")
EVENT_DELAY = _histogram(
    "ticketsvc_event_delay_seconds", "Time from a change until its event could be sent to those that wait for it."
)
_POOL_REQUESTS = _counter("ticketsvc_database_pool_requests_total", "Requests for a connection of the pool.")
_POOL_WAITS = _counter("ticketsvc_database_pool_waits_total", "Requests for a connection that had to wait.")
_POOL_WAIT_SECONDS = _counter("ticketsvc_database_pool_wait_seconds_total", "Time spent waiting for connections.")
_POOL_TIMEOUTS = _counter("ticketsvc_database_pool_timeouts_total", "Requests for a connection that timed out.")
_POOL_OPENED = _counter("ticketsvc_database_pool_opened_total", "Connections that were opened.")
_POOL_LOST = _counter("ticketsvc_database_pool_lost_total", "Connections that were found broken.")
_POOL_CONNECTIONS = _gauge(
    "ticketsvc_database_pool_connections", "Connections of the pools of all workers, by state.", "state"
)
_POOL_MAX = _gauge(
    "ticketsvc_database_pool_connections_max", "Maximum number of connections of the pools of all workers."
)
_POOL_WAITING = _gauge("ticketsvc_database_pool_waiting", "Requests that are waiting for a connection.")
_WORKERS = _gauge("ticketsvc_workers", "Worker processes.")
_MEMORY = _gauge("ticketsvc_memory_bytes", "Resident memory of all workers. Shared memory counts once for each worker.")
_CPU = _counter("ticketsvc_cpu_seconds_total", "CPU time of all workers.")

_cpu_counted = 0.0


def count_request(route: str | None, method: str, status: str, seconds: float) -> None:
    """Count a request. `route` is the rule that it matched, if any; `status` has three digits."""
    increment, observe = _request_metrics(route or UNMATCHED, method if method in _METHODS else "other", status)
    increment()
    observe(seconds)


@cache
def _request_metrics(route: str, method: str, status: str) -> tuple[Callable[[], None], Callable[[float], None]]:
    """Return the functions that count a request. Looking them up each time would double the cost of each request."""
    return _HTTP_REQUESTS.labels(route, method, status).inc, _HTTP_DURATION.labels(route, method).observe


def update(pool: ConnectionPool[Any]) -> None:
    """Update the metrics that the connection pool and the operating system keep for this process."""
    global _cpu_counted
    stats = pool.pop_stats()
    _POOL_REQUESTS.inc(stats.get("requests_num", 0))
    _POOL_WAITS.inc(stats.get("requests_queued", 0))
    _POOL_WAIT_SECONDS.inc(stats.get("requests_wait_ms", 0) / 1000)
    _POOL_TIMEOUTS.inc(stats.get("requests_errors", 0))
    _POOL_OPENED.inc(stats.get("connections_num", 0))
    _POOL_LOST.inc(stats.get("connections_lost", 0) + stats.get("returns_bad", 0))
    _POOL_CONNECTIONS.labels("in_use").set(stats["pool_size"] - stats["pool_available"])
    _POOL_CONNECTIONS.labels("idle").set(stats["pool_available"])
    _POOL_MAX.set(stats["pool_max"])
    _POOL_WAITING.set(stats["requests_waiting"])
    _WORKERS.set(1)
    if _STATM.exists():  # Linux
        _MEMORY.set(int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    cpu = time.process_time()
    _CPU.inc(cpu - _cpu_counted)
    _cpu_counted = cpu


def exposition(*others: Metric) -> bytes:
    """Return the metrics of all processes, and `others`, in the text format of Prometheus (version 0.0.4)."""
    return generate_latest(_AllProcesses(others))


class _AllProcesses(Collector):
    def __init__(self, others: Iterable[Metric]) -> None:
        self._others = others

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, also those without a sample yet."""
        if metrics_files.DIRECTORY in os.environ:
            collector = MultiProcessCollector(None)  # type: ignore[no-untyped-call]
            shared = {metric.name: metric for metric in collector.collect()}  # type: ignore[no-untyped-call]
            metrics = [shared.get(empty.name, empty) for metric in _all for empty in metric.describe()]
        else:
            metrics = [collected for metric in _all for collected in metric.collect()]
        yield from map(_shorten_bounds, metrics)
        yield from self._others


def _shorten_bounds(metric: Metric) -> Metric:
    """Write the bounds of buckets as in earlier releases, "1" instead of "1.0": they identify a series."""
    for sample in metric.samples:
        if "le" in sample.labels:
            sample.labels["le"] = f"{float(sample.labels['le']):g}".replace("inf", "+Inf")
    return metric
