"""Response times of the same requests on tables of very different sizes."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import NamedTuple

from bench.harness import Harness, say

LARGEST_LOADED = 1_000_000
"""A larger table is created by copying one of this size, because loading it would take hours."""
COPY_STEPS = 20
"""Number of INSERT statements that create a larger table."""

_PAGE = "/api/tickets/?limit=50"
_STATS = "/api/tickets/stats/"
_DAILY = "/api/tickets/stats/daily/"
REQUESTS = {
    "create": "",
    "change": "",
    "read": "",
    "list": _PAGE,
    "list, oldest": f"{_PAGE}&sort=created_at",
    "list, last updated": f"{_PAGE}&sort=-updated_at",
    "list, most urgent": f"{_PAGE}&sort=-priority",
    "list, filtered": f"{_PAGE}&category=billing&status=open",
    "list, a day": f"{_PAGE}&created_since=2026-06-01&created_before=2026-06-02",
    "list, filtered and counted": f"{_PAGE}&category=billing&status=open&count=true",
    "search, rare word": f"{_PAGE}&search=quasar",
    "search, common word": f"{_PAGE}&search=invoice",
    "search, absent word": f"{_PAGE}&search=xylophone",
    "search, word of old tickets": f"{_PAGE}&search=telegram",
    "search, phrase": f"{_PAGE}&search=%22password+login%22",
    "search, absent phrase": f"{_PAGE}&search=%22password+xylophone%22",
    "search, three words": f"{_PAGE}&search=invoice+password+quasar",
    "search, common word, one excluded": f"{_PAGE}&search=invoice+-the",
    "search, only exclusions": f"{_PAGE}&search=-invoice",
    "search, two letters": f"{_PAGE}&search=qu",
    "search, absent two letters": f"{_PAGE}&search=qj",
    "search, one letter": f"{_PAGE}&search=q",
    "search, rare word, last updated": f"{_PAGE}&search=quasar&sort=-updated_at",
    "search, word of old tickets, last updated": f"{_PAGE}&search=telegram&sort=-updated_at",
    "search, phrase, last updated": f"{_PAGE}&search=%22the+invoice%22&sort=-updated_at",
    "search, common word, most urgent": f"{_PAGE}&search=invoice&sort=-priority",
    "search, word of old tickets, most urgent": f"{_PAGE}&search=telegram&sort=-priority",
    "search, phrase, most urgent": f"{_PAGE}&search=%22the+invoice%22&sort=-priority",
    "search, word of old tickets, filtered": f"{_PAGE}&search=telegram&category=billing&status=open",
    "search, phrase, filtered": (
        f"{_PAGE}&search=%22the+invoice%22&category=general&priority=critical&status=in_progress"
    ),
    "search, rare word, counted": f"{_PAGE}&search=quasar&count=true",
    "search, three words, counted": f"{_PAGE}&search=invoice+password+refund&count=true",
    "search, common word, counted": f"{_PAGE}&search=invoice&count=true",
    "search, common word, filtered and counted": (
        f"{_PAGE}&search=invoice&category=general&priority=critical&status=in_progress&count=true"
    ),
    "statistics": _STATS,
    "statistics of a window, filtered": f"{_STATS}?created_since=2026-03-15&created_before=2026-05-02&priority=high",
    "statistics by day, 30 days": f"{_DAILY}?since=2026-10-01&before=2026-10-31",
    "statistics by day, a year, Berlin": f"{_DAILY}?since=2025-11-01&before=2026-11-01&tz=Europe/Berlin",
    "resolution times": f"{_STATS}resolution/",
    "resolution times of billing, 90 days": (
        f"{_STATS}resolution/?category=billing&created_since=2026-06-02&created_before=2026-08-31"
    ),
    "response times": f"{_STATS}response/",
}


class Figures(NamedTuple):
    """The response times of one kind of request in milliseconds, and the status of those that failed.

    That is 503 for a timeout, 400 for a count that is refused.
    """

    p50: float
    p99: float
    refused: int | None

    def __str__(self) -> str:
        return f"{self.refused} after " * (self.refused is not None) + f"{self.p50:.1f} / {self.p99:.1f}"


def scale(sizes: list[int], seconds: float, connections: int) -> str:
    """Measure each request on tables of these sizes with concurrent clients. The table has p50 / p99 of each."""
    figures = {size: _measure(_prepared(size), seconds, connections) for size in sizes}
    lines = [
        f"| request | {' | '.join(f'{size:,} tickets' for size in sizes)} |",
        f"| --- |{' ---: |' * len(sizes)}",
    ]
    lines += [f"| {name} | {' | '.join(str(of[name]) for of in figures.values())} |" for name in REQUESTS]
    return "\n".join(lines)


def _measure(harness: Harness, seconds: float, connections: int) -> dict[str, Figures]:
    server = harness.known["ours"]
    ids = harness.write_ids("ours", server).read_text().split()
    found = {}
    with harness.restored("ours", server), harness.started("ours", server) as running:
        for name in REQUESTS:
            found[name] = _load(running.port, name, ids, seconds, connections)
            say(f"{harness.rows:>10,} {name:40} {found[name]} ms")
    return found


def _load(port: int, name: str, ids: list[str], seconds: float, connections: int) -> Figures:
    """Send at least three requests per client. The first one is not counted."""
    refused: set[int] = set()

    def client(number: int) -> list[float]:
        randomly = random.Random(number)
        waited: list[float] = []
        connection = HTTPConnection("127.0.0.1", port, timeout=300)
        started = time.perf_counter()
        while time.perf_counter() - started < seconds or len(waited) < 3:
            began = time.perf_counter()
            status = _call(connection, *_request(name, ids, randomly))
            if status >= 400:
                refused.add(status)
            waited.append((time.perf_counter() - began) * 1000)
        connection.close()
        return waited[1:]

    with ThreadPoolExecutor(connections) as clients:
        waited = sorted(one for many in clients.map(client, range(connections)) for one in many)
    return Figures(waited[len(waited) // 2], waited[int(len(waited) * 0.99)], max(refused, default=None))


def _request(name: str, ids: list[str], randomly: random.Random) -> tuple[str, str, str | None]:
    """Return the method, path and body of a request."""
    if name == "create":
        words = " ".join(randomly.choices(["login", "invoice", "error", "printer", "slow", "refund"], k=50))
        return "POST", "/api/tickets/", json.dumps({"title": words[:40], "description": words})
    path = f"/api/tickets/{randomly.choice(ids)}"
    if name == "change":
        return "PATCH", path, json.dumps({"status": randomly.choice(["open", "in_progress", "resolved", "closed"])})
    return "GET", REQUESTS[name] or path, None


def _call(connection: HTTPConnection, method: str, path: str, body: str | None) -> int:
    """Send a request and return the status. Exits on an error other than 503 or a refused count."""
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    response = connection.getresponse()
    content = response.read()
    if response.status not in (200, 201, 503) and not (response.status == 400 and "count=true" in path):
        raise SystemExit(f"{method} {path} failed with {response.status}: {content[:300]!r}")
    return response.status


def _prepared(size: int) -> Harness:
    harness = Harness(size)
    if size <= LARGEST_LOADED:
        harness.prepare(["ours"])
        _resolve(harness)
    else:
        _grow(Harness(LARGEST_LOADED), harness)
    return harness


def _resolve(harness: Harness) -> None:
    """Let the tickets with a final status take from minutes to weeks, unless they have times already."""
    with harness.connect("ours", harness.known["ours"]) as connection:
        if connection.execute("SELECT FROM tickets WHERE resolved_at IS NOT NULL LIMIT 1").fetchone() is None:
            connection.execute(
                "UPDATE tickets SET resolved_at = created_at + took, first_response_at = created_at + took / 3,"
                " updated_at = created_at + took"
                " FROM ("
                "SELECT id AS ticket_id, interval '1 second' * exp(6 + 9 * random()) AS took FROM tickets"
                ") AS times WHERE id = ticket_id AND status IN ('resolved', 'closed')"
            )
            connection.execute("VACUUM ANALYZE")


def _grow(source: Harness, target: Harness) -> None:
    """Create the larger table, unless it exists, with several copies of each ticket of the smaller one, seconds apart.

    The copies are inserted in the order of creation, as real tickets are. The trigram indexes are created afterwards,
    which takes a tenth of the time of filling them row by row.
    """
    source.prepare(["ours"])
    _resolve(source)
    server = target.known["ours"]
    names = [harness.module.db_name("ours", server, harness.rows) for harness in (source, target)]
    with source.module.connect("postgres") as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (names[1],)).fetchone():
            target.migrate()
            return
        connection.execute(f'CREATE DATABASE "{names[1]}" TEMPLATE "{names[0]}"')
    started = time.monotonic()
    with target.connect("ours", server) as connection:
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef ~ 'USING gin'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute("SET maintenance_work_mem = '2GB'")
        columns = "title, description, category, priority, status"
        times = ("updated_at", "resolved_at", "first_response_at")
        shifted = ", ".join(f"{time} + interval '2 seconds' * copy" for time in times)
        connection.execute(
            "CREATE UNLOGGED TABLE originals AS "
            f"SELECT ntile({COPY_STEPS}) OVER (ORDER BY id) AS part, {columns}, created_at, {', '.join(times)} "
            "FROM tickets"
        )
        connection.execute("TRUNCATE tickets")
        for part in range(1, COPY_STEPS + 1):
            connection.execute(
                f"INSERT INTO tickets ({columns}, created_at, {', '.join(times)}) "
                f"SELECT {columns}, created_at + interval '2 seconds' * copy AS at, "
                f"{shifted} "
                f"FROM originals CROSS JOIN generate_series(1, {target.rows // source.rows}) AS copy "
                f"WHERE part = {part} ORDER BY at"
            )
            say(f"{part} of {COPY_STEPS} steps after {time.monotonic() - started:.0f} s")
        connection.execute("DROP TABLE originals")
        for name, definition in indexes:
            connection.execute(definition)
            say(f"{name} after {time.monotonic() - started:.0f} s")
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
