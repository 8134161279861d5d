"""Natural batching: writes that reach a process at about the same time are run together."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from ticketsvc.problems import Problem, Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_ITEMS = 32
"""The maximum number of calls that are run together. With more, a statement takes longer without being cheaper."""
MAX_WAITING = 512
"""The maximum number of calls that wait at the same time."""
HOLD_SECONDS = 0.1
"""A run that takes longer, because it waits for a lock or for the disk, no longer delays the next one."""


class Failure(NamedTuple):
    """Stands for the result of an item that was not done in its batch. It is run again if that `may_succeed_alone`."""

    problem: Problem
    may_succeed_alone: bool


class Batches(Generic[Item, Result]):
    """Runs the concurrent calls of a process, one batch after the other.

    A call that finds none under way is run next, and alone if `gather` brings no other. Calls that arrive meanwhile
    wait; the first of them then runs all. Two calls with the same key are never in one batch, and their batches begin
    in the order of their arrival.
    """

    def __init__(
        self,
        one: Callable[[Item], Result],
        many: Callable[[list[Item]], list[Result | Failure]],
        timeout: float,
        gather: Callable[[], object] = lambda: None,
    ) -> None:
        """`many` returns a result for each of several items. A call waits at most `timeout` seconds for its turn.

        `gather` lets calls that are about to be made be made; it is called before each run.
        """
        self._one = one
        self._many = many
        self._timeout = timeout
        self._gather = gather
        self._lock = Lock()
        self._waiting: list[_Call[Item, Result]] = []
        self._leader: _Call[Item, Result] | None = None
        self._since = 0.0

    def __call__(self, key: Hashable, item: Item) -> Result:
        """Return the result of an item, or raise the exception of `one`, or the problem of its failure in a batch.

        Raises Unavailable if its turn does not come in time, or if the call that runs its batch is killed.
        """
        deadline = time.monotonic() + self._timeout
        call = _Call[Item, Result](key, item)
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                raise _overloaded()
            self._waiting.append(call)
            if self._leader is None:
                self._call_next()
        self._wait(call, deadline)
        if call.leads:
            self._run(call)
        if not isinstance(call.result, Failure):
            return call.result
        if call.result.may_succeed_alone and time.monotonic() < deadline:
            return self._one(item)
        raise call.result.problem.with_traceback(None)  # others may raise it, too

    def _wait(self, call: _Call[Item, Result], deadline: float) -> None:
        """Wait until a call is to run a batch, which is complete, or its batch has ended."""
        try:
            while not call.called.acquire(timeout=HOLD_SECONDS):
                now = time.monotonic()
                with self._lock:
                    is_waiting = call in self._waiting and not call.leads
                    if is_waiting and now >= deadline:
                        self._waiting.remove(call)  # before another thread runs it
                        raise _overloaded()
                    if is_waiting and call is self._waiting[0] and now - self._since >= HOLD_SECONDS:
                        self._call_next()
            if call.leads:
                self._gather()
        except BaseException:  # a greenlet that is killed must hand its turn on
            with self._lock:
                if call in self._waiting:
                    self._waiting.remove(call)
                    self._end_turn(call)
            raise

    def _run(self, leader: _Call[Item, Result]) -> None:
        """Run the calls that wait, and call the first of those that arrive meanwhile."""
        with self._lock:
            batch: dict[Hashable, _Call[Item, Result]] = {}
            for call in self._waiting:
                if len(batch) < MAX_ITEMS:
                    batch.setdefault(call.key, call)
            self._waiting = [call for call in self._waiting if batch.get(call.key) is not call]
        items = [call.item for call in batch.values()]
        try:
            results = self._many(items) if len(items) > 1 else [self._one(leader.item)]
            for call, result in zip(batch.values(), results, strict=True):
                call.result = result
        finally:
            with self._lock:
                self._end_turn(leader)
            for call in batch.values():
                call.called.release()

    def _call_next(self) -> None:
        self._leader = self._waiting[0]
        self._since = time.monotonic()
        self._leader.leads = True
        self._leader.called.release()

    def _end_turn(self, call: _Call[Item, Result]) -> None:
        if self._leader is call:
            self._leader = None
            if self._waiting:
                self._call_next()


class _Call(Generic[Item, Result]):
    """A call and its result. The lock is released when the call is to run a batch, and when its batch has ended."""

    def __init__(self, key: Hashable, item: Item) -> None:
        self.key = key
        self.item = item
        self.result: Result | Failure = _INTERRUPTED
        self.leads = False
        self.called = Lock()
        self.called.acquire()


_INTERRUPTED = Failure(Unavailable("The request was interrupted. The database may have done it nevertheless."), False)


def _overloaded() -> Unavailable:
    return Unavailable("The service is overloaded: the database did not keep up with the writes. Nothing was changed.")
