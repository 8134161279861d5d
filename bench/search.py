"""Latency of searches by their shape: one client that sends each request after the response to the last."""

from __future__ import annotations

import time
from http.client import HTTPConnection
from statistics import median, quantiles
from urllib.parse import quote

from bench.harness import Harness, get, say

SHAPES = {
    "common word": "invoice",
    "rare word": "quasar",
    "absent word": "xylophone",
    "common in old tickets only": "telegram",
    "phrase": '"the invoice"',
    "three words": "login refund invoice",
    "exclusion": "-invoice",
    "word and exclusion": "quasar -invoice",
    "two letters, absent": "zq",
    "one letter": "q",
}
LISTS = {
    "newest first": "",
    "oldest first": "&sort=created_at",
    "last changed first": "&sort=-updated_at",
    "most urgent first": "&sort=-priority",
    "rare facets": "&category=general&priority=critical&status=in_progress",
    "counted": "&count=true",
}


def search(harness: Harness, requests: int) -> str:
    """Send `requests` requests of each shape in each list, at most 20 s of them; pages of 50."""
    lines = ["| search | list | p50 ms | p99 ms | Postgres CPU s/1000 |", "| --- | --- | ---: | ---: | ---: |"]
    with harness.started("ours", harness.known["ours"]) as running:
        connection = HTTPConnection("127.0.0.1", running.port, timeout=60)
        for shape, text in SHAPES.items():
            for name, parameters in LISTS.items():
                path = f"/api/tickets/?limit=50&search={quote(text)}{parameters}"
                cpu, times = harness.cpu(harness.postgres_pid), _times(connection, path, requests)
                cpu = (harness.cpu(harness.postgres_pid) - cpu) / len(times) * 1000
                p99 = quantiles(times, n=100)[98] if len(times) > 1 else times[0]
                lines.append(f"| {shape} | {name} | {median(times):.1f} | {p99:.1f} | {cpu:.2f} |")
                say(lines[-1])
        connection.close()
    return "\n".join(lines)


def _times(connection: HTTPConnection, path: str, requests: int) -> list[float]:
    """Return the milliseconds of each request. Ends the run when a response is not 200."""
    times: list[float] = []
    while len(times) < requests and sum(times) < 20_000:
        started = time.perf_counter()
        get(connection, path)
        times.append((time.perf_counter() - started) * 1000)
    return times
