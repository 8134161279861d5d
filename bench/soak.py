"""Memory of the workers during many mixed requests, an import and an export, to one instance."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

from bench.harness import Harness, say

CLIENTS = 8
IMPORTED = 20_000
"""The tickets of the import, which begins after a third of the requests; the export begins after two thirds."""
LISTS = [
    "", "?limit=500", "?limit=50&sort=-priority", "?category=billing&status=open", "?search=invoice&limit=20",
    "?sort=-updated_at", "?count=true&limit=5",
]  # fmt: skip
BAD = [
    ("POST", "", b'{"title": "no end'),
    ("POST", "", b'{"title": "", "category": "nope"}'),
    ("GET", "?limit=0&status=nope&unknown=1", None),
    ("GET", "?cursor=nonsense", None),
    ("GET", "nonsense", None),
    ("PUT", "", b"{}"),
    ("POST", "classify/", b"{}"),
]


class Soak:
    """Clients that send `requests` requests in total, or stop after `seconds`."""

    def __init__(self, port: int, requests: int, seconds: float) -> None:
        self.port = port
        self.requests = requests
        self.deadline = time.monotonic() + seconds
        self.statuses: Counter[int] = Counter()
        self.lock = threading.Lock()

    @property
    def done(self) -> int:
        """Return the number of finished requests."""
        return self.statuses.total()

    @property
    def is_finished(self) -> bool:
        """Return whether the clients should stop."""
        return self.done >= self.requests or time.monotonic() > self.deadline

    def client(self, seed: int) -> None:
        """Send requests until the run is finished. A broken connection counts as status 0."""
        choose = random.Random(seed)
        ids = [str(uuid4())]
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.is_finished:
            method, path, body = _request(choose, ids)
            try:
                connection.request(method, f"/api/tickets/{path}", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                status, content = response.status, response.read()
            except OSError:
                connection.close()
                status, content = 0, b""
            if status == 201:
                ids.append(json.loads(content)["id"])
            with self.lock:
                self.statuses[status] += 1
        connection.close()

    def files(self) -> None:
        """Import tickets and export all of them during the other requests. Exits with an error if that fails."""
        line = json.dumps({"title": "Imported invoice", "description": "invoice paid twice, please refund " * 8})
        file = f"{line}\n".encode() * IMPORTED
        for third, (method, path, body) in enumerate((("POST", "import", file), ("GET", "export", None)), 1):
            while self.done < self.requests * third / 3 and not self.is_finished:
                time.sleep(0.05)
            connection = HTTPConnection("127.0.0.1", self.port, timeout=600)
            connection.request(method, f"/api/tickets/{path}", body, {"Content-Type": "application/x-ndjson"})
            response = connection.getresponse()
            while response.read(65_536):
                pass
            connection.close()
            with self.lock:
                self.statuses[response.status] += 1
            say(f"{path}: {response.status}")


def soak(harness: Harness, requests: int, seconds: float) -> str:
    """Measure the memory of the workers during the run. Exits with an error after any 5xx.

    It is their proportional set size: a page that several processes share counts in equal parts. Each line has the
    most since the line before.
    """
    server = harness.known["ours"]
    with harness.restored("ours", server), harness.started("ours", server) as running:
        run = Soak(running.port, requests, seconds)
        clients = [threading.Thread(target=run.client, args=(seed,), daemon=True) for seed in range(CLIENTS)]
        clients.append(threading.Thread(target=run.files, daemon=True))
        workers = _children(running.proc.pid)
        lines = ["| requests | " + " | ".join(f"worker {n + 1} MB" for n in range(len(workers))) + " | together |"]
        lines += ["| ---: |" + " ---: |" * (len(workers) + 1), _line(0, _memory(workers))]
        for client in clients:
            client.start()
        for tenth in range(1, 11):
            most = _memory(workers)
            while run.done < requests * tenth / 10 and not run.is_finished:
                time.sleep(0.2)
                most = max(most, _memory(workers), key=sum)
            lines.append(_line(run.done, most))
            say(lines[-1])
        for client in clients:
            client.join(600)
        if _children(running.proc.pid) != workers:
            raise SystemExit(f"A worker ended during the run: see {running.log.name}")
    statuses = ", ".join(f"{count:,} x {status}" for status, count in sorted(run.statuses.items()))
    if any(status == 0 or status >= 500 for status in run.statuses):
        raise SystemExit(f"Requests failed: {statuses}. See {running.log.name}")
    return "\n".join([*lines, "", f"Statuses: {statuses}."])


def _request(choose: random.Random, ids: list[str]) -> tuple[str, str, bytes | None]:
    """Choose the method, path below /api/tickets/ and body of the next request. A delete removes its ID from `ids`."""
    some_id = choose.choice(ids)
    kind = choose.random()
    if kind < 0.30:
        text = "invoice paid twice, please refund " * choose.randint(1, 40)
        return "POST", "", json.dumps({"title": text[:150], "description": text}).encode()
    if kind < 0.50:
        return "GET", choose.choice(LISTS), None
    if kind < 0.70:
        return "GET", some_id, None
    if kind < 0.85:
        return "PATCH", some_id, json.dumps({"status": choose.choice(["open", "resolved", "closed"])}).encode()
    if kind < 0.87:
        return "GET", "stats/", None
    if kind < 0.92:
        return "POST", "classify/", b'{"description": "URGENT: the export is broken since the update"}'
    if kind < 0.96:
        ids[:] = [known for known in ids if known != some_id] or [str(uuid4())]
        return "DELETE", some_id, None
    return choose.choice(BAD)


def _children(pid: int) -> list[int]:
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _memory(workers: list[int]) -> list[float]:
    """Return the proportional set size of each worker in MB."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in workers]
    return [int(re.findall(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)[0]) / 1024 for rollup in rollups]


def _line(requests: int, memory: list[float]) -> str:
    return f"| {requests:,} | " + " | ".join(f"{megabytes:.1f}" for megabytes in [*memory, sum(memory)]) + " |"
