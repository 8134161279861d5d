"""Loads on several servers in alternating rounds, as one table: this service and its peers, or its own variants."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.harness import LOAD, PEERS, Harness, Server, our_server, say

TRIAGED = "create_triaged"
"""Creates without labels. This service suggests them; its peers take defaults."""

OPERATIONS = [
    "create", TRIAGED, "list", "list_filtered", "read", "patch", "search_common", "search_rare", "stats", "classify",
]  # fmt: skip


@dataclass(frozen=True)
class Load:
    """Duration of a load in seconds, its connections and its rounds."""

    seconds: int
    warmup: int
    connections: int
    rounds: int


@dataclass(frozen=True)
class Figures:
    """One load on one server: successful responses per second, milliseconds, CPU seconds per 1,000 requests."""

    operation: str
    server: str
    rate: float
    p50: float
    p99: float
    server_cpu: float
    postgres_cpu: float
    errors: int


def serving_variants() -> dict[str, Server]:
    """Return variants of worker classes, workers, threads and pool sizes. The first is the default configuration."""
    ours = {
        f"Worker x {workers}, pool {pool}": our_server(WEB_CONCURRENCY=workers, DB_POOL_SIZE=pool)
        for workers, pool in [(2, 8), (2, 2), (2, 4), (2, 16), (1, 8), (3, 8), (4, 8)]
    }
    threads = {
        f"gthread {workers} x {threads}": our_server(
            f"-k gthread -w {workers} --threads {threads}", DB_POOL_SIZE=threads
        )
        for workers, threads in [(2, 4), (2, 8), (4, 4)]
    }
    return {**ours, **threads, "gevent x 2, pool 8": our_server("-k gevent", DB_POOL_SIZE=8)}


def compare(harness: Harness, servers: dict[str, Server], operations: list[str], load: Load) -> str:
    """Run every operation on every server `load.rounds` times. Returns a Markdown table.

    Ctrl-C ends the run; the table then has the measurements so far.
    """
    figures: list[Figures] = []
    try:
        able = {name: _operations_of(harness, name, server, operations) for name, server in servers.items()}
        for number in range(load.rounds):
            names = list(servers)
            names = names[number % len(names) :] + names[: number % len(names)]
            for operation in operations:
                for name in names:
                    if operation in able[name]:
                        figures.append(_measure(harness, name, servers[name], operation, load, number))
    except KeyboardInterrupt:
        say("stopped")
    return _table(figures, next(iter(servers)), operations)


def _operations_of(harness: Harness, name: str, server: Server, operations: list[str]) -> list[str]:
    """Check that a server meets the contract. Returns the operations that it supports."""
    if server.get("pgbench"):
        return [operation for operation in operations if operation in server["only"]]
    some_id = harness.write_ids(name, server).read_text().split("\n", 1)[0]
    with harness.restored(name, server), harness.started(name, server) as running:
        if "only" not in server:
            harness.check(running, server)
            say(f"{name} meets the contract")
        has_read = running.call("GET", f"/api/tickets/{some_id}")[0] == 200
    return [o for o in operations if o in server.get("only", operations) and (o != "read" or has_read)]


def _measure(harness: Harness, name: str, server: Server, operation: str, load: Load, number: int) -> Figures:
    seed = 1 + 1000 * number
    with harness.restored(name, server):
        if server.get("pgbench"):
            found = _load_postgres(harness, name, server, operation, load, seed)
        else:
            found = _load_server(harness, name, server, operation, load, seed)
    per_thousand = 1000 / max(1, found["n"])
    good = max(0, found["n"] - found["errors"]) / max(1, found["n"])
    figures = Figures(
        operation, name, found["rps"] * good, found["p50"], found["p99"],
        found.get("cpu_srv", 0) * per_thousand, found["cpu_pg"] * per_thousand, found["errors"],
    )  # fmt: skip
    say(
        f"{number + 1}/{load.rounds} {operation:14} {name:20} {figures.rate:9.1f}/s  p50 {figures.p50:8.2f} ms  "
        f"p99 {figures.p99:8.2f} ms  CPU {figures.server_cpu:.3f} + {figures.postgres_cpu:.3f} s/1000  "
        f"errors {figures.errors}  noise {found['noise']:.0%}"
    )
    return figures


def _load_server(harness: Harness, name: str, server: Server, operation: str, load: Load, seed: int) -> Any:
    module = harness.module
    own, script = LOAD / f"{operation}.lua", operation
    if own.exists():
        script = str(own.with_suffix(""))  # the harness looks in its own folder for names, not for absolute paths
        os.environ |= {"LOAD_OURS": str(LOAD), "IDS": str(harness.write_ids(name, server))}
    with harness.started(name, server) as running:
        if module.is_slow(operation, lambda: running.call("GET", module.READS[operation])):
            return _cpu_of(
                harness, load, 0, lambda _: module.one_each(operation, running.port, load.connections), running
            )
        return _cpu_of(
            harness, load, load.warmup,
            lambda seconds: module.wrk(script, running.port, seconds, load.connections, harness.rows, seed), running,
        )  # fmt: skip


def _load_postgres(harness: Harness, name: str, server: Server, operation: str, load: Load, seed: int) -> Any:
    """Run the same statements with pgbench, without a server in front of Postgres."""
    module = harness.module
    script = PEERS / "load" / "pg" / f"{operation}.sql"
    database = module.db_name(name, server, harness.rows)
    statements = [statement for statement in script.read_text().split(";") if statement.strip()]
    with module.connect(database) as connection:
        slow = module.is_slow(operation, lambda: [connection.execute(statement) for statement in statements])

    def run(seconds: int) -> Any:
        return module.pgbench(script, database, 1 if slow else seconds, load.connections, harness.rows, seed)

    return _cpu_of(harness, load, 0 if slow else load.warmup, run, None)


def _cpu_of(harness: Harness, load: Load, warmup: int, run: Callable[[int], Any], running: Any) -> Any:
    pids = {"pg": harness.postgres_pid} | ({"srv": running.proc.pid} if running else {})
    return harness.module.measure("", run, pids, Namespace(warmup=warmup, seconds=load.seconds))


def _table(figures: list[Figures], reference: str, operations: list[str]) -> str:
    """Return the medians over the rounds. The last column is the req/s of the reference divided by the server's."""
    lines = [
        "| op | server | req/s | p50 ms | p99 ms | server CPU s/1000 | Postgres CPU s/1000 | errors "
        f"| {reference} / it |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for operation in operations:
        rates = [f.rate for f in figures if (f.operation, f.server) == (operation, reference)]
        for server in dict.fromkeys(f.server for f in figures if f.operation == operation):
            group = [f for f in figures if (f.operation, f.server) == (operation, server)]
            ratios = [rate / f.rate for rate, f in zip(rates, group, strict=False) if f.rate]
            lines.append(
                f"| {operation} | {server} | {_middle(group, 'rate'):.1f} | {_middle(group, 'p50'):.2f} "
                f"| {_middle(group, 'p99'):.2f} | {_middle(group, 'server_cpu'):.3f} "
                f"| {_middle(group, 'postgres_cpu'):.3f} | {sum(f.errors for f in group)} "
                f"| {f'{median(ratios):.2f}' if ratios else ''} |"
            )
    return "\n".join(lines)


def _middle(group: list[Figures], name: str) -> float:
    return float(median(getattr(figures, name) for figures in group))
