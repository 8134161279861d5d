"""The service's own processes: killed, recycled, terminated, short of file descriptors."""

from __future__ import annotations

import http.client
import os
import resource
import signal
import socket
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.conftest import serve
from tests.faults.conftest import bad_network, slow
from tests.support.locks import TIMEOUT, in_background, wait_until
from tests.support.tickets import LABELS, TICKET, URL, count_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.http import Service
    from tests.support.tickets import Connection
    from ticketsvc_dev.embedded.cluster import Cluster

CREATE = TICKET | LABELS


def status(service: Service, method: str = "GET", path: str = URL, body: object = None, **headers: str) -> int | str:
    """Return the status of a response, or the name of the error if there was none."""
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return service.call(method, path, body, given).status
    except OSError as error:
        return type(error).__name__


def test_a_worker_killed_after_commit_makes_no_second_ticket(
    postgres: Cluster, database_url: str, database: Connection, clean: None, tmp_path: Path
) -> None:
    key = str(uuid4())
    settings = {"WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "1"}
    with (
        bad_network(postgres, database_url) as (network, url),
        serve(url, tmp_path / "log", **settings) as service,
        in_background() as threads,
    ):
        assert status(service, "POST", URL, CREATE, Idempotency_Key=str(uuid4())) == 201
        network.passes_responses = False
        request = threads.submit(status, service, "POST", URL, CREATE, Idempotency_Key=key)
        wait_until(lambda: count_rows(database) == 2)
        (worker,) = service.workers
        os.kill(worker, signal.SIGKILL)
        assert request.result() == "RemoteDisconnected"
        network.passes_responses = True
        wait_until(lambda: status(service) == 200)
        again = service.call("POST", URL, CREATE, {"Idempotency-Key": key})
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert count_rows(database) == 2


def test_tickets_survive_when_all_processes_are_killed(
    database_url: str, database: Connection, clean: None, tmp_path: Path
) -> None:
    created: dict[str, bytes] = {}
    with serve(database_url, tmp_path / "log") as service, in_background() as threads:

        def create() -> None:
            with suppress(OSError):
                while True:
                    response = service.call("POST", URL, CREATE)
                    created[response.json["id"]] = response.body

        clients = [threads.submit(create) for _ in range(4)]
        wait_until(lambda: len(created) > 50)
        workers = service.workers
        service.process.kill()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        for client in clients:
            client.result()
    with serve(database_url, tmp_path / "log2") as service:
        assert len(created) > 50
        for ticket, body in created.items():
            assert service.call("GET", URL + ticket).body == body


@pytest.mark.parametrize("time", ["once", pytest.param("again", marks=slow)])
def test_sigterm_under_load_loses_no_request(database_url: str, clean: None, tmp_path: Path, time: str) -> None:
    """Clients without a pause get responses until nothing accepts connections; then they are refused."""
    statuses: Counter[int | str] = Counter()
    over = threading.Event()
    with serve(database_url, tmp_path / "log") as service, in_background() as threads:

        def request() -> None:
            while not over.is_set() and statuses["ConnectionRefusedError"] < 20:
                statuses[status(service, path="/livez")] += 1

        clients = [threads.submit(request) for _ in range(16)]
        wait_until(lambda: statuses[200] > 100)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(TIMEOUT) == 0
        over.set()
        for client in clients:
            client.result()
    assert set(statuses) <= {200, "ConnectionRefusedError"}, statuses


def test_a_worker_out_of_file_descriptors_recovers(database_url: str, clean: None, tmp_path: Path) -> None:
    """Connections without a descriptor wait; requests on the others are served."""
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service:
        assert status(service, "POST", URL, CREATE) == 201
        (worker,) = service.workers
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (64, 64))
        early = http.client.HTTPConnection("127.0.0.1", service.port, timeout=TIMEOUT)
        early.connect()
        idle = [socket.create_connection(("127.0.0.1", service.port), TIMEOUT) for _ in range(100)]
        early.request("GET", URL)
        assert early.getresponse().status in (200, 503)
        early.close()
        for connection in idle:
            connection.close()
        wait_until(lambda: [status(service), status(service, "POST", URL, CREATE)] == [200, 201])
        assert service.workers == [worker]
    assert [line for line in service.log.read_text().splitlines() if not line.startswith("{")] == []
