"""The feed of events: whether readers get each change once and in order under load, how late, and what listeners cost.

Readers and writers are on this machine, with the service. The delay is that from the response to a writer until the
event is with a reader, so an event that is faster than the response counts as 0.
"""

from __future__ import annotations

import json
import random
import re
import resource
import select
import socket
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from bench.harness import Harness, Server, get, say

WRITERS, READERS = 16, 4
LISTENERS = 2_000
TRANSACTION_SECONDS = 5
IMPORTED = 500
END = "the last ticket"
JSON = {"Content-Type": "application/json"}


def events(harness: Harness, server: Server, seconds: int) -> str:
    """Run both measurements. Returns Markdown."""
    with harness.restored("ours", server):
        with harness.started("ours", server) as running:
            found = _load(harness, server, running.port, seconds)
        one = {**server, "env": {**server["env"], "WEB_CONCURRENCY": "1", "EVENT_LISTENERS": str(LISTENERS * 2)}}
        with harness.started("ours", one) as running:
            children = Path(f"/proc/{running.proc.pid}/task/{running.proc.pid}/children").read_text()
            cost = _listeners(running.port, int(children.split()[0]))
    return f"{found}\n\n{cost}"


# --- readers under load


class Reader(threading.Thread):
    """Follows the feed, with long polling or a stream. One that is restarted continues after the last id it has."""

    def __init__(self, port: int, after: str, is_stream: bool, lifetime: float) -> None:
        super().__init__(daemon=True)
        self.port, self.after, self.is_stream, self.lifetime = port, after, is_stream, lifetime
        self.received: list[tuple[str, str, int]] = []
        self.times: dict[tuple[str, int], float] = {}
        self.restarts = -1
        self.has_ended = False

    def run(self) -> None:
        """Read until the creation of the ticket END has been received."""
        while not self.has_ended:
            self.restarts += 1
            connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
            ends = time.monotonic() + self.lifetime
            try:
                for event in self._stream(connection) if self.is_stream else self._poll(connection):
                    self.after = event["id"]
                    self.received.append((event["id"], event["ticket_id"], event["version"]))
                    self.times.setdefault((event["ticket_id"], event["version"]), time.monotonic())
                    self.has_ended = event["data"]["changes"].get("title", {}).get("to") == END
                    if self.has_ended or time.monotonic() > ends:
                        break
            except (OSError, HTTPException) as error:
                say(f"a reader connects again: {error!r}")
                time.sleep(0.1)
            finally:
                connection.close()

    def _poll(self, connection: HTTPConnection) -> Iterator[Any]:
        while True:
            yield from json.loads(get(connection, f"/api/events/?after={self.after}&limit=500&wait=1")[0])

    def _stream(self, connection: HTTPConnection) -> Iterator[Any]:
        connection.request("GET", "/api/events/", headers={"Accept": "text/event-stream", "Last-Event-ID": self.after})
        response = connection.getresponse()
        is_position = False
        while line := response.readline():
            if line.startswith(b"event: "):
                is_position = True
            elif line.startswith(b"data: ") and not is_position:
                yield json.loads(line[6:])
            elif line == b"\n":
                is_position = False


def _load(harness: Harness, server: Server, port: int, seconds: int) -> str:
    start = _latest(port)
    readers = [Reader(port, start, number % 2 == 0, 1.0 if number == 0 else 1e9) for number in range(READERS)]
    for reader in readers:
        reader.start()
    until = time.monotonic() + seconds
    written: dict[tuple[str, int], float] = {}
    writers = [threading.Thread(target=_write, args=(port, number, until, written)) for number in range(WRITERS)]
    others = [
        threading.Thread(target=_import, args=(port, until)),
        threading.Thread(target=_transaction, args=(harness, server, until)),
    ]
    for thread in [*writers, *others]:
        thread.start()
    for thread in [*writers, *others]:
        thread.join()
    _send(HTTPConnection("127.0.0.1", port, timeout=60), "POST", "/api/tickets/", {"title": END, "description": "d"})
    for reader in readers:
        reader.join(120)
    whole = _all(port, start)
    lines = [
        f"{seconds} s, {WRITERS} writers, an import of {IMPORTED} tickets every second, "
        f"transactions of {TRANSACTION_SECONDS} s: {len(whole):,} events, of which {len(written):,} by the writers.",
        "",
        "| reader | restarts | missed | repeated | out of order | delay p50, ms | p99, ms | longest, ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    return "\n".join([*lines, *[_reader_row(reader, whole, written) for reader in readers]])


def _reader_row(reader: Reader, whole: list[tuple[str, str, int]], written: dict[tuple[str, int], float]) -> str:
    counts = Counter(event for event, _, _ in reader.received)
    versions: dict[str, int] = defaultdict(int)
    disordered = 0
    for _, ticket, version in reader.received:
        disordered += version < versions[ticket]
        versions[ticket] = version
    missed = len({event for event, _, _ in whole} - counts.keys()) + len(written.keys() - reader.times.keys())
    repeated = sum(count - 1 for count in counts.values())
    delays = sorted(max(0.0, reader.times[key] - at) * 1000 for key, at in written.items() if key in reader.times)
    p50, p99 = statistics.median(delays), delays[int(len(delays) * 0.99)]
    kind = "stream" if reader.is_stream else "long polling"
    cells = [kind, reader.restarts, missed, repeated, disordered, *(f"{each:.0f}" for each in (p50, p99, delays[-1]))]
    return f"| {' | '.join(map(str, cells))} |"


def _write(port: int, number: int, until: float, written: dict[tuple[str, int], float]) -> None:
    chance, tickets = random.Random(number), list[str]()
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    while time.monotonic() < until:
        if len(tickets) < 5 or chance.random() < 0.3:
            ticket = _send(connection, "POST", "/api/tickets/", {"title": "t", "description": "d"})
            tickets.append(ticket["id"])
        else:
            changed = {"title": f"{chance.random()}"}
            ticket = _send(connection, "PATCH", f"/api/tickets/{chance.choice(tickets)}", changed)
        written[ticket["id"], ticket["version"]] = time.monotonic()


def _import(port: int, until: float) -> None:
    lines = b'{"title": "t", "description": "d"}\n' * IMPORTED
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    while time.monotonic() < until:
        connection.request("POST", "/api/tickets/import/", lines, {"Content-Type": "application/x-ndjson"})
        connection.getresponse().read()
        time.sleep(1)


def _transaction(harness: Harness, server: Server, until: float) -> None:
    """Hold transactions open that have written, one after the other."""
    with harness.connect("ours", server) as database:
        while time.monotonic() + TRANSACTION_SECONDS < until:
            with database.transaction():
                database.execute("INSERT INTO tickets (title, description) VALUES ('late', 'd')")
                time.sleep(TRANSACTION_SECONDS)


def _send(connection: HTTPConnection, method: str, path: str, body: object) -> Any:
    connection.request(method, path, json.dumps(body).encode(), JSON)
    response = connection.getresponse()
    return json.loads(response.read())


def _latest(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/api/events/?after=latest")
    response = connection.getresponse()
    response.read()
    return str(response.headers["X-Last-Event-Id"])


def _all(port: int, after: str) -> list[tuple[str, str, int]]:
    connection, found = HTTPConnection("127.0.0.1", port, timeout=60), list[tuple[str, str, int]]()
    while page := json.loads(get(connection, f"/api/events/?after={after}&limit=500")[0]):
        found += [(event["id"], event["ticket_id"], event["version"]) for event in page]
        after = page[-1]["id"]
    return found


# --- many listeners


def _listeners(port: int, worker: int) -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, LISTENERS + 100)), hard))
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(200):
        get(connection, "/api/tickets/?limit=10")
    memory, cpu = _memory(worker), _cpu(worker, 5)
    lines = [
        "| listeners | memory, MB | of each, kB | idle, % of a core | one event with all, ms | the first, ms |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
        f"| 0 | {memory / 1e6:.0f} | | {cpu:.1f} | | |",
    ]
    for number in (LISTENERS // 2, LISTENERS):
        with ExitStack() as opened:
            sockets = [opened.enter_context(_listen(port, each)) for each in range(number)]
            _receive(sockets, b"event: position")
            cpu, used = _cpu(worker, 20), _memory(worker)
            started = time.monotonic()
            _send(connection, "POST", "/api/tickets/", {"title": "t", "description": "d"})
            first, last = _receive(sockets, b"ticket.created")
            each = (used - memory) / number / 1000
            took = f"{(last - started) * 1000:.0f} | {(first - started) * 1000:.0f}"
            lines.append(f"| {number:,} | {used / 1e6:.0f} | {each:.0f} | {cpu:.1f} | {took} |")
        time.sleep(3)
    lines.append(f"| 0, after they have left | {_memory(worker) / 1e6:.0f} | | {_cpu(worker, 5):.1f} | | |")
    return "\n".join(lines)


def _listen(port: int, number: int) -> socket.socket:
    """Open a stream, as one of many clients behind a proxy."""
    listener = socket.create_connection(("127.0.0.1", port))
    fields = f"Accept: text/event-stream\r\nX-Forwarded-For: 10.0.{number % 200}.1"
    listener.sendall(f"GET /api/events/?after=latest HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n".encode())
    return listener


def _receive(sockets: list[socket.socket], wanted: bytes) -> tuple[float, float]:
    """Wait until all have received a text. Returns the times of the first and of the last."""
    poll, texts = select.epoll(), {each.fileno(): (each, b"") for each in sockets}
    for number in texts:
        poll.register(number, select.EPOLLIN)
    first = 0.0
    while texts:
        found = poll.poll(60)
        if not found:
            raise RuntimeError(f"{len(texts)} listeners have received nothing")
        for number, _ in found:
            listener, text = texts[number]
            received = listener.recv(65536)
            if not received:
                raise RuntimeError("a stream ended")
            texts[number] = (listener, text + received)
            if wanted in text + received:
                first = first or time.monotonic()
                poll.unregister(number)
                del texts[number]
    return first, time.monotonic()


def _memory(process: int) -> int:
    """Return the memory of a process in bytes, its share of what it shares with others included."""
    found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _cpu(process: int, seconds: float) -> float:
    """Return the share of a core that a process uses, in percent."""

    def ticks() -> int:
        return sum(map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]))

    before = ticks()
    time.sleep(seconds)
    return (ticks() - before) / seconds  # a tick is a hundredth of a second
