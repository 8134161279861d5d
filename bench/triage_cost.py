"""The cost of triage: classifications and creates over HTTP, without and with 100,000 training examples."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import psycopg

from bench.harness import ROOT, say
from ticketsvc.store import training
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.learning.classifier import LearningClassifier
from ticketsvc.triage.offline.classifier import OfflineClassifier

EXAMPLES = 100_000
ROUNDS = 5
HEADER = (
    "| operation | characters | examples | p50 ms | p99 ms | server CPU ms | Postgres CPU ms |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)
TICKS = os.sysconf("SC_CLK_TCK")

Labelled = tuple[str, str]
"""A text and its category."""

Work = list[Callable[[], object]]
"""Calls that are timed one after the other."""


class Side(NamedTuple):
    """A database, the number of its training examples, and the port and process ID of the service that uses it."""

    examples: int
    url: str
    database: Database
    port: int
    server: int


class Figures(NamedTuple):
    """The duration of each call and the CPU time of all calls, in seconds."""

    seconds: list[float]
    server: float
    postgres: float


def measure(
    untrained: tuple[str, Database], trained: tuple[str, Database], tickets: list[Labelled], requests: int
) -> str:
    """Send `requests` of each kind, alternating between a database without training examples and one with many."""
    rebuild_seconds = _train(*trained, tickets)
    size = training.size(trained[1])
    figures: dict[tuple[str, int, int], list[Figures]] = {}
    with _serving(untrained[0]) as one, _serving(trained[0]) as other:
        sides = [Side(0, *untrained, *one), Side(size.texts, *trained, *other)]
        for number in range(-1, ROUNDS):  # the first round is a warm-up
            for length in (500, 20_000):
                for side in sides[:: 1 if number % 2 else -1]:
                    for name, found in _round(side, length, _texts(tickets, length, requests // ROUNDS, number)):
                        if number >= 0:
                            figures.setdefault((name, length, side.examples), []).append(found)
            say(f"cost: {number + 1}/{ROUNDS}")
    return "\n".join(
        [
            HEADER,
            *(_row(*key, group) for key, group in sorted(figures.items())),
            "",
            f"The counts of {size.texts:,} training texts with {size.words:,} words take {size.bytes / 2**20:.0f} MB; "
            f"retraining (`flask triage rebuild`) took {rebuild_seconds:.0f} s.",
        ]
    )


def _train(url: str, database: Database, tickets: list[Labelled]) -> float:
    """Insert closed tickets and return the seconds that retraining takes."""
    say(f"training with {EXAMPLES:,} tickets")
    choose = random.Random(1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE tickets DISABLE TRIGGER triage_learn_new")
        with connection.cursor().copy(
            "COPY tickets (created_at, title, description, status, category, priority, suggested_category,"
            " suggested_priority, category_confidence, priority_confidence, suggested_by) FROM STDIN"
        ) as copy:
            for _ in range(EXAMPLES):
                (text, category), (more, _) = choose.sample(tickets, 2)
                priority = choose.choice(["low", "medium", "high"])
                labels = (category, priority)
                copy.write_row(("now", "-", f"{text} {more}", "closed", *labels, *labels, 0.5, 0.5, "offline"))
        connection.execute("ALTER TABLE tickets ENABLE TRIGGER triage_learn_new")
        connection.execute("VACUUM ANALYZE tickets")
        started = time.monotonic()
        training.rebuild(database)
        connection.execute("VACUUM ANALYZE triage_text_counts, triage_weights")
    return time.monotonic() - started


def _round(side: Side, length: int, texts: list[str]) -> Iterator[tuple[str, Figures]]:
    """Measure each operation with texts of one length."""
    if side.examples == 0:
        with psycopg.connect(side.url, autocommit=True) as connection:
            connection.execute("TRUNCATE tickets")
    postgres = _postmaster(side.url)
    prior = OfflineClassifier()
    learning = LearningClassifier(prior, partial(training.token_counts, side.database))
    in_process = {"lexicon, in process": prior.classify, "lexicon and examples, in process": learning.classify}
    for name, classify in in_process.items():
        yield name, _measure([partial(classify, text) for text in texts], os.getpid(), postgres)
    with closing(HTTPConnection("127.0.0.1", side.port, timeout=60)) as http:
        for name, work in _kinds(partial(_call, http), texts).items():
            yield name, _measure(work, side.server, postgres)


def _kinds(call: Callable[..., str], texts: list[str]) -> dict[str, Work]:
    ticket = {"title": "A request", "category": "general", "priority": "medium"}
    given = [ticket | {"description": text} for text in texts]
    triaged = [{"title": "A request", "description": text} for text in texts]
    ids: list[str] = []

    def create(body: dict[str, str]) -> None:
        ids.append(call("POST", "", body))

    def close(place: int) -> None:
        call("PATCH", ids[place], {"status": "closed"})

    return {
        "classify": [partial(call, "POST", "classify/", {"description": text}) for text in texts],
        "create, labels given": [partial(call, "POST", "", body) for body in given],
        "create, triaged": [partial(create, body) for body in triaged],
        "close, which trains": [partial(close, place) for place in range(len(texts))],
    }


def _measure(work: Work, server: int, postgres: int) -> Figures:
    seconds = []
    before = _cpu(server), _cpu(postgres)
    for step in work:
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return Figures(seconds, _cpu(server) - before[0], _cpu(postgres) - before[1])


def _row(name: str, length: int, trained: int, group: list[Figures]) -> str:
    seconds = [second for figures in group for second in figures.seconds]
    p50, p99 = 1000 * median(seconds), 1000 * quantiles(seconds, n=100)[98]
    server = 1000 * sum(figures.server for figures in group) / len(seconds)
    postgres = 1000 * sum(figures.postgres for figures in group) / len(seconds)
    return f"| {name} | {length:,} | {trained:,} | {p50:.2f} | {p99:.2f} | {server:.2f} | {postgres:.2f} |"


def _call(http: HTTPConnection, method: str, path: str, body: dict[str, str]) -> str:
    """Send a request and return the ID of the ticket in the response, if any."""
    http.request(method, f"/api/tickets/{path}", json.dumps(body), {"Content-Type": "application/json"})
    response = http.getresponse()
    content = response.read()
    if response.status >= 300:
        raise SystemExit(f"{method} {path} failed with {response.status}: {content!r}")
    return str(json.loads(content).get("id"))


def _texts(tickets: list[Labelled], length: int, number: int, seed: int) -> list[str]:
    """Return texts of one length, each composed of random tickets."""
    choose = random.Random(seed)
    texts: list[str] = []
    while len(texts) < number:
        text = ""
        while len(text) < length:
            text += choose.choice(tickets)[0] + ". "
        texts.append(text[:length])
    return texts


@contextmanager
def _serving(url: str) -> Iterator[tuple[int, int]]:
    """Run the service with one worker and yield its port and process ID."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    settings = {"DATABASE_URL": url, "PORT": str(port), "WEB_CONCURRENCY": "1", "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "gunicorn", "app:app"]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=sys.stderr)
    try:
        for _ in range(300):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(40)


def _postmaster(url: str) -> int:
    [directory] = parse_qs(urlsplit(url).query)["host"]
    return int(Path(directory, "data", "postmaster.pid").read_text().split()[0])


def _cpu(pid: int) -> float:
    """Return the CPU seconds used by a process and all its children, ended and running."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended: its parent accounts for it
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS + sum(_cpu(int(child)) for child in children)
