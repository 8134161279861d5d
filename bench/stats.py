"""The cost of statistics on tables of several sizes. One client sends each request for some seconds."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from http.client import HTTPConnection
from statistics import median, quantiles
from typing import Any

from bench.harness import Harness, get, say

SIZES = [10_000, 100_000, 1_000_000]
STATS = "/api/tickets/stats"


def statistics(harnesses: list[tuple[int, Harness]], seconds: float, reload: bool) -> str:
    """Measure each request at each size. The last day of every table has tickets."""
    head = [
        "| statistics | tickets | p50 ms | p99 ms | server CPU ms | Postgres CPU ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines: dict[str, list[str]] = {}
    for rows, harness in harnesses:
        harness.prepare(["ours"], reload)
        with harness.connect("ours", harness.known["ours"]) as connection:
            connection.execute("VACUUM ANALYZE")
            newest = connection.execute("SELECT max(created_at) FROM tickets").fetchone()[0]
        with harness.started("ours", harness.known["ours"]) as running:
            for label, path in _requests(newest).items():
                line = _measure(harness, running, f"| {label} | {rows:,} ", path, seconds)
                lines.setdefault(label, []).append(line)
                say(line)
    return "\n".join(head + [line for same in lines.values() for line in same])


def _requests(newest: datetime) -> dict[str, str]:
    """Return the path of each request."""
    since, before = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (newest - timedelta(days=100), newest))
    window = f"created_since={since}&created_before={before}"
    end = newest.date() + timedelta(days=1)
    daily = {
        f"daily, {days} days, {tz}": f"{STATS}/daily/?tz={tz}&since={end - timedelta(days=days)}&before={end}"
        for days in (30, 366)
        for tz in ("UTC", "Europe/Berlin")
    }
    return {
        "all": f"{STATS}/",
        "one category, open": f"{STATS}/?category=billing&status=open",
        "100 days": f"{STATS}/?{window}",
        **daily,
        "resolution, 100 days": f"{STATS}/resolution/?{window}",
        "resolution": f"{STATS}/resolution/",
    }


def _measure(harness: Harness, running: Any, label: str, path: str, seconds: float) -> str:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=60)
    processes = [running.proc.pid, harness.postgres_pid]
    times: list[float] = []
    get(connection, path)
    before = [harness.cpu(pid) for pid in processes]
    ending = time.monotonic() + seconds
    while time.monotonic() < ending or len(times) < 2:
        started = time.perf_counter()
        get(connection, path)
        times.append((time.perf_counter() - started) * 1000)
    server, postgres = ((harness.cpu(pid) - b) * 1000 / len(times) for pid, b in zip(processes, before, strict=True))
    connection.close()
    p99 = quantiles(times, n=100, method="inclusive")[-1]
    return f"{label}| {median(times):.2f} | {p99:.2f} | {server:.2f} | {postgres:.2f} |"
