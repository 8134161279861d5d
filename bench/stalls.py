"""The longest stall of a writer from the pending list of the search index, depending on who inserts what is pending.

Writers use a database of their own, directly, and do not wait for the disk. Besides the time of each INSERT, the CPU
time of its session is read, which does not depend on other programs of the machine: a writer that empties the list does
so in its own session. Nobody waits for it, because the others leave the list alone while one empties it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import psycopg

from bench.harness import ROOT, say
from bench.servers import empty_server

WRITERS = 4
WORDS = 100
"""The words of a description: about 650 characters, of a vocabulary of 20,000 words."""
OPTIONS = "-c shared_buffers=512MB -c max_wal_size=4GB -c autovacuum=off"
INSERT = "INSERT INTO tickets (title, description) VALUES (%s, %s)"
Times = list[tuple[float, float]]
"""Seconds and CPU seconds of each INSERT."""


def stalls(tickets: int, rounds: int) -> str:
    """Insert `tickets` tickets in each way, alternately. Returns Markdown."""
    variants = {
        "PostgreSQL's limit of 4 MB, nobody else": (4096, False),
        "the service's limit of 64 MB, nobody else": (65_536, False),
        "the service's limit of 64 MB, `flask work`": (65_536, True),
    }
    found: dict[str, Times] = {name: [] for name in variants}
    with empty_server(OPTIONS) as cluster:
        url = cluster.url()
        for _ in range(rounds):
            for name, (limit, has_work) in variants.items():
                with _work(url) if has_work else nullcontext():
                    found[name] += _write(url, tickets, limit)
                with closing(psycopg.connect(url, autocommit=True)) as connection:
                    connection.execute("SELECT index_pending_texts()")
                    connection.execute("TRUNCATE tickets")
                    connection.execute("CHECKPOINT")
                say(_row(name, found[name]))
    names = ["limit, and who empties the list", "tickets", "p50, ms", "p99, ms", "longest, ms"]
    header = f"| {' | '.join(names)} | most CPU, ms | more than 50 ms of CPU |"
    return "\n".join([header, "| --- |" + " ---: |" * 6, *[_row(*each) for each in found.items()]])


def _row(name: str, times: Times) -> str:
    durations = sorted(seconds * 1000 for seconds, _ in times)
    cpu = [seconds * 1000 for _, seconds in times]
    p50, p99 = (durations[int(len(durations) * share)] for share in (0.5, 0.99))
    cells = [f"{len(times):,}", f"{p50:.1f}", f"{p99:.1f}", f"{durations[-1]:.0f}", f"{max(cpu):.0f}"]
    return f"| {name} | {' | '.join(cells)} | {sum(each > 50 for each in cpu)} |"


def _write(url: str, tickets: int, limit: int) -> Times:
    found: Times = []
    threads = [
        threading.Thread(target=_writer, args=(url, tickets // WRITERS, limit, n, found)) for n in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _writer(url: str, tickets: int, limit: int, number: int, found: Times) -> None:
    chance = random.Random(number)
    words = vocabulary(number)
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(f"SET gin_pending_list_limit = {limit}; SET synchronous_commit = off".encode())
        schedule = Path(f"/proc/{connection.info.backend_pid}/schedstat")
        for _ in range(tickets):
            text = " ".join(chance.choices(words, k=WORDS))
            cpu, started = _cpu(schedule), time.perf_counter()
            connection.execute(INSERT, [text[:80], text])
            found.append((time.perf_counter() - started, _cpu(schedule) - cpu))


def vocabulary(seed: int) -> list[str]:
    """Return 20,000 words of three to nine letters."""
    chance = random.Random(seed)
    return ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9))) for _ in range(20_000)]


def _cpu(schedule: Path) -> float:
    """Return the CPU seconds of a process."""
    return int(schedule.read_text().split()[0]) / 1e9


@contextmanager
def _work(url: str) -> Iterator[None]:
    """Run `flask work` until the block ends, and wait until it has the work."""
    command = [sys.executable, "-m", "flask", "--app", "app", "work"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.DEVNULL)
    try:
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            while connection.execute("SELECT background_work_is_taken()").fetchone() != (True,):
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(60)
