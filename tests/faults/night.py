"""A bad night: clients of all kinds call the service while what it stands on is killed, and write down what they hear.

What was promised is then held against these records by test_promises.py.
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
from tests.support.cast import bearer
from ticketsvc import migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.proxy import Proxy
    from tests.support.http import Answer, Service
    from ticketsvc.dev.embedded.cluster import Cluster

URL = "/api/tickets/"
KEY = "tk_" + "quagmire" * 5
"""The API key that all clients have."""
WORD = "xylophone"
"""In every text of every ticket."""
SORTS = ("-created_at", "created_at", "-updated_at", "-priority")
PAUSE = 0.02
BROKEN, REFUSED = 0, -1
"""In place of a status."""
UNANSWERED = (503, BROKEN, REFUSED)


@dataclass
class Call:
    """One request: when it was under way (time.monotonic), and what came back; the status may be BROKEN."""

    started: float
    ended: float
    method: str
    path: str
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Change:
    """A PATCH with If-Match: when it was under way, and what came back."""

    started: float
    ended: float
    ticket: str
    version: int
    title: str
    status: int


@dataclass
class Night:
    """What was done and heard."""

    service: Service
    calls: list[Call] = field(default_factory=list)
    created: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """By idempotency key: the ticket of each 201."""
    changes: list[Change] = field(default_factory=list)
    deleted: dict[str, float] = field(default_factory=dict)
    """Ticket: when its deletion began."""
    lasting: dict[str, float] = field(default_factory=dict)
    """Ticket that is not deleted: when its 201 was there."""
    walks: list[tuple[float, float, str, list[str]]] = field(default_factory=list)
    """When it began and ended, its sort, the ids in the order they came."""
    statistics: list[dict[str, Any]] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    """When processes of the service were killed."""
    back_after: list[float] = field(default_factory=list)
    """Seconds from a server that takes connections to a service that answers."""
    calm: list[tuple[float, float]] = field(default_factory=list)
    """Stretches in which nothing was done to anything."""
    ended: float = 0.0
    """When SIGTERM was sent."""

    def __post_init__(self) -> None:
        self.over = threading.Event()

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Call:
        """Send a request and write down what came back."""
        started = time.monotonic()
        given = {name.replace("_", "-"): value for name, value in headers.items()} | bearer(KEY)
        try:
            answer: Answer = self.service.call(method, path, body, given, timeout=40)
        except ConnectionRefusedError:
            done = Call(started, time.monotonic(), method, path, REFUSED)
        except OSError:
            done = Call(started, time.monotonic(), method, path, BROKEN)
        else:
            done = Call(started, time.monotonic(), method, path, answer.status, answer.body, dict(answer.headers))
        self.calls.append(done)
        return done


# --- clients


def create(night: Night, choose: random.Random) -> None:
    """File tickets with keys, each until it is answered 201; sometimes send an old one again."""
    sent: list[tuple[str, dict[str, str]]] = []
    while not night.over.wait(PAUSE):
        fresh = str(uuid4())
        new = (fresh, {"title": f"{WORD} {fresh}", "description": f"{WORD} {fresh}"})
        key, body = choose.choice(sent) if sent and choose.random() < 0.2 else new
        while (call := night.call("POST", URL, body, Idempotency_Key=key)).status in (*UNANSWERED, 409):
            if night.over.wait(PAUSE):
                return
        if call.status == 201:
            night.created[key].append(call.json)
            night.lasting.setdefault(call.json["id"], call.ended)
            sent.append((key, body))


def change(night: Night, choose: random.Random) -> None:
    """Race itself: two changes with one If-Match at a time."""
    while not night.over.wait(PAUSE):
        if not night.lasting:
            continue
        path = URL + choose.choice(list(night.lasting))
        read = night.call("GET", path)
        if read.status == 200:
            version = read.json["version"]
            racers = [threading.Thread(target=_change, args=(night, path, version)) for _ in range(2)]
            for racer in racers:
                racer.start()
            for racer in racers:
                racer.join()


def _change(night: Night, path: str, version: int) -> None:
    title, status = f"{WORD} {uuid4()}", random.choice(["open", "in_progress", "resolved", "closed"])
    priority = random.choice(["low", "high", "critical"])
    body = {"title": title, "status": status, "priority": priority}
    call = night.call("PATCH", path, body, If_Match=f'"{version}"')
    night.changes.append(Change(call.started, call.ended, path.removeprefix(URL), version, title, call.status))


def delete(night: Night, choose: random.Random) -> None:
    """Tickets that do not last."""
    while not night.over.wait(PAUSE):
        made = night.call("POST", URL, {"title": f"{WORD} {choose.random()}", "description": f"{WORD} {uuid4()}"})
        if made.status == 201:
            path = URL + made.json["id"]
            night.call("PATCH", path, {"status": "resolved"})
            night.deleted[path.removeprefix(URL)] = time.monotonic()
            while night.call("DELETE", path).status in UNANSWERED and not night.over.wait(PAUSE):
                pass


def walk(night: Night, choose: random.Random) -> None:
    """Read the whole list, page by page, in one order after another."""
    while not night.over.wait(PAUSE):
        sort, began, ids = choose.choice(SORTS), time.monotonic(), []
        address: str | None = f"{URL}?limit=50&sort={sort}"
        while address and not night.over.wait(PAUSE):
            call = night.call("GET", address)
            if call.status == 200:
                ids += [ticket["id"] for ticket in call.json]
                link = re.match("<(.*?)>", call.headers.get("Link", ""))
                address = link[1] if link else None
        if address is None:
            night.walks.append((began, time.monotonic(), sort, ids))


def count(night: Night, choose: random.Random) -> None:
    """Ask for figures, of all tickets and of windows."""
    paths = ("stats/", "stats/?status=open", f"stats/?search={WORD}", "stats/daily/", "stats/resolution/")
    while not night.over.wait(PAUSE):
        call = night.call("GET", URL + choose.choice(paths))
        if call.status == 200:
            night.statistics.append(call.json)


CLIENTS: list[Callable[[Night, random.Random], None]] = [create, create, create, change, change, delete, walk, count]


# --- what happens to them


class Disaster:
    """What can go wrong, one thing a method."""

    def __init__(self, night: Night, cluster: Cluster, network: Proxy, url: str) -> None:
        self.night = night
        self.cluster = cluster
        self.network = network
        self.url = url

    def worker_killed(self) -> None:
        """Kill -9 of one worker."""
        os.kill(self.night.service.workers[0], signal.SIGKILL)
        self.night.kills.append(time.monotonic())

    def sessions_ended(self) -> None:
        """An administrator ends all sessions, for two seconds again and again."""
        until = time.monotonic() + 2
        with psycopg.connect(self.url, autocommit=True) as database:
            while time.monotonic() < until:
                database.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ticketsvc'"
                )
                time.sleep(0.1)

    def server_stopped(self) -> None:
        """Postgres is stopped without a farewell, recovers, and the service finds it."""
        kill_server(self.cluster, signal.SIGQUIT)
        time.sleep(1)
        self.cluster.start(SURVIVES_A_KILL)
        started = time.monotonic()
        while self.night.call("GET", f"{URL}?limit=1").status != 200 and time.monotonic() - started < 40:
            time.sleep(0.05)
        self.night.back_after.append(time.monotonic() - started)

    def network_failing(self) -> None:
        """Answers are lost after the commit; then all lines are reset."""
        self.network.passes_answers = False
        time.sleep(0.5)
        self.network.reset()
        self.network.passes_answers = True

    def table_locked(self) -> None:
        """Somebody holds the table for longer than the service waits for it."""
        with psycopg.connect(self.url) as holder:
            holder.execute("LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE")
            time.sleep(2)

    def reloaded(self) -> None:
        """SIGHUP: all workers are replaced."""
        self.night.service.process.send_signal(signal.SIGHUP)
        time.sleep(1.5)

    def calm(self) -> None:
        """Nothing, when the service is back; what is under way from before is no part of it."""
        time.sleep(2)
        began = time.monotonic()
        time.sleep(2)
        self.night.calm.append((began, time.monotonic()))


def kill_server(cluster: Cluster, number: signal.Signals) -> None:
    """Stop a PostgreSQL of the test's own: SIGQUIT at once, without a checkpoint; SIGKILL: as a crash."""
    pid = int((cluster.directory / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, number)
    deadline = time.monotonic() + 20
    while cluster._ask() != 2 and time.monotonic() < deadline:
        time.sleep(0.05)


@contextmanager
def spent(log: Path, rounds: int) -> Iterator[tuple[Night, str]]:
    """A night of so many rounds, each of about 20 s; yields the records, and the URL of the database afterwards.

    The service is over then, ended by SIGTERM amid calls, and started anew on what is left.
    """
    with servers.server(SURVIVES_A_KILL) as cluster:
        url = servers.create_database(cluster)
        migrations.apply(url)
        with psycopg.connect(url) as database:
            database.execute(
                "INSERT INTO api_keys (name, scope, hash) VALUES ('night', 'admin', sha256(%s::text::bytea))", [KEY]
            )
        with bad_network(cluster, url) as (network, via):
            night = _night(via, log, rounds, lambda night: Disaster(night, cluster, network, url))
        with serve(url, log.with_suffix(".after"), REQUIRE_API_KEY="on") as service:
            night.service = service
            yield night, url


SETTINGS = {
    "REQUIRE_API_KEY": "on",
    "MAX_REQUESTS": "120",
    "DB_POOL_SIZE": "4",
    "DB_POOL_TIMEOUT": "2",
    "DB_LOCK_TIMEOUT": "1",
    "LOG_LEVEL": "DEBUG",
}


def wait_for_a_new_worker(service: Service) -> None:
    """Wait until a worker has been recycled and its successor serves: while all are being recycled none does."""
    before, deadline = set(service.workers), time.monotonic() + 30
    while set(service.workers) <= before and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(2)


def _night(url: str, log: Path, rounds: int, disasters: Callable[[Night], Disaster]) -> Night:
    with serve(url, log, **SETTINGS) as service:
        night = Night(service)
        clients = [
            threading.Thread(target=client, args=(night, random.Random(seed))) for seed, client in enumerate(CLIENTS)
        ]
        for client in clients:
            client.start()
        disaster = disasters(night)
        try:
            for _ in range(rounds):
                disaster.calm()
                disaster.worker_killed()
                disaster.sessions_ended()
                disaster.server_stopped()
                disaster.network_failing()
                disaster.table_locked()
                disaster.reloaded()
            disaster.calm()
            wait_for_a_new_worker(service)
            night.ended = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(40)
        finally:
            night.over.set()
            for client in clients:
                client.join(60)
    return night
