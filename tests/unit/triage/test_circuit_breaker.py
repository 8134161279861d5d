"""The circuit breaker, with a clock that the tests set."""

from __future__ import annotations

import threading

import pytest

from ticketsvc.triage.openai.circuit_breaker import CircuitBreaker

COOLDOWN = 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(threshold=3, cooldown=COOLDOWN, clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.failed()


def test_it_is_initially_closed(breaker: CircuitBreaker) -> None:
    assert breaker.allows_call()


def test_it_opens_after_threshold_consecutive_failures(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.allows_call()
    fail(breaker, 1)
    assert not breaker.allows_call()


def test_a_success_resets_the_failure_count(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.allows_call()


def test_a_trip_opens_the_breaker_at_once(breaker: CircuitBreaker) -> None:
    breaker.trip()
    assert not breaker.allows_call()


def test_it_stays_open_during_the_cooldown(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.trip()
    clock.now += COOLDOWN - 0.001
    assert not breaker.allows_call()
    clock.now += 0.001
    assert breaker.allows_call()


def test_after_the_cooldown_one_trial_is_allowed(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.trip()
    clock.now += COOLDOWN
    assert [breaker.allows_call() for _ in range(3)] == [True, False, False]


def test_a_successful_trial_closes_the_breaker(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.trip()
    clock.now += COOLDOWN
    assert breaker.allows_call()
    breaker.succeeded()
    assert breaker.allows_call()
    fail(breaker, 2)
    assert breaker.allows_call()


def test_a_failed_trial_starts_another_cooldown(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.trip()
    clock.now += COOLDOWN
    assert breaker.allows_call()
    clock.now += 5
    breaker.failed()
    clock.now += COOLDOWN - 1
    assert not breaker.allows_call()
    clock.now += 1
    assert breaker.allows_call()


def test_a_trial_without_a_report_blocks_one_cooldown_only(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.trip()
    clock.now += COOLDOWN
    assert breaker.allows_call()
    clock.now += COOLDOWN
    assert breaker.allows_call()


def test_only_one_of_many_threads_gets_the_trial(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.trip()
    clock.now += COOLDOWN
    start = threading.Barrier(16)
    allowed: list[bool] = []

    def ask() -> None:
        start.wait()
        allowed.append(breaker.allows_call())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 15 + [True]


def test_failures_of_many_threads_are_all_counted() -> None:
    breaker = CircuitBreaker(threshold=800, cooldown=COOLDOWN)
    threads = [threading.Thread(target=fail, args=(breaker, 100)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not breaker.allows_call()


def test_it_logs_when_it_opens_and_closes(breaker: CircuitBreaker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    fail(breaker, 5)
    breaker.succeeded()
    breaker.succeeded()
    assert caplog.messages == [
        "circuit breaker opened: next trial in 30 s",
        "circuit breaker closed",
    ]
