"""One client attacks a worker, another one uses it: what the second notices, and the memory that the worker takes.

The attacks are ordinary requests in unusual numbers or sizes, from 127.0.0.1; the other client is 127.0.0.2. The
service has one worker, which is killed if it takes more than 512 MB.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.harness import Harness, Server, say

MEMORY_LIMIT = 512 * 2**20
OTHER = "127.0.0.2"
LARGE_TEXT = "the quick brown fox jumps over the lazy dog " * 24_000
"""About a megabyte: more than the service accepts, as an earlier release stored it."""

Send = Callable[..., int]
"""Sends a request (method, path, body, headers) and returns the status, 0 for a broken connection."""


def attacks(harness: Harness, server: Server, seconds: int) -> str:
    """Run each attack for `seconds`. Returns a Markdown table."""
    lines = [
        "| attack | attacker's responses | other: /livez, ms | read, ms | create, ms | other's errors | worker, MB |",
        "| --- | --- | ---: | ---: | ---: | --- | ---: |",
    ]
    with harness.restored("ours", server), harness.connect("ours", server) as database:
        store_large_tickets(database, 150)
        for name in ATTACKS:
            with harness.started("ours", {**server, "env": {**server["env"], "WEB_CONCURRENCY": "1"}}) as running:
                children = Path(f"/proc/{running.proc.pid}/task/{running.proc.pid}/children").read_text()
                lines.append(_row(name, attack(name, running.port, int(children.split()[0]), seconds)))
            say(lines[-1])
    return "\n".join(lines)


def store_large_tickets(database: Any, number: int) -> None:
    """Store tickets of a megabyte each."""
    database.execute(
        "INSERT INTO tickets (title, description, category, priority) SELECT 'Large', %s, 'general', 'low' "
        "FROM generate_series(1, %s)",
        (LARGE_TEXT, number),
    )


@dataclass(frozen=True)
class Outcome:
    """The effects of an attack. `statuses` counts the attacker's responses; 0 is a broken connection.

    `waits` are the longest of the other client, in seconds, by request; `memory` is the worker's largest, in bytes.
    """

    statuses: Counter[int]
    waits: dict[str, float]
    errors: Counter[str]
    memory: int


def attack(name: str, port: int, worker: int, seconds: float) -> Outcome:
    """Attack the worker that listens on a port for some seconds, while another client uses it."""
    context = multiprocessing.get_context("spawn")  # its own interpreter: the other client must not wait for it
    stop, started = context.Event(), context.Event()
    counts: multiprocessing.Queue[Counter[int]] = context.Queue()
    attacker = context.Process(target=_attack, args=(name, port, started, stop, counts), daemon=True)
    other = _Other(port)
    memory = _Memory(worker)
    other.start()
    memory.start()
    attacker.start()
    try:
        started.wait(60)
        time.sleep(seconds)
    finally:
        other.stop()
        memory.stop()
        stop.set()
    found = counts.get(timeout=120)
    attacker.join(30)
    if attacker.is_alive():
        attacker.kill()
    waits = {kind: max(times, default=0.0) for kind, times in other.times.items()}
    return Outcome(found, waits, other.errors, memory.peak)


def _row(name: str, outcome: Outcome) -> str:
    statuses = ", ".join(f"{n} x {status or 'cut off'}" for status, n in sorted(outcome.statuses.items())) or "none"
    waits = " | ".join(f"{outcome.waits[kind] * 1000:.0f}" for kind in ("livez", "read", "create"))
    errors = ", ".join(f"{count} x {error}" for error, count in outcome.errors.items()) or "none"
    return f"| {name} | {statuses} | {waits} | {errors} | {outcome.memory / 2**20:.0f} |"


class _Other(threading.Thread):
    """The client that must notice nothing: new connections for /livez, reads and creates, one after the other."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.times: dict[str, list[float]] = {"livez": [], "read": [], "create": []}
        self.errors: Counter[str] = Counter()
        self._port = port
        self._stopped = threading.Event()
        self._path = "/api/tickets/"

    def run(self) -> None:
        body = json.dumps({"title": "Charged twice", "description": "I was charged twice for the May invoice."})
        self._path = self._send("create", "POST", "/api/tickets/", body) or self._path
        while not self._stopped.wait(0.05):
            self._send("livez", "GET", "/livez")
            self._send("read", "GET", self._path)
            self._send("create", "POST", "/api/tickets/", body)

    def stop(self) -> None:
        self._stopped.set()
        self.join(60)

    def _send(self, kind: str, method: str, path: str, body: str | None = None) -> str | None:
        """Send a request on a new connection. Returns the Location of a new ticket."""
        started = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30, source_address=(OTHER, 0))
        location = None
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            response.read()
            location = response.headers.get("Location")
            if response.status >= 400:
                self.errors[f"{response.status} on {kind}"] += 1
        except (OSError, HTTPException) as error:
            self.errors[f"{type(error).__name__} on {kind}"] += 1
        finally:
            connection.close()
        self.times[kind].append(time.perf_counter() - started)
        return location


