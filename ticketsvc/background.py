"""Work that no request waits for."""

from __future__ import annotations

import threading  # not `from`: the worker imports this module before gevent replaces Thread
from collections.abc import Callable
from contextlib import suppress

from ticketsvc.problems import Problem


def run_in_background(work: Callable[[], object]) -> threading.Thread:
    """Run `work` in a thread (a greenlet under gunicorn) and return the thread. A Problem that it raises is ignored."""

    def run() -> None:
        with suppress(Problem):
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
