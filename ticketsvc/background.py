"""Work that is done beside a request."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from ticketsvc.problems import Problem


def start(work: Callable[[], object]) -> Thread:
    """Do it in a thread, which is a greenlet under the service's worker. A Problem in it is left to the next time.

    Few wait for its end; the thread is for those.
    """

    def run() -> None:
        with suppress(Problem):
            work()

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread
