"""Does any page of a walk cost the same as the first? Walks whole lists, then loads pages from along the way."""

from __future__ import annotations

import json
import re
import time
from http.client import HTTPConnection
from statistics import median
from typing import Any

from bench.harness import Harness, get, say

WALKS = {
    "newest first": "",
    "oldest first": "&sort=created_at",
    "last changed first": "&sort=-updated_at",
    "most urgent first": "&sort=-priority",
    "filtered": "&category=billing&status=open",
    "filtered, last changed first": "&category=billing&status=open&sort=-updated_at",
    "searched": "&search=invoice",
}
DEPTHS = [0.0, 0.1, 0.5, 0.9]
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


def walk(harness: Harness, rounds: int, requests: int) -> str:
    """Measure each walk, alternating between the depths: `rounds` times `requests` requests at each."""
    lines = [
        "| list | page at | p50 ms | server CPU s/1000 | Postgres CPU s/1000 | p50 / first |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    with harness.started("ours", harness.known["ours"]) as running:
        for label, query in WALKS.items():
            connection = HTTPConnection("127.0.0.1", running.port, timeout=60)
            pages = _walk_through(connection, label, query)
            lines += _compare_pages(harness, running, connection, label, pages, rounds, requests)
            connection.close()
    return "\n".join(lines)


def _walk_through(connection: HTTPConnection, label: str, query: str) -> dict[float, str]:
    """Return the path of the page at each depth. Ends the run when a ticket is missing or comes twice."""
    started = time.monotonic()
    total = int(get(connection, f"/api/tickets/?limit=1&count=true{query}")[1]["X-Total-Count"])
    step = max(1, min(500, total // 20))
    path: str | None = f"/api/tickets/?limit={step}{query}"
    pages: dict[float, str] = {}
    seen: set[str] = set()
    count = 0
    while path:
        for depth in DEPTHS:
            if depth not in pages and count >= depth * total:
                pages[depth] = path.replace(f"limit={step}", "limit=50")
        body, headers = get(connection, path)
        tickets = json.loads(body)
        count += len(tickets)
        seen.update(ticket["id"] for ticket in tickets)
        following = _NEXT.search(headers["Link"] or "")
        path = following[1] if following else None
    if not count == len(seen) == total:
        raise SystemExit(f"{label}: the walk met {count:,} tickets, {len(seen):,} of them different, of {total:,}.")
    say(f"{label}: walked through {total:,} tickets in {time.monotonic() - started:.0f} s, each once")
    return pages


def _compare_pages(
    harness: Harness, running: Any, connection: HTTPConnection,
    label: str, pages: dict[float, str], rounds: int, requests: int,
) -> list[str]:  # fmt: skip
    times: dict[float, list[float]] = {depth: [] for depth in pages}
    cpu = {depth: [0.0, 0.0] for depth in pages}
    processes = [running.proc.pid, harness.postgres_pid]
    for _ in range(rounds):
        for depth, path in pages.items():
            before = [harness.cpu(pid) for pid in processes]
            for _ in range(requests):
                started = time.perf_counter()
                get(connection, path)
                times[depth].append((time.perf_counter() - started) * 1000)
            cpu[depth] = [sum(c) for c in zip(cpu[depth], map(harness.cpu, processes), strict=True)]
            cpu[depth] = [used - b for used, b in zip(cpu[depth], before, strict=True)]
    lines = []
    for depth in pages:
        p50 = median(times[depth])
        server, postgres = (seconds * 1000 / len(times[depth]) for seconds in cpu[depth])
        lines.append(
            f"| {label} | {depth:.0%} | {p50:.2f} | {server:.3f} | {postgres:.3f} | {p50 / median(times[0.0]):.2f} |"
        )
        say(lines[-1])
    return lines
