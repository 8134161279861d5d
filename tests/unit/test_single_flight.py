"""Runs that identical concurrent calls share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.support.locks import wait_until
from ticketsvc.store.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


_T = TypeVar("_T")


class Runs:
    """Work whose first run lasts until `gate` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate = Event()

    def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        assert number > 1 or self.gate.wait(30)
        return number


def start(work: Callable[[], _T], shared: SingleFlight, threads: ThreadPoolExecutor, count: int) -> list[Future[_T]]:
    return [threads.submit(shared, "key", work) for _ in range(count)]


def start_first(runs: Runs, shared: SingleFlight, threads: ThreadPoolExecutor) -> Future[int]:
    """Start a call, and return it when its run has begun."""
    [call] = start(runs, shared, threads, 1)
    wait_until(lambda: runs.begun == 1)
    return call


def test_it_works() -> None:
    shared = SingleFlight()
    assert [shared("key", lambda: 7), shared("key", lambda: 8)] == [7, 8]


def test_calls_during_a_run_share_the_next() -> None:
    runs = Runs()
    shared = SingleFlight()
    with ThreadPoolExecutor(9) as threads:
        first = start_first(runs, shared, threads)
        others = start(runs, shared, threads, 8)
        wait_until(lambda: all(call.running() for call in others))
        assert runs.begun == 1
        runs.gate.set()
        assert first.result(30) == 1
        assert min(call.result(30) for call in others) == 2
    assert runs.begun < 9


def test_another_key_does_not_wait() -> None:
    runs = Runs()
    shared = SingleFlight()
    with ThreadPoolExecutor(1) as threads:
        first = start_first(runs, shared, threads)
        assert shared("another key", lambda: 7) == 7
        runs.gate.set()
        assert first.result(30) == 1


def test_no_result_is_older_than_its_call() -> None:
    count = 0

    def read() -> int:
        return count

    shared = SingleFlight()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(300):
            count += 1
            assert all(call.result(30) >= count for call in start(read, shared, threads, 8))


def test_exception_reaches_all_calls_and_is_not_kept() -> None:
    fails = True

    def work() -> str:
        if fails:
            raise OSError("away")
        return "back"

    shared = SingleFlight()
    with ThreadPoolExecutor(4) as threads:
        for call in start(work, shared, threads, 4):
            with pytest.raises(OSError, match="away"):
                call.result(30)
    fails = False
    assert shared("key", work) == "back"
