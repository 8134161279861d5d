"""The machine's clock is stepped by a day and by 400 days; timeouts use a clock that is never stepped."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.conftest import serve
from tests.support.locks import TIMEOUT, in_background, locked_tickets, wait_until_blocked
from tests.support.tickets import LABELS, TICKET, URL

if TYPE_CHECKING:
    from pathlib import Path

CREATE = TICKET | LABELS
# Python runs this at its start. libpq and gevent ask the operating system for the clock that is never stepped.
STEP = """
import pathlib, time
_time, _step = time.time, pathlib.Path(__file__).with_name("step")
time.time = lambda: _time() + float(_step.read_text() or 0)
"""


def test_a_stepped_clock_fails_no_request(database_url: str, clean: None, tmp_path: Path) -> None:
    clock = tmp_path / "step"
    clock.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(STEP)
    settings = {"PYTHONPATH": str(tmp_path), "DB_LOCK_TIMEOUT": "60"}
    with serve(database_url, tmp_path / "log", **settings) as service:
        workers = service.workers
        dates = set()
        for step in (0, 86_400, -86_400, 400 * 86_400, 0):
            with locked_tickets(database_url) as holder, in_background() as threads:
                key = {"Idempotency-Key": str(uuid4())}
                in_flight = threads.submit(service.call, "POST", URL, CREATE, key)
                wait_until_blocked(holder)
                clock.write_text(str(step))
                dates.add(service.call("GET", "/livez").headers["Date"][:16])
                holder.rollback()
                made = in_flight.result()
            assert made.status == 201
            assert service.call("POST", URL, CREATE, key).body == made.body
            assert service.call("GET", "/readyz").status == 200
        assert len(dates) == 4, "the clock was not stepped"
        assert service.workers == workers
        assert len(service.call("GET", URL).json) == 5
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(TIMEOUT) == 0
