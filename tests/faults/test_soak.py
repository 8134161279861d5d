"""Memory, connections, descriptors and CPU time for a request stay constant under continuous load.

FAULTS_SOAK_SECONDS sets the duration; the default is 20 seconds.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from bench.soak import CLIENTS, Soak
from tests.conftest import serve
from tests.faults.conftest import slow
from tests.support import postgres as servers
from tests.support.locks import TIMEOUT
from ticketsvc import migrations

if TYPE_CHECKING:
    from tests.support.http import Service
    from tests.support.tickets import Connection

SECONDS = float(os.environ.get("FAULTS_SOAK_SECONDS", "20"))
PARTS = 10
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ticketsvc' AND datname = current_database()"
)


class Sample(NamedTuple):
    """Measurements at one moment, of all workers together; memory in MB, CPU time in seconds."""

    requests: int
    memory: float
    cpu: float
    connections: int
    descriptors: int


def sample(service: Service, database: Connection, run: Soak) -> Sample:
    memory, cpu, descriptors = 0.0, 0.0, 0
    for worker in service.workers:
        process = Path(f"/proc/{worker}")
        memory += int((process / "statm").read_text().split()[1]) * PAGE_MB
        cpu += sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:13])) / TICKS
        descriptors += len(list((process / "fd").iterdir()))
    row = database.execute(CONNECTIONS.encode()).fetchone()
    assert row
    return Sample(run.done, memory, cpu, int(str(row[0])), descriptors)


@slow
def test_resources_stay_constant_under_load(tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = servers.create_database(stack.enter_context(servers.server(servers.NOT_DURABLE)))
        migrations.apply(url)
        service = stack.enter_context(serve(url, tmp_path / "log", LOG_LEVEL="WARNING", DB_POOL_SIZE="4"))
        database = stack.enter_context(psycopg.connect(url, autocommit=True))
        workers = service.workers
        run = Soak(service.port, 10**9, SECONDS)
        clients = [threading.Thread(target=run.client, args=(seed,)) for seed in range(CLIENTS)]
        for client in clients:
            client.start()
        samples = []
        for _ in range(PARTS):
            time.sleep(SECONDS / PARTS * 0.95)
            samples.append(sample(service, database, run))
            print(samples[-1])
        for client in clients:
            client.join(TIMEOUT)
        assert service.workers == workers
    assert [status for status in run.statuses if status == 0 or status >= 500] == []
    assert run.done > 100
    # The first parts fill caches and pools.
    warm = samples[PARTS // 3 :]
    assert warm[-1].memory - warm[0].memory < 20
    assert max(found.connections for found in samples) <= 2 * 4
    assert max(found.descriptors for found in samples) < 200
    # CPU time for a request, not its duration, which depends on what else the machine does.
    work = [(after.cpu - before.cpu) / (after.requests - before.requests) for before, after in pairwise(warm)]
    print("ms of CPU time for a request:", *(f"{seconds * 1000:.2f}" for seconds in work))
    assert work[-1] < 3 * work[0]
