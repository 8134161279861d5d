"""One run of a reading call for all who ask at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Shared(Generic[_T]):
    """Calls `work` one run after the other. Who asks during a run waits for the next, and shares it with the others.

    So no answer is older than its question, and however many ask, there is one run at a time. What `work` raises is
    raised to all who share the run.
    """

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._state = Lock()
        self._running = Lock()
        self._next: Future[_T] | None = None

    def __call__(self) -> _T:
        """The result of a run that began after this call."""
        with self._state:
            run, is_first = self._next or Future(), self._next is None
            self._next = run
        if is_first:
            self._lead(run)
        return run.result()

    def _lead(self, run: Future[_T]) -> None:
        try:
            with self._running:
                self._close(run)
                run.set_result(self._work())
        except BaseException as error:  # noqa: BLE001  # also what ends a greenlet: the others must not wait for ever
            self._close(run)
            run.set_exception(error)

    def _close(self, run: Future[_T]) -> None:
        """Who asks from now on is too late for this run."""
        with self._state:
            if self._next is run:
                self._next = None
