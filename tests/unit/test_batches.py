"""Writes that are run together."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

import gevent
import gevent.event
import gevent.thread
import pytest

from tests.support.locks import wait_until
from ticketsvc.problems import Unavailable
from ticketsvc.store import batches
from ticketsvc.store.batches import MAX_ITEMS, Batches, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future


class Runs:
    """Runs of items, which are numbers; the result is ten times the item. They last until `gate` is set."""

    def __init__(self, timeout: float = 30) -> None:
        self.gate = Event()
        self.batches: list[list[int]] = []
        self.failures: dict[int, Failure] = {}
        self.write = Batches(self.one, self.many, timeout)
        self.threads = ThreadPoolExecutor(100)

    def one(self, item: int) -> int:
        return self._run([item])[0]

    def many(self, items: list[int]) -> list[int | Failure]:
        return [self.failures.get(item, result) for item, result in zip(items, self._run(items), strict=True)]

    def _run(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        assert self.gate.wait(30)
        return [10 * item for item in items]

    @property
    def waiting(self) -> int:
        return len(self.write._waiting)

    def start_first(self) -> Future[int]:
        """Start a call with the item 0, and return when it is run."""
        call = self.threads.submit(self.write, "first", 0)
        wait_until(lambda: self.batches == [[0]])
        return call


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Runs whose duration does not matter."""
    monkeypatch.setattr(batches, "HOLD_SECONDS", 30)
    runs = Runs()
    yield runs
    runs.gate.set()
    runs.threads.shutdown()


def wait_for(runs: Runs, *calls: Future[int]) -> None:
    wait_until(lambda: runs.waiting == len(calls))


def test_a_call_without_others_is_run_alone_at_once(runs: Runs) -> None:
    runs.gate.set()
    assert [runs.write("key", 1), runs.write("key", 2)] == [10, 20]
    assert runs.batches == [[1], [2]]


def test_calls_during_a_run_are_run_together(runs: Runs) -> None:
    first = runs.start_first()
    calls = [runs.threads.submit(runs.write, object(), item) for item in range(1, MAX_ITEMS + 3)]
    wait_for(runs, *calls)
    runs.gate.set()
    assert [call.result(30) for call in (first, *calls)] == [10 * item for item in range(MAX_ITEMS + 3)]
    assert list(map(len, runs.batches)) == [1, MAX_ITEMS, 2]
    assert sorted(itertools.chain(*runs.batches)) == list(range(MAX_ITEMS + 3))


def test_calls_that_are_about_to_be_made_are_in_the_first_batch(runs: Runs) -> None:
    calls: list[Future[int]] = []

    def gather() -> None:
        if not calls:
            calls.extend(runs.threads.submit(runs.write, object(), item) for item in (1, 2))
            wait_until(lambda: runs.waiting == 3)

    runs.write._gather = gather
    runs.gate.set()
    assert runs.write("first", 0) == 0
    assert [call.result(30) for call in calls] == [10, 20]
    assert list(map(sorted, runs.batches)) == [[0, 1, 2]]


def test_calls_with_one_key_are_run_one_after_the_other(runs: Runs) -> None:
    first = runs.start_first()
    calls = []
    for item, key in ((1, "a"), (2, "b"), (3, "a"), (4, "a"), (5, "c")):
        calls.append(runs.threads.submit(runs.write, key, item))
        wait_for(runs, *calls)
    runs.gate.set()
    assert [call.result(30) for call in (first, *calls)] == [0, 10, 20, 30, 40, 50]
    assert runs.batches == [[0], [1, 2, 5], [3], [4]]


def test_only_items_that_may_succeed_alone_are_run_again(runs: Runs) -> None:
    runs.failures = {1: Failure(Unavailable("One."), True), 2: Failure(Unavailable("Two."), False)}
    first = runs.start_first()
    calls = [runs.threads.submit(runs.write, object(), item) for item in (1, 2, 3)]
    wait_for(runs, *calls)
    runs.gate.set()
    assert [call.result(30) for call in (first, calls[0], calls[2])] == [0, 10, 30]
    with pytest.raises(Unavailable, match=r"Two\."):
        calls[1].result(30)
    assert runs.batches[2:] == [[1]]


def test_a_slow_run_no_longer_delays_the_next(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "HOLD_SECONDS", 0.02)
    first = runs.start_first()
    second = runs.threads.submit(runs.write, "second", 2)
    wait_until(lambda: runs.batches == [[0], [2]])
    runs.gate.set()
    assert [first.result(30), second.result(30), runs.write("third", 3)] == [0, 20, 30]


def test_who_does_not_get_a_turn_in_time_is_not_run(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.write._timeout = 0.05
    first = runs.start_first()
    runs.write._since = float("inf")  # nobody takes over
    monkeypatch.setattr(batches, "HOLD_SECONDS", 0.02)
    with pytest.raises(Unavailable, match="Nothing was changed"):
        runs.write("second", 2)
    monkeypatch.setattr(batches, "MAX_WAITING", 0)
    with pytest.raises(Unavailable, match="Nothing was changed"):
        runs.write("third", 3)
    runs.gate.set()
    assert first.result(30) == 0
    assert runs.batches == [[0]]


def test_a_call_whose_time_is_over_is_not_run_by_another_thread(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one gets the lock at once when the late call has looked at its deadline."""
    first = runs.start_first()
    leader = runs.threads.submit(runs.write, "leader", 1)
    wait_for(runs, leader)
    monkeypatch.setattr(batches, "HOLD_SECONDS", 0.02)
    runs.write._timeout = 0

    class Handover:
        lock = runs.write._lock
        released = 0

        def __enter__(self) -> None:
            self.lock.acquire()

        def __exit__(self, *_: object) -> None:
            self.lock.release()
            self.released += 1
            if self.released == 2:  # the late call has joined, and looked at its deadline
                runs.gate.set()
                wait_until(lambda: len(runs.batches) == 2)

    monkeypatch.setattr(runs.write, "_lock", Handover())
    with pytest.raises(Unavailable, match="Nothing was changed"):
        runs.write("late", 2)
    assert [first.result(30), leader.result(30), runs.batches] == [0, 10, [[0], [1]]]


@pytest.mark.parametrize("killed", ["running", "waiting", "called", "gathering"])
def test_the_others_do_not_wait_for_a_greenlet_that_is_killed(killed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "Lock", gevent.thread.allocate_lock)
    monkeypatch.setattr(batches, "HOLD_SECONDS", 30)
    gate = gevent.event.Event()

    def one(item: int) -> int:
        if item == 0:
            gate.wait()
        return item

    def many(items: list[int]) -> list[int | Failure]:
        return [*items]

    write = Batches(one, many, 30)
    first, second, *others = [gevent.spawn(write, object(), item) for item in range(4)]
    gevent.sleep()
    if killed == "gathering":
        monkeypatch.setattr(write, "_gather", lambda: gevent.getcurrent() is second and gevent.sleep(30))
        gate.set()
        first.join()
        gevent.sleep()
        second.kill()
    elif killed == "running":
        first.kill()
    elif killed == "waiting":
        second.kill()
        gate.set()
    else:
        first.link(lambda _: second.kill(block=False))  # in the turn of the event loop in which it would start
        gate.set()
    gevent.joinall([first, second, *others], timeout=30, raise_error=True)
    assert [other.value for other in others] == [2, 3]
    assert write(object(), 7) == 7


def test_calls_whose_batch_is_killed_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "Lock", gevent.thread.allocate_lock)
    gate = gevent.event.Event()

    def many(items: list[int]) -> list[int | Failure]:
        gevent.sleep(30)
        return [*items]

    def one(item: int) -> int:
        gate.wait()
        return item

    write = Batches(one, many, 30)

    def call(item: int) -> object:
        with suppress(Unavailable):
            return write(object(), item)
        return "unavailable"

    first, leader, follower = [gevent.spawn(call, item) for item in range(3)]
    gevent.sleep()
    gate.set()
    first.join()
    gevent.sleep()
    leader.kill()
    follower.join(30)
    assert (first.value, follower.value) == (0, "unavailable")
