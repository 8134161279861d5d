"""Writers with idempotency keys while the servers are disturbed, and what became of what they were told."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from uuid import uuid4

import psycopg

from ticketsvc_dev.high_availability.programs import Failure, say

WRITERS = 8
PAUSE = 0.01
"""The seconds between two requests of a writer: enough for the service to be idle most of the time."""
STEADY_SECONDS = 4.0
"""The time with undisturbed writes before and after each disturbance."""
END_SECONDS = 90.0
"""The time in which each writer must get the response to its last create."""


@dataclass
class Record:
    """What the writers were told: the ids of tickets by title, when creates succeeded, and the other responses."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Result:
    """The row of a case."""

    case: str
    seconds: float
    acknowledged: int
    others: str
    lost: int
    duplicated: int

    @property
    def holds(self) -> bool:
        """Return whether each ticket that a writer was told about is stored, once."""
        return self.lost == self.duplicated == 0 < self.acknowledged

    @property
    def cells(self) -> list[str]:
        """Return the cells of the row."""
        figures = (f"{self.seconds:.1f} s", f"{self.acknowledged:,}", self.others, str(self.lost), str(self.duplicated))
        return [self.case, *figures]


HEADER = ["case", "longest time without a write", "acknowledged", "other responses", "lost", "duplicated"]


def run(case: str, port: int, database_url: str, disturb: Callable[[], None]) -> Result:
    """Write while `disturb` runs, and compare what the writers were told with the database. Raises Failure."""
    say(case)
    record, stopping = Record(), threading.Event()
    prefix = uuid4().hex
    threads = [
        threading.Thread(target=_write, args=(port, f"{prefix} {number}", record, stopping), daemon=True)
        for number in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    time.sleep(STEADY_SECONDS)
    if not record.times:
        raise Failure("No create succeeded before the disturbance.")
    try:
        disturb()
        time.sleep(STEADY_SECONDS)
    finally:
        stopping.set()
    deadline = time.monotonic() + END_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        raise Failure(f"{case}: a writer got no response to its create within {END_SECONDS:.0f} s.")
    times = sorted(record.times)
    gap = max(after - before for before, after in itertools.pairwise(times))
    others = ", ".join(f"{count} x {what}" for what, count in record.others.most_common()) or "none"
    lost, duplicated = _compare(record, prefix, database_url)
    return Result(case, gap, len(record.acknowledged), others, lost, duplicated)


def _write(port: int, name: str, record: Record, stopping: threading.Event) -> None:
    """Create one ticket after the other, each with a key, which is sent again until the response is 201."""
    number = 0
    while not stopping.is_set():
        number += 1
        title, key = f"{name} {number}", uuid4().hex
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline and not _create(port, title, key, record):
            time.sleep(0.2)
        time.sleep(PAUSE)


def _create(port: int, title: str, key: str, record: Record) -> bool:
    body = json.dumps({"title": title, "description": "d", "category": "general", "priority": "low"})
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        try:
            connection.request("POST", "/api/tickets/", body, headers)
            response = connection.getresponse()
            content = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            record.others[type(error).__name__] += 1
            return False
    if response.status == 201:
        record.times.append(time.monotonic())
        record.acknowledged[title] = content["id"]
        return True
    record.others[f"{response.status} {content.get('title', '')}"] += 1
    return False


def _compare(record: Record, prefix: str, database_url: str) -> tuple[int, int]:
    """Return how many acknowledged tickets are not stored, and how many are stored more than once."""
    with closing(_connect(database_url)) as connection:
        rows = connection.execute(
            "SELECT title, array_agg(id::text) FROM tickets WHERE starts_with(title, %s) GROUP BY title", [prefix]
        ).fetchall()
    stored = dict(rows)
    lost = sum(ticket not in stored.get(title, ()) for title, ticket in record.acknowledged.items())
    return lost, sum(len(ids) > 1 for ids in stored.values())


def _connect(database_url: str) -> psycopg.Connection[tuple[str, list[str]]]:
    for _ in range(20):
        with suppress(psycopg.OperationalError):
            return psycopg.connect(database_url, autocommit=True, connect_timeout=5)
        time.sleep(1)
    raise Failure("The database could not be reached in the end.")
