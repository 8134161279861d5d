"""Similar tickets: how many retellings are found among many other tickets, and what a request takes."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles

import psycopg

from bench.harness import ROOT, say
from bench.servers import empty_server, service
from ticketsvc.config import Config
from ticketsvc.store import similar as store
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage import encoder

PAIRS, MEANINGS = ROOT / "bench" / "paraphrases.txt", ROOT / "bench" / "meanings.txt"
TEXTS = ROOT / "ticketsvc_dev" / "triage_training"
ROUNDS = 10
"""The number of times that each retelling is sent."""


def similar(rows: int) -> str:
    """Store `rows` tickets made of sentences of others, and one of each pair; look for it with the other one.

    With TRIAGE_ENCODER=on in the environment, also by their signs, which takes five minutes for each 100,000 tickets.
    """
    near, far = read_pairs(PAIRS), read_pairs(MEANINGS)
    with (
        empty_server() as cluster,
        closing(psycopg.connect(cluster.url(), autocommit=True)) as database,
    ):
        seconds = _fill(database, rows, [first for first, _ in near + far])
        config = Config.from_env({**os.environ, "DATABASE_URL": cluster.url()})
        if config.triage_encoder:
            _store_signs(database, config)
        with service(cluster.url()):
            distant, *_ = _measure(database, far)
            found, times, cpu = _measure(database, near)
    latency = f"{median(times):.1f} | {quantiles(times, n=100)[98]:.1f}"
    recall = f"{found[0]:.2f} | {found[1]:.2f} | {distant[1]:.2f}"
    lines = [
        "| tickets | recall@1 | @5 | @5 by meaning | p50 ms | p99 ms | Postgres CPU ms | storing stems, us a ticket |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        f"| {rows:,} | {recall} | {latency} | {cpu:.1f} | {seconds * 1e6:.0f} |",
    ]
    return "\n".join(lines)


def read_pairs(path: Path) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Return pairs of texts about the same thing."""
    lines = [line.split(" | ") for line in path.read_text().splitlines() if " | " in line and line[0] != "#"]
    texts = [{"title": title, "description": description} for title, description in lines]
    return list(zip(texts[::2], texts[1::2], strict=True))


def _fill(database: psycopg.Connection[tuple[object, ...]], rows: int, originals: list[dict[str, str]]) -> float:
    """Store the tickets and their stems. Return the seconds that the stems of one take."""
    dice = random.Random(1)
    tickets = [*_tickets(rows, dice), *originals]
    dice.shuffle(tickets)
    with database.cursor() as cursor, cursor.copy("COPY tickets (title, description) FROM STDIN") as copy:
        for ticket in tickets:
            copy.write_row((ticket["title"], ticket["description"]))
    while _one(database, "SELECT publish_events(10000)"):
        pass
    say(f"{rows:,} tickets stored")
    started = time.monotonic()
    while _one(database, "SELECT ticket_stems_follow(500)"):
        pass
    seconds = (time.monotonic() - started) / len(tickets)
    database.execute("VACUUM ANALYZE")
    return seconds


def _store_signs(database: psycopg.Connection[tuple[object, ...]], config: Config) -> None:
    signs_of = encoder.load().signs
    with closing(Database(config)) as service_database:
        while True:
            store.store_signs(service_database, signs_of, pause=0)
            if not _one(database, "SELECT EXISTS (SELECT FROM ticket_signs WHERE signs IS NULL)"):
                break
    database.execute("VACUUM ANALYZE ticket_signs")


def _tickets(rows: int, dice: random.Random) -> Iterator[dict[str, str]]:
    """Yield tickets of up to four sentences of others in the same language, two fifths with a number of their own."""
    sources = []
    for path in sorted(TEXTS.glob("??.jsonl")):
        given = [json.loads(line) for line in path.read_text().splitlines()]
        sentences = [each for ticket in given for each in re.split(r"(?<=[.!?])\s+", ticket["description"])]
        sources.append(([ticket["title"] for ticket in given], sentences))
    weights = [len(titles) for titles, _ in sources]
    for _ in range(rows):
        [(titles, sentences)] = dice.choices(sources, weights)
        text = " ".join(dice.choices(sentences, k=dice.randint(1, 4)))
        number = f" Ref {dice.randint(10_000, 999_999)}" if dice.random() < 0.4 else ""
        yield {"title": dice.choice(titles), "description": text + number}


def _measure(
    database: psycopg.Connection[tuple[object, ...]], pairs: list[tuple[dict[str, str], dict[str, str]]]
) -> tuple[tuple[float, float], list[float], float]:
    """Return recall@1 and recall@5, the milliseconds of each request, and those of CPU of one in the server."""
    connection = HTTPConnection("127.0.0.1", 3555, timeout=60)
    ranks, times = [], []
    cpu = 0.0
    with closing(connection):
        for turn in range(ROUNDS):
            before = _backend_cpu(database)
            for first, second in pairs:
                started = time.perf_counter()
                connection.request(
                    "POST", "/api/tickets/similar/", json.dumps(second), {"Content-Type": "application/json"}
                )
                response = connection.getresponse()
                titles = [ticket["title"] for ticket in json.loads(response.read())]
                if turn > 0:
                    times.append((time.perf_counter() - started) * 1000)
                else:
                    ranks.append(titles.index(first["title"]) if first["title"] in titles else 10)
            cpu += (_backend_cpu(database) - before) if turn > 0 else 0
    found = [sum(rank < limit for rank in ranks) / len(ranks) for limit in (1, 5)]
    return (found[0], found[1]), times, cpu / len(times)


def _backend_cpu(database: psycopg.Connection[tuple[object, ...]]) -> float:
    """Return the milliseconds of CPU that the sessions of the service have used, without those that have just ended."""
    backends = database.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'ticketsvc'").fetchall()
    used = 0
    for (pid,) in backends:
        with suppress(FileNotFoundError):
            used += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    return used / 1e6


def _one(database: psycopg.Connection[tuple[object, ...]], statement: str) -> object:
    row = database.execute(statement.encode()).fetchone()
    return row and row[0]
