"""The metrics that /metrics exports, and a reader that rejects text that breaks the format."""

from __future__ import annotations

import re
from typing import NamedTuple

PREFIX = "ticketsvc_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = ("0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10")

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\n"])*)"')

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Family(NamedTuple):
    """A metric, without `PREFIX`."""

    kind: str
    help: str
    labels: frozenset[str] = frozenset()


def _labels(*names: str) -> frozenset[str]:
    return frozenset(names)


FAMILIES = {
    "http_requests_total": Family(
        "counter", "HTTP requests by route, method and status.", _labels("route", "method", "status")
    ),
    "http_request_duration_seconds": Family(
        "histogram", "Time until the response was ready to be sent.", _labels("route", "method")
    ),
    "http_unreadable_requests_total": Family(
        "counter", "Requests that were rejected because they violate HTTP.", _labels("status")
    ),
    "database_pool_connections": Family(
        "gauge", "Connections of the pools of all workers, by state.", _labels("state")
    ),
    "database_pool_connections_max": Family("gauge", "Maximum number of connections of the pools of all workers."),
    "database_pool_waiting": Family("gauge", "Requests that are waiting for a connection."),
    "database_pool_requests_total": Family("counter", "Requests for a connection of the pool."),
    "database_pool_waits_total": Family("counter", "Requests for a connection that had to wait."),
    "database_pool_wait_seconds_total": Family("counter", "Time spent waiting for connections."),
    "database_pool_timeouts_total": Family("counter", "Requests for a connection that timed out."),
    "database_pool_opened_total": Family("counter", "Connections that were opened."),
    "database_pool_lost_total": Family("counter", "Connections that were found broken."),
    "database_errors_total": Family(
        "counter",
        "Failed statements by SQLSTATE or other cause. Retried ones may have succeeded later.",
        _labels("kind", "retried"),
    ),
    "triage_duration_seconds": Family(
        "histogram", "Time to suggest labels, by operation and source of the suggestion.", _labels("call", "source")
    ),
    "webhooks": Family("gauge", "Webhooks, by state.", _labels("state")),
    "webhook_attempts_total": Family(
        "counter", "Attempts to deliver, by webhook and outcome.", _labels("webhook", "outcome")
    ),
    "webhook_deliveries_pending": Family("gauge", "Deliveries to attempt to enabled webhooks."),
    "webhook_oldest_pending_seconds": Family(
        "gauge", "Age of the oldest delivery to attempt, or event to look at, for an enabled webhook."
    ),
    "tool_calls_total": Family(
        "counter", "Tools that MCP clients called, by name and problem (or none).", _labels("tool", "problem")
    ),
    "replica_reads_total": Family(
        "counter",
        "Statements for READ_DATABASE_URL that the replica ran, and by reason those that the primary ran instead.",
        _labels("outcome"),
    ),
    "replica_wait_seconds": Family(
        "histogram", "Time for which reads waited until the replica had what their client wrote."
    ),
    "replicas": Family("gauge", "Workers that use the replica of READ_DATABASE_URL."),
    "triage_fallbacks_total": Family(
        "counter", "Suggestions that the fallback classifier made, by reason.", _labels("reason")
    ),
    "event_listeners": Family("gauge", "Requests that wait for events, by kind.", _labels("kind")),
    "events_sent_total": Family("counter", "Events sent to requests that waited for them."),
    "event_delay_seconds": Family(
        "histogram", "Time from a change until its event could be sent to those that wait for it."
    ),
    "events_unpublished_seconds": Family("gauge", "Age of the oldest event that has no number yet; 0 without one."),
    "tickets": Family("gauge", "Tickets in the database.", _labels("status")),
    "database_up": Family("gauge", "Whether the database responded during this scrape."),
    "workers": Family("gauge", "Worker processes."),
    "memory_bytes": Family("gauge", "Resident memory of all workers. Shared memory counts once for each worker."),
    "cpu_seconds_total": Family("counter", "CPU time of all workers."),
    "start_time_seconds": Family("gauge", "Start time of the service, in seconds since 1970."),
    "build_info": Family(
        "gauge",
        "What runs: its version, its newest migration, and Python's version.",
        _labels("version", "schema", "python"),
    ),
}


def sample_labels() -> dict[str, frozenset[str]]:
    """Return the full names of all samples that can be on /metrics, each with the names of its labels."""
    found: dict[str, frozenset[str]] = {}
    for name, family in FAMILIES.items():
        suffixes = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
        found |= {f"{PREFIX}{name}{suffix}": family.labels for suffix in suffixes}
        if family.kind == "histogram":
            found[f"{PREFIX}{name}_bucket"] |= {"le"}
    return found


def read(text: str) -> Samples:
    """Return the samples of an exposition. Fails if a line is malformed or a sample occurs twice."""
    samples: Samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))", line), line
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        key = (found[1].removeprefix(PREFIX), frozenset(LABEL.findall(found[2] or "")))
        assert key not in samples, line
        samples[key] = float(found[3])
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels."""
    return sum(v for (found, given), v in samples.items() if found == name and given >= labels.items())
