"""A chaos run: clients of all kinds use the service while its processes, database and network are disturbed.

Each client records its requests and responses; test_promises.py compares these records with the database.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg

from tests.conftest import serve
from tests.faults.conftest import SURVIVES_A_KILL, bad_network
from tests.support import postgres as servers
from tests.support.cast import bearer, insert_key
from tests.support.locks import locked_tickets, wait_until
from tests.support.tickets import URL
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.proxy import Proxy
    from tests.support.http import Service
    from ticketsvc_dev.embedded.cluster import Cluster

KEY = "tk_" + "quagmire" * 5
"""The API key of all clients."""
WORD = "xylophone"
"""A word in every title and description."""
SORTS = ("-created_at", "created_at", "-updated_at", "-priority")
PAUSE = 0.02
BROKEN, REFUSED = 0, -1
"""Recorded in place of a status: the connection broke, or was refused."""
NO_RESPONSE = (503, BROKEN, REFUSED)
SETTINGS = {
    "REQUIRE_API_KEY": "on",
    "MAX_REQUESTS": "120",
    "DB_POOL_SIZE": "4",
    "DB_POOL_TIMEOUT": "2",
    "DB_LOCK_TIMEOUT": "1",
    "LOG_LEVEL": "DEBUG",
}


@dataclass
class Exchange:
    """A request and its response, with the times (time.monotonic) between which it was in flight."""

    started: float
    ended: float
    method: str
    path: str
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The parsed body of the response."""
        return json.loads(self.body)


@dataclass
class Change:
    """A PATCH with If-Match, and the status of its response."""

    started: float
    ended: float
    ticket: str
    version: int
    title: str
    status: int


@dataclass
class ChaosRun:
    """The records of one run."""

    service: Service
    exchanges: list[Exchange] = field(default_factory=list)
    created: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """The tickets of all 201 responses, by idempotency key."""
    changes: list[Change] = field(default_factory=list)
    lasting: dict[str, float] = field(default_factory=dict)
    """Ids of tickets that are never deleted, with the time of the 201."""
    deleted: set[str] = field(default_factory=set)
    """Ids of tickets that a client tried to delete."""
    walks: list[tuple[float, float, str, list[str]]] = field(default_factory=list)
    """Start, end and sort of each complete walk, with the ids in the order of the pages."""
    statistics: list[dict[str, Any]] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    """Times at which processes of the service were killed."""
    recovery_times: list[float] = field(default_factory=list)
    """Seconds from the start of PostgreSQL to the first successful response."""
    calm: list[tuple[float, float]] = field(default_factory=list)
    """Periods in which nothing was disturbed."""
    terminated: float = 0.0
    """The time of SIGTERM."""

    def __post_init__(self) -> None:
        self.over = threading.Event()

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Exchange:
        """Send a request and record the response."""
        started = time.monotonic()
        given = {name.replace("_", "-"): value for name, value in headers.items()} | bearer(KEY)
        status, content, received = BROKEN, b"", {}
        try:
            response = self.service.call(method, path, body, given)
            status, content, received = response.status, response.body, dict(response.headers)
        except ConnectionRefusedError:
            status = REFUSED
        except OSError:
            pass
        exchange = Exchange(started, time.monotonic(), method, path, status, content, received)
        self.exchanges.append(exchange)
        return exchange


# --- clients


def create(run: ChaosRun, choose: random.Random) -> None:
    """Create tickets with idempotency keys, each repeated until it is 201; sometimes repeat an old one."""
    sent: list[tuple[str, dict[str, str]]] = []
    while not run.over.wait(PAUSE):
        fresh = str(uuid4())
        new = (fresh, {"title": f"{WORD} {fresh}", "description": f"{WORD} {fresh}"})
        key, body = choose.choice(sent) if sent and choose.random() < 0.2 else new
        while (exchange := run.request("POST", URL, body, Idempotency_Key=key)).status in (*NO_RESPONSE, 409):
            if run.over.wait(PAUSE):
                return
        if exchange.status == 201:
            run.created[key].append(exchange.json)
            run.lasting.setdefault(exchange.json["id"], exchange.ended)
            sent.append((key, body))


def change(run: ChaosRun, choose: random.Random) -> None:
    """Send two changes with the same If-Match at a time."""
    while not run.over.wait(PAUSE):
        if not run.lasting:
            continue
        path = URL + choose.choice(list(run.lasting))
        current = run.request("GET", path)
        if current.status == 200:
            version = current.json["version"]
            racers = [threading.Thread(target=_change, args=(run, path, version)) for _ in range(2)]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()


def _change(run: ChaosRun, path: str, version: int) -> None:
    title, status = f"{WORD} {uuid4()}", random.choice(["open", "in_progress", "resolved", "closed"])
    priority = random.choice(["low", "high", "critical"])
    body = {"title": title, "status": status, "priority": priority}
    exchange = run.request("PATCH", path, body, If_Match=f'"{version}"')
    ticket = path.removeprefix(URL)
    run.changes.append(Change(exchange.started, exchange.ended, ticket, version, title, exchange.status))


def delete(run: ChaosRun, choose: random.Random) -> None:
    """Create tickets, resolve them and delete them."""
    while not run.over.wait(PAUSE):
        created = run.request("POST", URL, {"title": f"{WORD} {choose.random()}", "description": f"{WORD} {uuid4()}"})
        if created.status == 201:
            path = URL + created.json["id"]
            run.request("PATCH", path, {"status": "resolved"})
            run.deleted.add(created.json["id"])
            while run.request("DELETE", path).status in NO_RESPONSE and not run.over.wait(PAUSE):
                pass


