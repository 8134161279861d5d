"""The cost of metrics: requests in this process, alternately with and without counting, in small batches."""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, cast

from ticketsvc.config import Config
from ticketsvc.server import metrics_files

BATCH = 100
SERIES = 200
NOBODY = "postgresql://127.0.0.1:1/nobody"  # no statement is run


def counting(batches: int) -> str:
    """Return the least CPU time of many batches with and without counting, and that of a scrape."""
    metrics_files.create_directory()
    metrics_files.open_files(1)  # before the metrics are created, as in a worker
    from ticketsvc.application import create_app
    from ticketsvc.server import metrics

    app = create_app(Config(database_url=NOBODY))
    call = cast("Callable[[], object]", lambda: list(app.wsgi_app(_environ(), _start)))
    logging.getLogger("ticketsvc.requests").setLevel(logging.INFO)
    best = {"with": 1e9, "without": 1e9}
    functions = {"with": metrics.count_request, "without": _count_nothing}
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for _ in range(batches):
            for name, count in functions.items():
                vars(metrics)["count_request"] = count
                best[name] = min(best[name], _least(call, BATCH))
    for number in range(SERIES):
        functions["with"](f"/route/{number // 4}", "GET", str(200 + number % 4), 0.01)
    pool = app.extensions["ticketsvc"].database.pool
    updated = min(_least(lambda: metrics.update(pool), BATCH) for _ in range(batches))
    scraped = min(_least(metrics.exposition, 1) for _ in range(batches))
    return (
        f"A request to /livez: {best['with']:.2f} us with, {best['without']:.2f} us without counting. "
        f"The update of each second: {updated:.0f} us. A scrape of {SERIES} series: {scraped:,.0f} us."
    )


def _count_nothing(route: str | None, method: str, status: str, seconds: float) -> None:
    """Do nothing."""


def _least(work: Callable[[], object], calls: int) -> float:
    """Return the CPU microseconds of a call."""
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
    """Accept the head of a response."""
