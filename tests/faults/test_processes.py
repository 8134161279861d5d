"""The service's own processes: killed, recycled, told to end, short of file descriptors."""

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
from tests.faults.conftest import bad_network, takes_long
from tests.support.locks import in_background, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.http import Service
    from tests.support.tickets import Connection
    from ticketsvc.dev.embedded.cluster import Cluster

URL = "/api/tickets/"
TICKET = {"title": "Gone", "description": "It was there.", "category": "general", "priority": "low"}


def status(service: Service, method: str = "GET", path: str = URL, body: object = None, **headers: str) -> int | str:
    """The status of a call, or why there was none."""
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return service.call(method, path, body, given).status
    except OSError as error:
        return type(error).__name__


def count(database: Connection) -> object:
    row = database.execute("SELECT count(*) FROM tickets").fetchone()
    return row and row[0]


def test_a_worker_killed_between_commit_and_answer_makes_no_second_ticket(
    postgres: Cluster, database_url: str, database: Connection, clean: None, tmp_path: Path
) -> None:
    key = str(uuid4())
    settings = {"WEB_CONCURRENCY": "1", "DB_POOL_SIZE": "1"}
    with (
        bad_network(postgres, database_url) as (network, url),
        serve(url, tmp_path / "log", **settings) as service,
        in_background() as threads,
    ):
        assert status(service, "POST", URL, TICKET, Idempotency_Key=str(uuid4())) == 201
        network.passes_answers = False
        call = threads.submit(status, service, "POST", URL, TICKET, Idempotency_Key=key)
        wait_until(lambda: count(database) == 2)
        (worker,) = service.workers
        os.kill(worker, signal.SIGKILL)
        assert call.result() == "RemoteDisconnected"
        network.passes_answers = True
        wait_until(lambda: status(service) == 200)
        again = service.call("POST", URL, TICKET, {"Idempotency-Key": key})
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert count(database) == 2


def test_what_was_answered_before_all_were_killed_is_there(
    database_url: str, database: Connection, clean: None, tmp_path: Path
) -> None:
    answered: dict[str, bytes] = {}
    with serve(database_url, tmp_path / "log") as service, in_background() as threads:

        def create() -> None:
            with suppress(OSError):
                while True:
                    answer = service.call("POST", URL, TICKET)
                    answered[answer.json["id"]] = answer.body

        calls = [threads.submit(create) for _ in range(4)]
        wait_until(lambda: len(answered) > 50)
        workers = service.workers
        service.process.kill()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        for call in calls:
            call.result()
    with serve(database_url, tmp_path / "log2") as service:
        assert len(answered) > 50
        for ticket, body in answered.items():
            assert service.call("GET", URL + ticket).body == body


@pytest.mark.parametrize("time", ["once", pytest.param("again", marks=takes_long)])
def test_an_end_amid_calls_loses_none(database_url: str, clean: None, tmp_path: Path, time: str) -> None:
    """Callers who come without a pause are answered until nobody takes connections any more, and then refused."""
    statuses: Counter[int | str] = Counter()
    over = threading.Event()
    with serve(database_url, tmp_path / "log") as service, in_background() as threads:

        def ask() -> None:
            while not over.is_set() and statuses["ConnectionRefusedError"] < 20:
                statuses[status(service, path="/livez")] += 1

        calls = [threads.submit(ask) for _ in range(16)]
        wait_until(lambda: statuses[200] > 100)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(30) == 0
        over.set()
        for call in calls:
            call.result()
    assert set(statuses) <= {200, "ConnectionRefusedError"}, statuses


def test_a_worker_short_of_file_descriptors_serves_whom_it_can(database_url: str, clean: None, tmp_path: Path) -> None:
    """Connections that it has no descriptor for wait; calls on those that it has are answered."""
    with serve(database_url, tmp_path / "log", WEB_CONCURRENCY="1") as service:
        assert status(service, "POST", URL, TICKET) == 201
        (worker,) = service.workers
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (64, 64))
        early = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        early.connect()
        idle = [socket.create_connection(("127.0.0.1", service.port), 30) for _ in range(100)]
        early.request("GET", URL)
        assert early.getresponse().status in (200, 503)
        early.close()
        for connection in idle:
            connection.close()
        wait_until(lambda: [status(service), status(service, "POST", URL, TICKET)] == [200, 201])
        assert service.workers == [worker]
    assert [line for line in service.log.read_text().splitlines() if not line.startswith("{")] == []