def walk(run: ChaosRun, choose: random.Random) -> None:
    """Read the whole list page by page, in one order after another."""
    while not run.over.wait(PAUSE):
        sort, started, ids = choose.choice(SORTS), time.monotonic(), []
        address: str | None = f"{URL}?limit=50&sort={sort}"
        while address and not run.over.wait(PAUSE):
            exchange = run.request("GET", address)
            if exchange.status == 200:
                ids += [ticket["id"] for ticket in exchange.json]
                link = re.match("<(.*?)>", exchange.headers.get("Link", ""))
                address = link[1] if link else None
        if address is None:
            run.walks.append((started, time.monotonic(), sort, ids))


def count(run: ChaosRun, choose: random.Random) -> None:
    """Read statistics, of all tickets and of selections."""
    paths = ("stats/", "stats/?status=open", f"stats/?search={WORD}", "stats/daily/", "stats/resolution/")
    while not run.over.wait(PAUSE):
        exchange = run.request("GET", URL + choose.choice(paths))
        if exchange.status == 200:
            run.statistics.append(exchange.json)


CLIENTS = [create, create, create, change, change, delete, walk, count]


# --- faults


class Faults:
    """The disturbances, one a method."""

    def __init__(self, run: ChaosRun, cluster: Cluster, network: Proxy, url: str) -> None:
        self.run = run
        self.cluster = cluster
        self.network = network
        self.url = url

    def kill_worker(self) -> None:
        """Kill one worker with SIGKILL."""
        os.kill(self.run.service.workers[0], signal.SIGKILL)
        self.run.kills.append(time.monotonic())

    def terminate_sessions(self) -> None:
        """Terminate all sessions again and again for two seconds."""
        until = time.monotonic() + 2
        with psycopg.connect(self.url, autocommit=True) as database:
            while time.monotonic() < until:
                database.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ticketsvc'"
                )
                time.sleep(0.1)

    def restart_postgres(self) -> None:
        """Stop PostgreSQL without a checkpoint, start it, and measure how long the service needs to recover."""
        kill_server(self.cluster, signal.SIGQUIT)
        time.sleep(1)
        self.cluster.start(SURVIVES_A_KILL)
        started = time.monotonic()
        wait_until(lambda: self.run.request("GET", f"{URL}?limit=1").status == 200)
        self.run.recovery_times.append(time.monotonic() - started)

    def break_network(self) -> None:
        """Drop the responses of PostgreSQL after the commit, then reset all connections."""
        self.network.passes_responses = False
        time.sleep(0.5)
        self.network.reset()
        self.network.passes_responses = True

    def lock_table(self) -> None:
        """Lock the table for longer than DB_LOCK_TIMEOUT."""
        with locked_tickets(self.url):
            time.sleep(2)

    def reload(self) -> None:
        """Replace all workers with SIGHUP."""
        self.run.service.process.send_signal(signal.SIGHUP)
        time.sleep(1.5)

    def pause(self) -> None:
        """Disturb nothing for two seconds, after two seconds in which earlier requests end."""
        time.sleep(2)
        started = time.monotonic()
        time.sleep(2)
        self.run.calm.append((started, time.monotonic()))


def kill_server(cluster: Cluster, number: signal.Signals) -> None:
    """Stop a PostgreSQL server of the test: SIGQUIT without a checkpoint, SIGKILL as a crash does."""
    pid = int((cluster.directory / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, number)
    wait_until(lambda: cluster.ping() == 2)


@contextmanager
def finished(log: Path, rounds: int) -> Iterator[tuple[ChaosRun, str]]:
    """Run the clients through this number of rounds, each of about 20 s, then end the service with SIGTERM under load.

    Yields the records, with a new service on the same database, and the URL of the database.
    """
    with servers.server(SURVIVES_A_KILL) as cluster:
        url = servers.create_database(cluster)
        migrations.apply(url)
        with psycopg.connect(url) as database:
            insert_key(database, "chaos", "admin", KEY)
        with bad_network(cluster, url) as (network, through_network):
            run = _run(through_network, log, rounds, lambda run: Faults(run, cluster, network, url))
        with serve(url, log.with_suffix(".after"), REQUIRE_API_KEY="on") as service:
            run.service = service
            yield run, url


def _run(url: str, log: Path, rounds: int, faults_of: Callable[[ChaosRun], Faults]) -> ChaosRun:
    with serve(url, log, **SETTINGS) as service:
        run = ChaosRun(service)
        clients = [
            threading.Thread(target=client, args=(run, random.Random(seed))) for seed, client in enumerate(CLIENTS)
        ]
        for client in clients:
            client.start()
        faults = faults_of(run)
        try:
            for _ in range(rounds):
                faults.pause()
                faults.kill_worker()
                faults.terminate_sessions()
                faults.restart_postgres()
                faults.break_network()
                faults.lock_table()
                faults.reload()
            faults.pause()
            _wait_for_a_new_worker(service)
            run.terminated = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(60)
        finally:
            run.over.set()
            for client in clients:
                client.join(60)
    return run


def _wait_for_a_new_worker(service: Service) -> None:
    """Wait until a worker has been recycled and its successor serves: while all are being recycled none does."""
    before = set(service.workers)
    wait_until(lambda: not set(service.workers) <= before)
    time.sleep(2)
