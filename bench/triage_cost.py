"""What triage costs: classifications and creates over HTTP, before and after learning 100,000 tickets."""

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
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import parse_qs, urlsplit

import psycopg

from bench.harness import ROOT, say
from ticketsvc.store import lessons
from ticketsvc.store.database import Database
from ticketsvc.triage.classifier import Classifier
from ticketsvc.triage.learning import LearningClassifier
from ticketsvc.triage.offline import OfflineClassifier

LEARNED = 100_000
HEADER = (
    "| lessons | what | characters | p50 ms | p99 ms | server CPU ms | Postgres CPU ms |\n"
    "| ---: | --- | ---: | ---: | ---: | ---: | ---: |"
)
TICKS = os.sysconf("SC_CLK_TCK")

Labelled = tuple[str, str]
"""A text and its category."""


def measure(url: str, database: Database, tickets: list[Labelled], requests: int) -> str:
    """One client, one request after the other, `requests` of each kind."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE tickets")
    lines = [HEADER, *_measure(url, database, tickets, requests)]
    seconds = _learn(url, database, tickets)
    lines += _measure(url, database, tickets, requests)
    size = lessons.size(database)
    return "\n".join(
        [
            *lines,
            "",
            f"What was learned of {size.texts:,} texts takes {size.bytes / 2**20:.0f} MB, {size.words:,} words; "
            f"learning it all again (`flask triage rebuild`) took {seconds:.0f} s.",
        ]
    )


def _learn(url: str, database: Database, tickets: list[Labelled]) -> float:
    """Put closed tickets into the table, and return the seconds it takes to learn them."""
    say(f"learning {LEARNED:,} tickets")
    choose = random.Random(1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE tickets DISABLE TRIGGER triage_learn_new")
        with connection.cursor().copy(
            "COPY tickets (created_at, title, description, status, category, priority, suggested_category,"
            " suggested_priority, category_confidence, priority_confidence, suggested_by) FROM STDIN"
        ) as copy:
            for _ in range(LEARNED):
                (text, category), (more, _) = choose.sample(tickets, 2)
                priority = choose.choice(["low", "medium", "high"])
                labels = (category, priority)
                copy.write_row(("now", "-", f"{text} {more}", "closed", *labels, *labels, 0.5, 0.5, "offline"))
        connection.execute("ALTER TABLE tickets ENABLE TRIGGER triage_learn_new")
        connection.execute("VACUUM ANALYZE tickets")
        started = time.monotonic()
        lessons.rebuild(database)
        connection.execute("VACUUM ANALYZE triage_texts, triage_weights")
    return time.monotonic() - started


def _measure(url: str, database: Database, tickets: list[Labelled], requests: int) -> Iterator[str]:
    texts = {length: _texts(tickets, length, requests) for length in (500, 20_000)}
    number = f"{lessons.size(database).texts:,}"
    postgres = _postmaster(url)
    prior = OfflineClassifier()
    classifiers: dict[str, Classifier] = {
        "the lexicon, in process": prior,
        "lexicon and lessons, in process": LearningClassifier(prior, partial(lessons.recall, database)),
    }
    for name, classifier in classifiers.items():
        for length, some in texts.items():
            yield _row(
                number, name, length, [partial(classifier.classify, text) for text in some], os.getpid(), postgres
            )
    with _serving(url) as (port, server), closing(HTTPConnection("127.0.0.1", port, timeout=60)) as http:
        call = partial(_call, http)
        ids: list[str] = []
        for length, some in texts.items():
            for name, work in _kinds(call, some, ids).items():
                yield _row(number, name, length, work, server, postgres)


def _kinds(call: Callable[..., str], texts: list[str], ids: list[str]) -> dict[str, list[Callable[[], object]]]:
    ticket = {"title": "A request", "category": "general", "priority": "medium"}
    given = [ticket | {"description": text} for text in texts]
    triaged = [{"title": "A request", "description": text} for text in texts]
    ids.clear()

    def create(body: dict[str, str]) -> None:
        ids.append(call("POST", "", body))

    def close(place: int) -> None:
        call("PATCH", ids[place], {"status": "closed"})

    return {
        "classify": [partial(call, "POST", "classify/", {"description": text}) for text in texts],
        "create, labels given": [partial(call, "POST", "", body) for body in given],
        "create, triaged": [partial(create, body) for body in triaged],
        "close, which teaches": [partial(close, place) for place in range(len(texts))],
    }


def _row(number: str, name: str, length: int, work: list[Callable[[], object]], server: int, postgres: int) -> str:
    for step in work[:20] if "create" not in name and "close" not in name else ():
        step()
    seconds = []
    before = _cpu(server), _cpu(postgres)
    for step in work:
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    cpu = [
        1000 * (after - earlier) / len(work)
        for after, earlier in zip((_cpu(server), _cpu(postgres)), before, strict=True)
    ]
    p50, p99 = 1000 * median(seconds), 1000 * quantiles(seconds, n=100)[98]
    row = f"| {number} | {name} | {length:,} | {p50:.2f} | {p99:.2f} | {cpu[0]:.2f} | {cpu[1]:.2f} |"
    say(row)
    return row


def _call(http: HTTPConnection, method: str, path: str, body: dict[str, str]) -> str:
    """Send a request; return the id of the ticket in the answer, if there is one."""
    http.request(method, f"/api/tickets/{path}", json.dumps(body), {"Content-Type": "application/json"})
    response = http.getresponse()
    answer = response.read()
    if response.status >= 300:
        raise SystemExit(f"{method} {path} was answered {response.status}: {answer!r}")
    return str(json.loads(answer).get("id"))


def _texts(tickets: list[Labelled], length: int, number: int) -> list[str]:
    """Texts of a length, each of other tickets."""
    choose = random.Random(length)
    texts: list[str] = []
    for serial in count():
        if len(texts) == number:
            return texts
        text = f"{serial} "
        while len(text) < length:
            text += choose.choice(tickets)[0] + ". "
        texts.append(text[:length])
    raise AssertionError


@contextmanager
def _serving(url: str) -> Iterator[tuple[int, int]]:
    """The service with one worker: its port and process number."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    settings = {"DATABASE_URL": url, "PORT": str(port), "WEB_CONCURRENCY": "1", "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "gunicorn", "app:app"]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=sys.stderr)
    try:
        for _ in range(300):
            with closing(socket.socket()) as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
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
    """CPU seconds used so far by a process, its children that ended, and those that run."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / TICKS
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_cpu(int(child)) for child in children)
