"""Work outside of requests, as one of the processes of `flask work` does it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from ticketsvc.problems import Problem, Unavailable
from ticketsvc.store import background
from ticketsvc.store.postgres.database import Database

APPLY_SECONDS = 1.0
"""The interval at which a process takes over the work, or says that it is there."""

_log = logging.getLogger(__name__)

Tasks = Mapping[Callable[[], object], float]
"""Functions to repeat, with the pause in seconds after each run. Each task may run twice at once, and may be killed."""


def run_once(tasks: Tasks) -> None:
    """Run each task, even while another process has the work. Raises a Problem."""
    for task in tasks:
        task()


@contextmanager
def running(database: Database, tasks: Tasks, stop_seconds: float) -> Iterator[None]:
    """Repeat tasks until the block ends, each in a thread, while no other process has the work.

    At the end, those that run have `stop_seconds` to finish.
    """
    has_work, stopping = threading.Event(), threading.Event()
    work = [threading.Thread(target=_apply, args=(database, has_work, stopping), daemon=True)]
    for task, seconds in tasks.items():
        work.append(threading.Thread(target=_repeat, args=(task, seconds, has_work, stopping), daemon=True))
    for thread in work:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in work:
            thread.join(stop_seconds)


def _apply(database: Database, has_work: threading.Event, stopping: threading.Event) -> None:
    """Set `has_work` while this process has the work."""
    while not stopping.is_set():
        with suppress(Problem), background.applicant(database) as take:
            while not stopping.is_set():
                if take() and not has_work.is_set():
                    _log.info("background work starts")
                    has_work.set()
                stopping.wait(APPLY_SECONDS)
        has_work.clear()  # the connection is lost; the deliveries report that
        stopping.wait(APPLY_SECONDS)


def _repeat(task: Callable[[], object], seconds: float, has_work: threading.Event, stopping: threading.Event) -> None:
    while not stopping.wait(seconds):
        if has_work.is_set():
            try:
                task()
            except Unavailable as problem:
                _log.info("background work waits", extra={"fields": {"reason": problem.detail}})
            except Exception:  # noqa: BLE001  # logged; a thread that ended would leave its work undone
                _log.exception("background work failed because of a defect")
