"""The program of docs/events.md that mirrors all tickets: killed again and again under load, its copy is exact.

The load lasts a minute with FAULTS=all.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg

from tests.conftest import ROOT, serve
from tests.support.locks import wait_until
from tests.support.tickets import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.http import Service

SECONDS = 60 if os.environ.get("FAULTS") == "all" else 6
WRITERS = 8
FIELDS = ("title", "description", "category", "priority", "status", "requester", "assignee", "tags", "metadata")


@contextmanager
def mirroring(service: Service, folder: Path) -> Iterator[None]:
    """Run the program until the end of the block, then kill it."""
    found = re.search(r"^```python\n(.*?)^```$", (ROOT / "docs/events.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found
    (folder / "mirror.py").write_text(found[1])
    command = [sys.executable, "mirror.py", f"http://127.0.0.1:{service.port}", "mirror.db"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        yield
        assert process.poll() is None, "it has ended"
    finally:
        process.kill()
        process.wait()


def write(service: Service, number: int, until: float) -> int:
    """Change tickets of one's own and of everybody until a time; return the number of requests."""
    chance = random.Random(number)
    own: list[str] = []

    def send(method: str, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        with suppress(OSError, http.client.HTTPException):  # the worker was killed
            response = service.call(method, path, body, headers)
            assert response.status < 300 or response.status in (404, 503), response.body
            return response.json if response.body else None
        return None

    for done in count():
        if time.monotonic() > until:
            return done
        kind = chance.randrange(10)
        path = f"{URL}{chance.choice(own)}" if own else ""
        if kind < 3 or not own:
            named = {"title": f"{number}/{done}", "description": "d", "tags": ["a"] * (kind == 1), "requester": "r"}
            if ticket := send("POST", URL, named):
                own.append(ticket["id"])
        elif kind < 6:
            send("PATCH", path, {"title": f"Changed {done}", "tags": [str(kind)], "metadata": {"k": str(done)}})
        elif kind == 6:
            send("POST", f"{path}/comments", {"body": "b", "status": chance.choice(["open", "resolved"])})
        elif kind == 7:
            send("DELETE", f"{URL}{own.pop()}", None)
        elif kind == 8:
            send("PATCH", f"{URL}?search={number}/&status=open", {"assignee": f"a{done}"})
        else:
            lines = "".join(json.dumps({"title": f"Imported {n}", "description": "d"}) + "\n" for n in range(20))
            send("POST", f"{URL}import", lines.encode(), {"Content-Type": "application/x-ndjson"})
    raise AssertionError("unreachable")


def mirrored(folder: Path) -> dict[str, Any]:
    """Return the version and the fields of each ticket of the mirror."""
    with closing(sqlite3.connect(folder / "mirror.db")) as database:
        return {row[0]: (row[1], json.loads(row[2])) for row in database.execute("SELECT * FROM tickets")}


def exported(service: Service) -> dict[str, Any]:
    """Return the same of the service."""
    tickets = map(json.loads, service.call("GET", f"{URL}export").body.splitlines())
    return {ticket["id"]: (ticket["version"], {name: ticket[name] for name in FIELDS}) for ticket in tickets}


def position(folder: Path) -> str:
    """Return the position of the mirror, or "" if it has none yet."""
    with closing(sqlite3.connect(folder / "mirror.db", timeout=60)) as database, suppress(sqlite3.OperationalError):
        return "".join(*next(database.execute("SELECT * FROM position"), [""]))
    return ""


def catch_up(service: Service, folder: Path) -> None:
    with mirroring(service, folder):
        end = service.call("GET", "/api/events/?after=latest").headers["X-Last-Event-Id"]
        wait_until(lambda: position(folder) == end)


def test_a_mirror_that_is_killed_again_and_again_is_exact(migrated_database: Callable[[], str], tmp_path: Path) -> None:
    url = migrated_database()
    with serve(url, tmp_path / "log") as service, ThreadPoolExecutor(WRITERS) as pool:
        until = time.monotonic() + SECONDS
        writing = [pool.submit(write, service, number, until) for number in range(WRITERS)]
        kills = 0
        while time.monotonic() < until:
            before = position(tmp_path)
            with mirroring(service, tmp_path):
                if kills % 2:  # in whatever it is doing
                    time.sleep(random.uniform(0, 1))
                else:
                    wait_until(lambda: position(tmp_path) != before)  # noqa: B023
            kills += 1
            if kills == 3:  # workers end, the next ones serve: connections break in between
                os.kill(service.workers[0], signal.SIGKILL)
        assert sum(each.result() for each in writing) > WRITERS
        catch_up(service, tmp_path)
        assert len(mirrored(tmp_path)) > 0
        assert mirrored(tmp_path) == exported(service)
        # An id that is gone: the mirror starts over.
        with psycopg.connect(url, autocommit=True) as database:
            database.execute("TRUNCATE tickets")
        service.call("POST", URL, {"title": "New", "description": "d"})
        catch_up(service, tmp_path)
        assert mirrored(tmp_path) == exported(service)
        assert len(mirrored(tmp_path)) == 1
