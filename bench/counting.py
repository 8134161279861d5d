"""What counting adds to a request: WSGI calls within this process, with and without it in turns, in small batches."""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, cast

from ticketsvc.application import create_app
from ticketsvc.config import Config
from ticketsvc.server import logs
from ticketsvc.server.metrics import exposition, process
from ticketsvc.server.metrics.counts import COUNTS, Counts

BATCH = 100
SERIES = 200
NOBODY = "postgresql://127.0.0.1:1/nobody"  # no statement is run


class ServerTimeout(Counts):
    """Counts nothing."""

    def request(self, route: str | None, method: str, status: str, seconds: float) -> None:
        """Do nothing."""


def counting(batches: int) -> str:
    """The least CPU time of many batches, with and without counting, and what the worker does once a second."""
    app = create_app(Config(database_url=NOBODY))
    call = cast("Callable[[], object]", lambda: list(app.wsgi_app(_environ(), _start)))
    logging.getLogger("ticketsvc.requests").setLevel(logging.INFO)
    best = {"with": 1e9, "without": 1e9}
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for _ in range(batches):
            for name, counts in (("with", COUNTS), ("without", ServerTimeout())):
                vars(logs)["COUNTS"] = counts
                best[name] = min(best[name], _least(call, BATCH))
    for number in range(SERIES):
        COUNTS.request(f"/route/{number // 4}", "GET", str(200 + number % 4), 0.01)
    pool = app.extensions["ticketsvc"].database.pool.get_stats()
    snapshot = process.snapshot(pool)
    written = min(_least(lambda: exposition.write(snapshot), 1) for _ in range(batches))
    return (
        f"A request to /livez: {best['with']:.2f} us with, {best['without']:.2f} us without counting. "
        f"Writing {SERIES} series: {written:,.0f} us."
    )


def _least(work: Callable[[], object], calls: int) -> float:
    """CPU microseconds a call."""
    started = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - started) / calls * 1e6


def _environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/livez",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }


def _start(status: str, headers: object, exc_info: object = None) -> Any:
    """Take the head of an answer."""
