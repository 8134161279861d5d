"""Work that no request waits for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from ticketsvc.problems import Problem


def run_in_background(work: Callable[[], object]) -> Thread:
    """Run `work` in a thread (a greenlet under gunicorn) and return the thread. A Problem that it raises is ignored."""

    def run() -> None:
        with suppress(Problem):
            work()

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread
