"""One run of a reading call for all who ask the same at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

_T = TypeVar("_T")

MAX_WAIT_SECONDS = 0.5
"""Where a run takes longer, the next one begins beside it."""


class SingleFlight:
    """Runs the work for a key one after the other. Who asks during a run waits for the next and shares it with others.

    So no answer is older than its question, and however many ask, few runs are made. What the work raises is raised to
    all who share the run. Nothing is kept once nobody waits.
    """

    def __init__(self) -> None:
        self._state = Lock()
        self._running: dict[Hashable, _Run] = {}
        self._next: dict[Hashable, _Run] = {}

    def __call__(self, key: Hashable, work: Callable[[], _T]) -> _T:
        """The result of a run that began after this call. Work for the same key must do the same."""
        with self._state:
            run, before = self._next.get(key), self._running.get(key)
            is_first = run is None
            if run is None:
                run = self._next[key] = _Run()
        if is_first:
            self._lead(key, run, before, work)
        result: _T = run.result()
        return result

    def _lead(self, key: Hashable, run: _Run, before: _Run | None, work: Callable[[], Any]) -> None:
        try:
            if before:
                before.wait(MAX_WAIT_SECONDS)
            with self._state:  # who asks from now on is too late for this run
                del self._next[key]
                self._running[key] = run
            run.value = work()
        except BaseException as error:  # noqa: BLE001  # also what ends a greenlet: the others must not wait for ever
            run.error = error
        finally:
            with self._state:
                for runs in (self._next, self._running):
                    if runs.get(key) is run:
                        del runs[key]
            run.end()


class _Run:
    """What a run came to, for those who wait for its end. A lock is the cheapest thing to wait for under gevent."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self._ended = Lock()
        self._ended.acquire()
        self.end = self._ended.release

    def wait(self, seconds: float = -1) -> None:
        """Wait until it ended; for so long at most, unless that is -1."""
        if self._ended.acquire(timeout=seconds):
            self._ended.release()

    def result(self) -> Any:
        """What the work returned. Raises what it raised."""
        self.wait()
        if self.error:
            raise self.error
        return self.value
