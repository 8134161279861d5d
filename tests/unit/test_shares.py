"""Shares of a limited resource."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.support.locks import TIMEOUT, in_background, wait_until
from ticketsvc.problems import Unavailable
from ticketsvc.store import shares
from ticketsvc.store.shares import Client, Place, Shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def client(name: str) -> Client:
    made = Client()
    made.name = name
    return made


@contextmanager
def held(places: Shares, *clients: Client) -> Iterator[Place]:
    place = places.take(clients)
    yield place
    places.release(place)


ANN, BOB, CYD = map(client, ("ann", "bob", "cyd"))


@pytest.fixture
def make() -> Callable[..., Shares]:
    """Return a function that makes shares of which nobody waits for a place, unless a timeout is given."""
    return lambda total, each, timeout=0.0: Shares(total, each, timeout, lambda: Unavailable("No place."))


def test_places_are_limited_in_all_and_for_each_client(make: Callable[..., Shares]) -> None:
    places = make(3, 2)
    with ExitStack() as taken:
        for who in (ANN, ANN):
            taken.enter_context(held(places, who))
        with pytest.raises(Unavailable), held(places, ANN):
            pass
        taken.enter_context(held(places, BOB))
        with pytest.raises(Unavailable), held(places, CYD):
            pass
    with held(places, ANN), held(places, ANN), held(places, CYD):
        pass


def test_shared_work_takes_a_place_of_any_of_its_clients(make: Callable[..., Shares]) -> None:
    places = make(3, 1)
    with held(places, ANN), held(places, ANN, BOB) as place:
        assert place.name == "bob"
        with pytest.raises(Unavailable), held(places, ANN, BOB):
            pass


def test_fast_work_is_waited_for(make: Callable[..., Shares], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "SLOW_SECONDS", TIMEOUT)
    places = make(2, 1, TIMEOUT)

    def work(who: Client) -> str:
        with held(places, who) as place:
            return place.name

    with in_background() as threads:
        with held(places, BOB):
            with held(places, ANN):
                later = [threads.submit(work, who) for who in (ANN, ANN, BOB)]
                wait_until(lambda: len(places._waiting) == 3)
            assert [call.result(TIMEOUT) for call in later[:2]] == ["ann", "ann"]
            assert not later[2].done()
        assert later[2].result(TIMEOUT) == "bob"


def test_slow_work_is_not_waited_for(make: Callable[..., Shares], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "SLOW_SECONDS", 0.0)
    places = make(2, 1, TIMEOUT)
    with held(places, ANN):
        with pytest.raises(Unavailable), held(places, ANN):
            pass
        with held(places, BOB):
            pass


def test_requests_that_wait_are_limited(make: Callable[..., Shares], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "SLOW_SECONDS", TIMEOUT)
    monkeypatch.setattr(shares, "MAX_WAITING", 1)
    places, done = make(1, 1, TIMEOUT), Event()

    def work() -> None:
        with held(places, ANN):
            done.set()

    with in_background() as threads:
        with held(places, ANN):
            threads.submit(work)
            wait_until(lambda: len(places._waiting) == 1)
            with pytest.raises(Unavailable), held(places, ANN):
                pass
        assert done.wait(TIMEOUT)


def test_a_place_of_abandoned_work_stays_taken_for_a_while(make: Callable[..., Shares]) -> None:
    places = make(1, 1)
    places.release_later(places.take([ANN]), 0.5)
    assert len(places._places) == 1
    wait_until(lambda: not places._places)
