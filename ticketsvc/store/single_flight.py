"""Single flight: one run of a query for all identical concurrent reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

_T = TypeVar("_T")

MAX_WAIT_SECONDS = 0.5
"""A run that takes longer no longer delays the next one."""


clients: ContextVar[Sequence[Any]] = ContextVar("clients", default=())
"""The clients that wait for the run in this context; empty outside of a run."""


class SingleFlight:
    """Coalesces concurrent identical reads.

    A call that arrives during a run waits for the next run and shares its result, so a result is never older than the
    call. All calls of a run get its result or its exception. Results are not kept after that.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[Hashable, _Run] = {}
        self._next: dict[Hashable, _Run] = {}

    def __call__(self, key: Hashable, work: Callable[[], _T], client: object = None) -> _T:
        """Return the result of a run that began after this call. All work of a key must be the same.

        The work finds the clients of all calls that wait for it in `clients`.
        """
        with self._lock:
            run, before = self._next.get(key), self._running.get(key)
            is_leader = run is None
            if run is None:
                run = self._next[key] = _Run()
            run.clients.append(client)
        if is_leader:
            self._run_as_leader(key, run, before, work)
        result: _T = run.result()
        return result

    def _run_as_leader(self, key: Hashable, run: _Run, before: _Run | None, work: Callable[[], Any]) -> None:
        try:
            if before:
                before.wait(MAX_WAIT_SECONDS)
            with self._lock:  # calls from now on are too late for this run
                del self._next[key]
                self._running[key] = run
            token = clients.set(run.clients)
            try:
                run.value = work()
            finally:
                clients.reset(token)
        except BaseException as error:  # noqa: BLE001  # GreenletExit too: the other calls must not wait forever
            run.error = error
        finally:
            with self._lock:
                for runs in (self._next, self._running):
                    if runs.get(key) is run:
                        del runs[key]
            run.end()


class _Run:
    """The outcome of a run, and a lock to wait for it: the cheapest thing to wait for under gevent."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.clients: list[Any] = []
        self._ended = Lock()
        self._ended.acquire()
        self.end = self._ended.release

    def wait(self, seconds: float = -1) -> None:
        """Wait until the run has ended, for at most `seconds` unless they are -1."""
        if self._ended.acquire(timeout=seconds):
            self._ended.release()

    def result(self) -> Any:
        """Return the result of the work, or raise its exception."""
        self.wait()
        if self.error:
            raise self.error
        return self.value