class _Memory(threading.Thread):
    """Watch the resident memory of a worker, and kill it at the limit as a container would."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid
        self._stopped = threading.Event()

    def run(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._stopped.wait(0.02):
            with suppress(OSError):
                self.peak = max(self.peak, int(Path(f"/proc/{self._pid}/statm").read_text().split()[1]) * page)
                if self.peak > MEMORY_LIMIT:
                    os.kill(self._pid, signal.SIGKILL)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _attack(name: str, port: int, started: Event, stop: Event, counts: Any) -> None:
    """Run an attack in threads until `stop` is set, and put the counts of the statuses."""
    threads, make_step = ATTACKS[name]
    found: Counter[int] = Counter()
    started.set()

    def run(number: int) -> None:
        step = make_step(port, number)
        while not stop.is_set():
            with suppress(OSError):
                found[step()] += 1

    running = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=100)
    counts.put(found)


def _request(port: int, method: str, path: str, body: bytes | None = None, headers: Any = None, wait: int = 60) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=wait)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        while response.read(65_536):
            pass
        return response.status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def _raw(port: int, data: bytes, wait: int = 60) -> int:
    """Send bytes and return the status of the response, 0 without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as sock:
        with suppress(OSError):
            sock.sendall(data)
        with suppress(OSError, ValueError, IndexError):
            return int(sock.recv(65_536).split(b" ", 2)[1])
    return 0


def _long_search(port: int, number: int) -> Callable[[], int]:
    words = cycle(["the quick brown fox " * 12 + "cat", "q" * 200, "the quick brown fox " * 400 + "cat"])
    return lambda: _request(port, "GET", f"/api/tickets/?limit=1&search={quote(next(words))}"[:8_100])


def _exports(port: int, number: int) -> Callable[[], int]:
    """Start an export that finds nothing, and leave after a second."""
    return lambda: _request(port, "GET", f"/api/tickets/export/?search={'zq' * 20}{number}", wait=1)


def _large_pages(port: int, number: int) -> Callable[[], int]:
    limits = cycle([50, 100, 150, 99, 98, 500])
    return lambda: _request(port, "GET", f"/api/tickets/?limit={next(limits)}")


def _small_chunks(port: int, number: int) -> Callable[[], int]:
    fields = b"Host: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = b"POST /api/tickets/ HTTP/1.1\r\n" + fields + b"1\r\n \r\n" * 1_000_000 + b"0\r\n\r\n"
    return lambda: _raw(port, data)


def _heavy_reads(port: int, number: int) -> Callable[[], int]:
    absent = quote(" ".join(f"-{letter}{letter}q" for letter in "abcdefghijklmnopqrst"))
    paths = cycle(
        [
            f"/api/tickets/?search={absent}&sort=-priority&limit=1",
            "/api/tickets/stats/resolution/?search=e",
            "/api/tickets/?count=true&search=the&limit=1",
            "/api/tickets/stats/?search=e",
            "/api/tickets/?sort=-updated_at&search=zq",
        ]
    )
    for _ in range(number % 5):
        next(paths)
    return lambda: _request(port, "GET", next(paths))


def _random_text(port: int, number: int) -> Callable[[], int]:
    rng = random.Random(number)

    def step() -> int:
        text = "".join(map(chr, rng.choices(range(0x4E00, 0x9FA0), k=rng.choice([65_000, 330_000]))))
        body = json.dumps({"title": "Text", "description": text}, ensure_ascii=False).encode()
        return _request(port, "POST", "/api/tickets/", body, {"Content-Type": "application/json"})

    return step


def _large_heads(port: int, number: int) -> Callable[[], int]:
    accept = "text/a;q=0.1," * 620
    fields = "".join(f"Accept: {accept}\r\n" for _ in range(95))
    data = f"GET /api/tickets/?limit=1 HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode()
    return lambda: _raw(port, data)


def _kept_connections(port: int, number: int) -> Callable[[], int]:
    kept: list[socket.socket] = []

    def step() -> int:
        """Open a connection, use it once and keep it; at 1,100 start again with the oldest."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        kept.append(sock)
        if len(kept) > 1_100:
            kept.pop(0).close()
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            return int(sock.recv(4096).split(b" ", 2)[1])
        except (OSError, IndexError):
            return 0

    return step


def _invalid_lines(port: int, number: int) -> Callable[[], int]:
    files = cycle([(b"{}\n" * 700_000, "application/x-ndjson"), (b'title,description\n"' + b"x," * 10**6, "text/csv")])

    def step() -> int:
        body, media_type = next(files)
        return _request(port, "POST", "/api/tickets/import/", body, {"Content-Type": media_type})

    return step


ATTACKS: dict[str, tuple[int, Any]] = {
    "long search words on large tickets": (8, _long_search),
    "exports that nobody reads": (4, _exports),
    "pages of large tickets": (4, _large_pages),
    "bodies in one-byte chunks": (3, _small_chunks),
    "costly searches and statistics": (16, _heavy_reads),
    "random text": (8, _random_text),
    "large heads": (4, _large_heads),
    "1,100 kept connections": (1, _kept_connections),
    "imports of invalid lines": (4, _invalid_lines),
}
