"""Work that a request starts and does not wait for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from ticketsvc.problems import Problem


def start(work: Callable[[], object]) -> None:
    """Do it beside the request: in a greenlet under the service's worker. A Problem in it is left to the next time."""

    def run() -> None:
        with suppress(Problem):
            work()

    Thread(target=run, daemon=True).start()
