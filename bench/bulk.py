"""Files in and out: tickets a second over HTTP, and what bounds them: the CPU time of the service and of Postgres."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from bench.harness import Harness, say
from ticketsvc.dev import demo

MARK = "(made up by bench/bulk.py)"
CHUNK = 131_072


def bulk(harness: Harness, tickets: int, rounds: int) -> str:
    """Import so many tickets into the table and take them out again, then export it all; each `rounds` times."""
    lines = [
        "| what | tickets | tickets/s | service CPU us/ticket | Postgres CPU us/ticket |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    with harness.started("ours", harness.known["ours"]) as running, tempfile.TemporaryDirectory() as folder:
        run = Run(harness, running.port, running.proc.pid)
        for file_format in ("ndjson", "csv"):
            file = Path(folder) / file_format
            _write(file, file_format, tickets)
            lines += [run.measure(f"import {file_format}", partial(run.take, file)) for _ in range(rounds)]
        for file_format in ("ndjson", "csv"):
            lines += [run.measure(f"export {file_format}", partial(run.give, file_format)) for _ in range(rounds)]
    return "\n".join(lines)


class Run:
    """Calls a running service, and looks at what that cost."""

    def __init__(self, harness: Harness, port: int, pid: int) -> None:
        self.harness, self.port, self.pid = harness, port, pid

    def measure(self, what: str, transfer: Callable[[], int]) -> str:
        """A row of the table about a transfer, which returns the number of its tickets."""
        started, service, postgres = time.monotonic(), self._cpu(self.pid), self._cpu(self.harness.postgres_pid)
        tickets = transfer()
        seconds = time.monotonic() - started
        time.sleep(1)  # until the backend has ended: its time is counted then
        used = [self._cpu(self.pid) - service, self._cpu(self.harness.postgres_pid) - postgres]
        costs = " | ".join(f"{cpu / tickets * 1_000_000:.1f}" for cpu in used)
        say(row := f"| {what} | {tickets:,} | {tickets / seconds:,.0f} | {costs} |")
        if what.startswith("import"):
            self._take_out()
        return row

    def take(self, file: Path) -> int:
        """Import a file."""
        media_type = {"ndjson": "application/x-ndjson", "csv": "text/csv"}[file.name]
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=900)) as connection, file.open("rb") as body:
            headers = {"Content-Type": media_type, "Content-Length": str(file.stat().st_size)}
            connection.request("POST", "/api/tickets/import/", body, headers)
            answer = json.load(connection.getresponse())
        return int(answer["imported"])

    def give(self, file_format: str) -> int:
        """Export everything, and count the lines that end a ticket."""
        end = b"}\n" if file_format == "ndjson" else b"\r\n"
        tickets, last = -(file_format == "csv"), b""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=900)) as connection:
            connection.request("GET", f"/api/tickets/export/?format={file_format}")
            response = connection.getresponse()
            while chunk := response.read1(CHUNK):
                tickets += (last + chunk).count(end)
                last = chunk[-1:]
        return tickets

    def _cpu(self, pid: int) -> float:
        return self.harness.cpu(pid)

    def _take_out(self) -> None:
        with self.harness.connect("ours", self.harness.known["ours"]) as connection:
            connection.execute("DELETE FROM tickets WHERE description LIKE %s", [f"%{MARK}"])
            connection.execute("VACUUM tickets")
            connection.execute("CHECKPOINT")


def _write(file: Path, file_format: str, count: int) -> None:
    """A file of made-up tickets."""
    names = ("title", "description", "category", "priority", "status", "created_at", "updated_at")
    with file.open("w", encoding="utf-8", newline="") as target:
        table = csv.DictWriter(target, names)
        if file_format == "csv":
            table.writeheader()
        for ticket in demo.tickets(count, 1, datetime.now(UTC)):
            members = {name: getattr(ticket, name) for name in names}
            members["description"] = f"{ticket.description}\n{MARK}"
            if file_format == "csv":
                table.writerow(members)
            else:
                target.write(json.dumps(members, ensure_ascii=False) + "\n")
