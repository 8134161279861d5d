"""What trust costs: idempotency keys, history, API keys and rate limits, each beside the same calls without it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median
from typing import Any
from uuid import uuid4

from bench.harness import Harness, Server, our_server, say

CLIENTS = 4
WARMUP_CALLS = 200
KEY = "tk_bench"
BODY = json.dumps(
    {
        "title": "Charged twice",
        "description": "The invoice of March shows two payments. " * 8,
        "category": "billing",
        "priority": "high",
    }
)
STATUSES = ["open", "in_progress", "resolved", "closed"]

Call = tuple[str, str, str | None, dict[str, str]]
"""Method, path below /api/tickets/, body and headers."""


@dataclass(frozen=True)
class Variant:
    """One way to make a call. `without` names a trigger that is off meanwhile."""

    operation: str
    name: str
    server: str
    call: Callable[[str, int], Call]
    without: str | None = None


def _create(headers: Callable[[], dict[str, str]]) -> Callable[[str, int], Call]:
    return lambda _, __: ("POST", "", BODY, {"Content-Type": "application/json", **headers()})


def _patch(ticket_id: str, number: int) -> Call:
    body = json.dumps({"status": STATUSES[number % len(STATUSES)]})
    return "PATCH", ticket_id, body, {"Content-Type": "application/json"}


def _read(ticket_id: str, _: int) -> Call:
    return "GET", ticket_id, None, {"Authorization": f"Bearer {KEY}"}


SERVERS: dict[str, Server] = {
    "open": our_server(WEB_CONCURRENCY=1),
    "keys": our_server(WEB_CONCURRENCY=1, REQUIRE_API_KEY="on"),
    "keys, each asked for": our_server("-c bench/load/uncached.conf.py", WEB_CONCURRENCY=1, REQUIRE_API_KEY="on"),
    "limits": our_server(WEB_CONCURRENCY=1, RATE_LIMIT="100000000/3600"),
}
REPLAYED = str(uuid4())
VARIANTS = [
    Variant("create", "no Idempotency-Key", "open", _create(dict)),
    Variant("create", "a new one each", "open", _create(lambda: {"Idempotency-Key": str(uuid4())})),
    Variant("create", "the same one: a replay", "open", _create(lambda: {"Idempotency-Key": REPLAYED})),
    Variant("patch", "no history", "open", _patch, "ticket_history_changed"),
    Variant("patch", "history", "open", _patch),
    Variant("read", "open", "open", _read),
    Variant("read", "REQUIRE_API_KEY", "keys", _read),
    Variant("read", "the same, without the 5 s memory", "keys, each asked for", _read),
    Variant("read", "RATE_LIMIT, one caller", "limits", _read),
]


def trust(harness: Harness, rounds: int, calls: int) -> str:
    """Make `calls` calls of each variant a round, in turns, on one worker."""
    server = harness.known["ours"]
    ids = harness.write_ids("ours", server).read_text().split()
    figures: dict[Variant, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}
    with harness.restored("ours", server), _key(harness), ExitStack() as stack:
        running = {name: stack.enter_context(harness.started(name, our)) for name, our in SERVERS.items()}
        for number in range(rounds):
            for variant in VARIANTS:
                with _trigger_off(harness, variant.without):
                    found = _measure(harness, running[variant.server], variant, ids, calls)
                figures[variant].append(found)
                say(f"{number + 1}/{rounds} {variant.operation:7} {variant.name:34} {found[0]:.3f} + {found[1]:.3f}")
    return _table(figures)


def _measure(harness: Harness, running: Any, variant: Variant, ids: list[str], calls: int) -> tuple[float, float]:
    """CPU seconds per 1,000 calls: the worker's, and Postgres's."""
    _send(running.port, variant, ids, WARMUP_CALLS)
    pids = (running.proc.pid, harness.postgres_pid)
    before = [harness.cpu(pid) for pid in pids]
    _send(running.port, variant, ids, calls)
    worker, postgres = ((harness.cpu(pid) - then) * 1000 / calls for pid, then in zip(pids, before, strict=True))
    return worker, postgres


def _send(port: int, variant: Variant, ids: list[str], calls: int) -> None:
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(lambda seed: _client(port, variant, ids, calls // CLIENTS, seed), range(CLIENTS)))


def _client(port: int, variant: Variant, ids: list[str], calls: int, seed: int) -> None:
    choose = random.Random(seed)
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(calls):
        method, path, body, headers = variant.call(choose.choice(ids), number)
        connection.request(method, f"/api/tickets/{path}", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status not in (200, 201) and not (response.status == 409 and REPLAYED in headers.values()):
            raise SystemExit(f"{variant.operation}, {variant.name}: {response.status} {answer[:200]!r}")
    connection.close()


@contextmanager
def _key(harness: Harness) -> Iterator[None]:
    """A key that may read; afterwards nothing of it and of what was remembered is left."""
    _execute(
        harness,
        "INSERT INTO api_keys (name, scope, hash)"
        f" VALUES ('bench', 'read', sha256('{KEY}'::text::bytea)) ON CONFLICT DO NOTHING",
    )
    try:
        yield
    finally:
        _execute(harness, "DELETE FROM api_keys WHERE name = 'bench'")
        _execute(harness, "TRUNCATE ticket_history, idempotency_records, rate_limits")


@contextmanager
def _trigger_off(harness: Harness, trigger: str | None) -> Iterator[None]:
    if trigger:
        _execute(harness, f"ALTER TABLE tickets DISABLE TRIGGER {trigger}")
    try:
        yield
    finally:
        if trigger:
            _execute(harness, f"ALTER TABLE tickets ENABLE TRIGGER {trigger}")


def _execute(harness: Harness, statement: str) -> None:
    """On a connection of its own: a server's end cuts all that there are."""
    with harness.connect("ours", harness.known["ours"]) as connection:
        connection.execute(statement)


def _table(figures: dict[Variant, list[tuple[float, float]]]) -> str:
    """Medians over the rounds; the last column compares with the first variant of the operation."""
    lines = [
        "| op | with | worker CPU s/1000 | Postgres CPU s/1000 | together | more |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    plain: dict[str, float] = {}
    for variant, found in figures.items():
        worker, postgres = (median(column) for column in zip(*found, strict=True))
        more = (worker + postgres) / plain.setdefault(variant.operation, worker + postgres) - 1
        lines.append(
            f"| {variant.operation} | {variant.name} | {worker:.3f} | {postgres:.3f} | {worker + postgres:.3f} "
            f"| {f'{more:+.0%}' if more else ''} |"
        )
    return "\n".join(lines)
