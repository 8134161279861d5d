"""Instructions per request that the service executes, next to an earlier commit, counted by Valgrind.

Two runs of the same code differ by 5 to 10% in CPU time on a busy machine, and by less than 1% in instructions: this
finds what `compare` cannot. Instructions of the kernel and of Postgres are not counted.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.compare import TRIAGED
from bench.harness import Harness, Server, say

Request = tuple[str, str, str | None]
"""The method, path and body of a request."""

_TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)


def cost(harness: Harness, servers: dict[str, Server], operations: list[str], requests: int) -> str:
    """Count the instructions of `requests` requests of each operation on each server. Returns a Markdown table.

    The last column compares the first server with the second.
    """
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is missing. On Debian: apt install valgrind")
    counts: dict[str, dict[str, float]] = {operation: {} for operation in operations}
    for name, server in servers.items():
        with harness.restored(name, server), _Client(harness, name, server) as client:
            for operation in operations:
                counts[operation][name] = client.count(REQUESTS[operation], requests) / 1000
                say(f"{name} {operation}: {counts[operation][name]:.0f} thousand instructions")
    first, second = servers
    lines = [f"| op | {first}, thousands | {second}, thousands | {first} / {second} |", "| --- | ---: | ---: | ---: |"]
    for operation, found in counts.items():
        ratio = found[first] / found[second]
        lines.append(f"| {operation} | {found[first]:.0f} | {found[second]:.0f} | {ratio:.3f} |")
    return "\n".join(lines)


class _Client:
    """A server with one worker under Valgrind, and one connection to it."""

    def __init__(self, harness: Harness, name: str, server: Server) -> None:
        self._harness = harness
        self._name = name
        self._server = server
        self._stack = ExitStack()

    def __enter__(self) -> _Client:
        self._counts = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        program, options = self._server["command"].split(" ", 1)
        valgrind = f"valgrind --tool=callgrind --trace-children=yes --callgrind-out-file={self._counts}/count.%p"
        server = {
            **self._server,
            "command": f"{valgrind} {Path(program).parent / 'python'} {program} {options} --timeout 600",
            "ready": "/livez",
            "start_seconds": 300,
            "env": {**self._server["env"], "WEB_CONCURRENCY": "1", "PYTHONHASHSEED": "0", "DB_STATEMENT_TIMEOUT": "60"},
        }
        running = self._stack.enter_context(self._harness.started(self._name, server))
        self._ids = self._harness.write_ids(self._name, server).read_text().split()
        self._connection = HTTPConnection("127.0.0.1", running.port, timeout=120)
        self._worker = Path(f"/proc/{running.proc.pid}/task/{running.proc.pid}/children").read_text().split()[0]
        return self

    def __exit__(self, *error: Any) -> None:
        self._connection.close()
        self._stack.close()

    def count(self, make: Callable[[random.Random, list[str]], Request], requests: int) -> float:
        """Return the instructions of a request: those of a long run less those of a short one."""
        rng = random.Random(1)
        self._run(make, rng, 20)
        short, long = requests // 4, requests + requests // 4
        self._instructions()
        self._run(make, rng, short)
        few = self._instructions()
        self._run(make, rng, long)
        return (self._instructions() - few) / (long - short)

    def _run(self, make: Callable[[random.Random, list[str]], Request], rng: random.Random, requests: int) -> None:
        for _ in range(requests):
            self._send(*make(rng, self._ids))

    def _send(self, method: str, path: str, body: str | None = None) -> None:
        self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise SystemExit(f"{self._name}: {method} {path} failed with {response.status}: {content[:300]!r}")

    def _instructions(self) -> int:
        """Return the instructions since the last call. Valgrind writes them when the process runs next."""
        known = set(self._counts.iterdir())
        subprocess.run(["callgrind_control", "--dump", self._worker], check=True, capture_output=True)
        while True:
            for path in set(self._counts.iterdir()) - known:
                if found := _TOTALS.search(path.read_text()):
                    return int(found[1])
            time.sleep(0.1)
            self._send("GET", "/livez")


def _create(rng: random.Random, ids: list[str]) -> Request:
    body = {
        "title": f"Order {rng.randrange(10**6)} was charged twice",
        "description": "I see two charges on my card for one order and would like a refund. " * 3,
        "category": rng.choice(["billing", "technical", "account", "general"]),
        "priority": rng.choice(["low", "medium", "high", "critical"]),
    }
    return "POST", "/api/tickets/", json.dumps(body)


def _create_triaged(rng: random.Random, ids: list[str]) -> Request:
    method, path, body = _create(rng, ids)
    texts = {name: value for name, value in json.loads(body or "").items() if name in ("title", "description")}
    return method, path, json.dumps(texts)


def _patch(rng: random.Random, ids: list[str]) -> Request:
    status = rng.choice(["open", "in_progress", "resolved", "closed"])
    return "PATCH", f"/api/tickets/{rng.choice(ids)}/", json.dumps({"status": status})


def _classify(rng: random.Random, ids: list[str]) -> Request:
    text = f"I was charged twice for order {rng.randrange(10**6)}, please refund one of them."
    return "POST", "/api/tickets/classify/", json.dumps({"description": text})


def _get(path: str) -> Callable[[random.Random, list[str]], Request]:
    return lambda rng, ids: ("GET", path.replace("{id}", rng.choice(ids)), None)


REQUESTS: dict[str, Callable[[random.Random, list[str]], Request]] = {
    "create": _create,
    TRIAGED: _create_triaged,
    "list": _get("/api/tickets/"),
    "list_filtered": _get("/api/tickets/?category=billing&priority=high"),
    "read": _get("/api/tickets/{id}/"),
    "patch": _patch,
    "search_common": _get("/api/tickets/?search=invoice"),
    "search_rare": _get("/api/tickets/?search=quasar"),
    "stats": _get("/api/tickets/stats/"),
    "classify": _classify,
}
